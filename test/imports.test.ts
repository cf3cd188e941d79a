import { describe, expect, test } from 'vitest'
import {
  BUILTINS_OF,
  circularImports,
  filesBehind,
  forbiddenBuiltins,
  importsAgainstTheFlow,
  importsAgainstTheLayers,
  undeclaredImports,
} from './import-rules.ts'
import { importsIn, isRelative, readSources, type SourceFile } from './imports.ts'
import { ROOT, exists, rootDependencies, workspacePackages } from './workspace.ts'

const packages = workspacePackages()
const names = packages.map(({ name }) => name)
const sourcesOf = (folder: string) => (exists(folder) ? readSources(ROOT, folder) : [])

describe('the repository', () => {
  test('in core, no stage imports a stage to its right', () => {
    const files = sourcesOf('packages/core/src')
    expect(files.length).toBeGreaterThan(10)
    expect(importsAgainstTheFlow(files)).toEqual([])
  })

  test('core reaches nothing of Node but its hashing, and cel and the console nothing at all', () => {
    const breaches = [...BUILTINS_OF].flatMap(([folder, allowed]) =>
      forbiddenBuiltins(sourcesOf(`${folder}/src`), allowed),
    )
    expect(breaches).toEqual([])
  })

  test('of core the console imports the words only, and these import no package and nothing of Node', () => {
    const ofCore = sourcesOf('packages/console/src').flatMap(({ imports }) =>
      imports
        .filter(({ specifier }) => specifier.startsWith('@bailiwick/'))
        .map(({ specifier }) => specifier),
    )
    expect([...new Set(ofCore)]).toEqual(['@bailiwick/core/words'])
    const words = filesBehind('packages/core/src/words.ts', sourcesOf('packages/core/src'))
    expect(words.length).toBeGreaterThan(2)
    const outside = words.flatMap(({ imports }) => imports.filter(({ specifier }) => !isRelative(specifier)))
    expect(outside).toEqual([])
  })

  describe.each(packages)('$folder', (pkg) => {
    const sources = sourcesOf(`${pkg.folder}/src`)
    const tests = sourcesOf(`${pkg.folder}/test`)

    test('has sources, whose imports were found', () => {
      expect(sources.flatMap((file) => file.imports).length).toBeGreaterThan(0)
    })

    test('has no files that import one another in a circle', () => {
      expect(circularImports(sources)).toEqual([])
    })

    test('imports only the packages below it', () => {
      expect(importsAgainstTheLayers(pkg, sources, names)).toEqual([])
    })

    test('declares every package that its sources import', () => {
      expect(undeclaredImports(sources, pkg.declared)).toEqual([])
    })

    test('declares, or the root does, every package that its tests import', () => {
      const declared = new Set([...pkg.declaredForTests, ...rootDependencies(), ...names])
      expect(undeclaredImports(tests, declared)).toEqual([])
    })
  })

  test('the root declares every package that its tests and benchmarks import', () => {
    const declared = new Set([...rootDependencies(), ...names])
    expect(undeclaredImports([...sourcesOf('test'), ...sourcesOf('bench')], declared)).toEqual([])
  })
})

describe('the rules find what they are for', () => {
  const file = (path: string, ...specifiers: string[]): SourceFile => ({
    path,
    imports: specifiers.map((specifier, index) => ({ specifier, line: index + 1 })),
  })

  test('an import to the right is found, one to the left is not', () => {
    const right = file('packages/core/src/policy/a.ts', '../decision/b.ts')
    const left = file('packages/core/src/decision/b.ts', '../policy/a.ts', './c.ts')
    expect(importsAgainstTheFlow([left, right])).toEqual([
      'packages/core/src/policy/a.ts:1 imports packages/core/src/decision/b.ts, which is to its right',
    ])
  })

  test('a folder that is no stage is found, and so is an import of the front door', () => {
    expect(importsAgainstTheFlow([file('packages/core/src/stray/a.ts')])[0]).toContain('is in no stage')
    expect(importsAgainstTheFlow([file('packages/core/src/model/a.ts', '../index.ts')])).toHaveLength(1)
    expect(importsAgainstTheFlow([file('packages/core/src/index.ts', './monitor/a.ts')])).toEqual([])
  })

  test('a circle is found, a diamond is not', () => {
    const circle = [file('a.ts', './b.ts'), file('b.ts', './c.ts'), file('c.ts', './a.ts')]
    expect(circularImports(circle)).toEqual(['a.ts → b.ts → c.ts → a.ts'])
    expect(circularImports([file('a.ts', './a.ts')])).toEqual(['a.ts → a.ts'])
    const diamond = [
      file('a.ts', './b.ts', './c.ts'),
      file('b.ts', './d.ts'),
      file('c.ts', './d.ts'),
      file('d.ts'),
    ]
    expect(circularImports(diamond)).toEqual([])
  })

  test('an import of a package above is found, of one below is not', () => {
    const core = { folder: 'packages/core', name: '@bailiwick/core' }
    const above = file('packages/core/src/a.ts', '@bailiwick/store')
    const below = file('packages/core/src/a.ts', '@bailiwick/cel')
    expect(importsAgainstTheLayers(core, [above], names)).toHaveLength(1)
    expect(importsAgainstTheLayers(core, [below], names)).toEqual([])
  })

  test('a relative import that leaves its package is found', () => {
    const core = { folder: 'packages/core', name: '@bailiwick/core' }
    const leaving = file('packages/core/src/a.ts', '../../store/src/index.ts')
    expect(importsAgainstTheLayers(core, [leaving], names)[0]).toContain('reaches out of its package')
  })

  test('an adapter may import core alone, and a package without a place may not be', () => {
    const adapter = { folder: 'packages/adapters/x', name: '@bailiwick/x' }
    const files = [file('packages/adapters/x/src/a.ts', '@bailiwick/core', 'bailiwick')]
    expect(importsAgainstTheLayers(adapter, files, names)).toHaveLength(1)
    expect(importsAgainstTheLayers({ folder: 'packages/stray', name: 'stray' }, [], names)).toHaveLength(1)
  })

  test('an undeclared package is found, a declared one and its subpaths are not', () => {
    const files = [file('a.ts', 'zod', 'zod/v4', '@hono/node-server/x', 'node:fs', './b.ts')]
    expect(undeclaredImports(files, new Set(['zod']))).toEqual([
      'a.ts:3 imports @hono/node-server, which its package.json does not declare',
    ])
  })

  test('a built-in without its prefix is found', () => {
    const found = undeclaredImports([file('a.ts', 'fs', 'fs/promises', 'node:fs')], new Set())
    expect(found).toEqual(['a.ts:1 imports fs without `node:`', 'a.ts:2 imports fs/promises without `node:`'])
  })

  test('a built-in that is not allowed is found, with or without its prefix', () => {
    const found = forbiddenBuiltins([file('a.ts', 'node:crypto', 'node:fs', 'fs', 'zod')], ['node:crypto'])
    expect(found).toEqual(['a.ts:2 imports node:fs', 'a.ts:3 imports fs'])
  })
})

describe('reading imports', () => {
  test.each([
    ["import { a } from './a.ts'", './a.ts'],
    ["import type { A } from './a.ts'", './a.ts'],
    ["import a, { type B } from './a.ts'", './a.ts'],
    ["import a, * as b from './a.ts'", './a.ts'],
    ["import * as a from './a.ts'", './a.ts'],
    ['import a from "a"', 'a'],
    ["import './a.css'", './a.css'],
    ["export { a } from './a.ts'", './a.ts'],
    ["export type { A } from './a.ts'", './a.ts'],
    ["export * from './a.ts'", './a.ts'],
    ["export * as a from './a.ts'", './a.ts'],
    ["  const { a } = await import('./a.ts')", './a.ts'],
    ["let a: import('./a.ts').A", './a.ts'],
    ["import {\n  a,\n  // it's b\n  b,\n} from './a.ts'", './a.ts'],
  ])('%j imports %s', (text, specifier) => {
    expect(importsIn(text).map((found) => found.specifier)).toEqual([specifier])
  })

  test.each([
    "// import a from 'a'",
    "/**\n * import a from 'a'\n */",
    "  text: `\n  import a from 'a'`",
    "export const from = 'a'",
    "export { a }\nconst b = 'b'",
    "import.meta.resolve('a')",
  ])('%j imports nothing', (text) => {
    expect(importsIn(text)).toEqual([])
  })

  test('the line is the one that names the module', () => {
    expect(importsIn("\nimport {\n  a,\n} from 'a'\nimport b from 'b'")).toEqual([
      { specifier: 'a', line: 4 },
      { specifier: 'b', line: 5 },
    ])
  })
})
