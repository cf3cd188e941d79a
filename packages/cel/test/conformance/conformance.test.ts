import { expect, test } from 'vitest'
import { casesOf, verdictOn } from './suite.ts'
import type { Case } from './suite.ts'

// How many cases each section of the language's own suite has that need no protobuf messages.
const core: readonly (readonly [section: string, cases: number])[] = [
  ['basic', 43],
  ['comparisons', 334],
  ['conversions', 109],
  ['fields', 60],
  ['fp_math', 30],
  ['integer_math', 64],
  ['lists', 39],
  ['logic', 30],
  ['macros', 44],
  ['namespace', 3],
  ['parse', 193],
  ['plumbing', 5],
  ['string', 51],
  ['timestamps', 76],
]

const extensions: readonly (readonly [section: string, cases: number])[] = [
  ['macros2', 46],
  ['string_ext', 206],
  ['math_ext', 199],
  ['optionals', 59],
  ['bindings_ext', 5],
  ['encoders_ext', 4],
]

test.each([...core, ...extensions])(
  'every one of the cases of %s evaluates as the suite says: %i',
  (section, count) => {
    const cases = casesOf(section)
    expect(cases).toHaveLength(count)
    expect(failing(cases)).toEqual([])
  },
)

test('the sections of the core have 1081 cases', () => {
  expect(core.reduce((sum, [, count]) => sum + count, 0)).toBe(1081)
})

test('the types that the suite deduces are deduced, but for functions and types that it declares itself', () => {
  const cases = casesOf('type_deductions')
  expect(cases).toHaveLength(26)
  expect(failing(cases).map((text) => text.replace(/^.*: /, ''))).toEqual([
    "fn('abc', 123)",
    '[tuple(1, 2u, 3.0), tuple(dyn(1), dyn(2u), dyn(3.0))][0]',
    'sort(tuple(dyn(1), 2u, 3.0))',
    'tuple(1, 2u, 3.0) == tuple(1, dyn(2u), dyn(3.0))',
    'tuple(dyn(1), dyn(2u), 3.0) == tuple(1, 2u, 3.0)',
  ])
})

test('`cel.block`, which optimisers write and people do not, is refused and never misread', () => {
  const cases = casesOf('block_ext')
  expect(cases).toHaveLength(25)
  expect(new Set(cases.map(verdictOn))).toEqual(new Set(['loud']))
})

function failing(cases: readonly Case[]): readonly string[] {
  return cases
    .map((one) => [one, verdictOn(one)] as const)
    .filter(([, verdict]) => verdict !== 'passed')
    .map(([one, verdict]) => `${verdict}: ${one.name}: ${one.expr}`)
}
