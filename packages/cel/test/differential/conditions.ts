import type { CelType } from '../../src/index.ts'
import type { Random } from './generator.ts'

/** The names of random conditions. */
export const names: ReadonlyMap<string, CelType> = new Map<string, CelType>([
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

/** A random condition, or a part of one, about that deep. */
export function condition(kind: Parameters<Make>[0], random: Random, depth: number): string {
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

/** Random values for the names. The parameters are what a model may send. */
export function valuesOf(random: Random): Map<string, unknown> {
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
