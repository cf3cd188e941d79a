import { tests } from '@bufbuild/cel-spec/testdata/parsing.js'
import { expect, test } from 'vitest'
import { compileExpression } from '../../src/index.ts'

interface Suite {
  readonly suites?: readonly Suite[]
  readonly tests?: readonly { readonly original: { readonly expr: string }; readonly ast?: string }[]
}

function sourcesOf(suite: Suite): readonly { readonly source: string; readonly parses: boolean }[] {
  const own = (suite.tests ?? []).map(({ original, ast }) => ({
    source: original.expr,
    parses: ast !== undefined,
  }))
  return [...own, ...(suite.suites ?? []).flatMap(sourcesOf)]
}

/** Where this parser differs from cel-go as its tests set it up, and why. */
const differences: readonly (readonly [reason: string, pattern: RegExp, parses: boolean])[] = [
  ['messages are not built here', /^(foo|SomeMessage|TestAllTypes)\{/, false],
  ['optionals are always on here', /\.\?|\[\?|\{\?/, true],
  ['quoted fields are always on here', /`/, true],
  ['cel-go is told to nest 32 deep, and this parser nests 200 deep', /\n|H$|\]{32}/, true],
]

test('what cel-go parses is parsed, and what it refuses is refused, apart from what is listed', () => {
  const sources = sourcesOf(tests)
  expect(sources).toHaveLength(194)
  for (const { source, parses } of sources) {
    const parsed = compileExpression(source).kind === 'compiled'
    if (parsed === parses) continue
    const listed = differences.find(([, pattern, here]) => pattern.test(source) && here === parsed)
    expect(listed?.[0], source).toBeDefined()
  }
})
