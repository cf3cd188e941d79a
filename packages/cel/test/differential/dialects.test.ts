import { expect, test } from 'vitest'
import { compileCondition, compileExpression } from '../../src/index.ts'
import type { CelType, CelValue, CompiledCondition } from '../../src/index.ts'
import { Random } from './generator.ts'

// Conditions over facts and parameters: the number facts `a` and `n`, the parameters of any type. What a condition
// says must not hang on which of its closures are the fast ones, nor be another answer than CEL's.

const names: ReadonlyMap<string, CelType> = new Map<string, CelType>([
  ['a', 'number'],
  ['n', 'int'],
  ['v', 'bool'],
  ['s', 'string'],
  ['l', { list: 'string' }],
  ['p', { map: 'dyn' }],
])

type Make = (kind: 'number' | 'bool' | 'string' | 'list') => string

function atom(kind: Parameters<Make>[0], random: Random): string {
  switch (kind) {
    case 'number':
      return random.pick(['a', 'n', 'p.a', 'p.n', 'p.x', '0', '1', '2.5', '500', '-3', 'size(l)', 'size(s)'])
    case 'bool':
      return random.pick(['v', 'p.v', 'true', 'false', 'has(p.a)', 'has(p.gone)', 'p.gone', 'p.x'])
    case 'string':
      return random.pick(['s', 'p.s', 'p.x', '"EU"', '"a"', '""', 'l[0]', 'p.l[0]', 'string(n)'])
    default:
      return random.pick(['l', 'p.l', '["EU", "US"]', '[]', 'p.x'])
  }
}

function condition(kind: Parameters<Make>[0], random: Random, depth: number): string {
  if (depth <= 0 || random.below(6) === 0) return atom(kind, random)
  const make: Make = (inner) => condition(inner, random, depth - 1)
  switch (kind) {
    case 'number':
      return random.pick([
        () => `(${make('number')} ${random.pick(['+', '-', '*', '/'])} ${make('number')})`,
        () => `-(${make('number')})`,
        () => `size(${make('list')})`,
        () => `(${make('bool')} ? ${make('number')} : ${make('number')})`,
      ])()
    case 'bool':
      return random.pick([
        () => `(${make('bool')} ${random.pick(['&&', '||'])} ${make('bool')})`,
        () => `(${make('bool')} || ${make('bool')} || ${make('bool')} || ${make('bool')})`,
        () => `(${make('bool')} && ${make('bool')} && ${make('bool')})`,
        () => `!${make('bool')}`,
        () => `(${make('number')} ${random.pick(['<', '<=', '>', '>=', '==', '!='])} ${make('number')})`,
        () => `(${make('string')} ${random.pick(['<', '>=', '==', '!='])} ${make('string')})`,
        () => `(${make('string')} in ${make('list')})`,
        () => `(${make('number')} in [${make('number')}, 500, 2])`,
        () => `${make('list')}.${random.pick(['all', 'exists', 'exists_one'])}(x, x == ${make('string')})`,
        () => `${make('string')}.${random.pick(['startsWith', 'contains'])}(${make('string')})`,
        () => `(p.x ${random.pick(['==', '!='])} null)`,
      ])()
    case 'string':
      return random.pick([
        () => `(${make('string')} + ${make('string')})`,
        () => `(${make('bool')} ? ${make('string')} : ${make('string')})`,
        () => `${make('string')}.lowerAscii()`,
      ])()
    default:
      return random.pick([
        () => `(${make('list')} + ${make('list')})`,
        () => `${make('list')}.filter(x, x != ${make('string')})`,
        () => `${make('list')}.map(x, x + ${make('string')})`,
      ])()
  }
}

function valuesOf(random: Random): Map<string, unknown> {
  const any: readonly unknown[] = [
    0,
    1,
    500,
    -2.5,
    true,
    false,
    '',
    'EU',
    'a',
    null,
    [],
    ['EU'],
    [1, 'EU'],
    {},
    { a: 1 },
  ]
  return new Map<string, unknown>([
    ['a', random.pick([0, 1, 499.5, 500, 501, -3, 2.5])],
    ['n', random.below(4)],
    ['v', random.below(2) === 0],
    ['s', random.pick(['', 'EU', 'a', 'eu'])],
    ['l', random.pick([[], ['EU'], ['a', 'EU'], ['eu', '']])],
    [
      'p',
      {
        a: random.pick([0, 500, 501, 0.5, '500']),
        n: random.pick([0, 1, 2, null]),
        v: random.pick([true, false, 'true']),
        s: random.pick(['EU', 'a', '', 5]),
        l: random.pick([['EU'], ['a', 'b'], [], ['EU', null], { 0: 'EU' }]),
        x: random.pick(any),
      },
    ],
  ])
}

/** The same values for the standard dialect, in which `n` is a whole number. */
function standardValues(values: ReadonlyMap<string, unknown>): Map<string, CelValue> {
  const given = new Map(values as ReadonlyMap<string, CelValue>)
  return given.set('n', BigInt(Number(values.get('n'))))
}

function traced(compiled: CompiledCondition, values: ReadonlyMap<string, unknown>): string {
  const { result } = compiled.trace(values)
  return result.kind === 'value' ? String(result.value === true) : result.kind
}

test('20,000 evaluations of random conditions answer as CEL does, or with an error, and as their traces do', () => {
  const random = new Random(7)
  const counts = { true: 0, false: 0, error: 0, compared: 0 }
  for (let made = 0; made < 4000; made++) {
    const source = condition('bool', random, 1 + random.below(3))
    const compiled = compileCondition(source, { names, inferUnknown: false })
    if (compiled.kind === 'invalid') continue
    const standard = compileExpression(source)
    for (let round = 0; round < 8; round++) {
      const values = valuesOf(random)
      const answer = compiled.condition.evaluate(values)
      counts[answer.kind] += 1
      expect(traced(compiled.condition, values), source).toBe(answer.kind)
      if (answer.kind === 'error' || standard.kind === 'invalid') continue
      const other = standard.expression.evaluate(standardValues(values))
      if (other.kind === 'error') continue
      counts.compared += 1
      expect(other.value, `${source} ${JSON.stringify([...values])}`).toBe(answer.kind === 'true')
    }
  }
  const sum = counts.true + counts.false + counts.error
  expect(sum).toBeGreaterThan(20_000)
  expect(Math.min(counts.true, counts.false, counts.error)).toBeGreaterThan(2000)
  expect(counts.compared).toBeGreaterThan(6000)
}, 120_000)
