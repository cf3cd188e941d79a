import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compiled, evaluated, failureOf } from './scope.ts'

// Parameters come from a model. Each condition stands for one that denies: what it is sent in a type that was not
// meant must not make it false.
const attacks: readonly (readonly [
  condition: string,
  matching: unknown,
  harmless: unknown,
  confused: readonly (readonly [value: unknown, message: string])[],
])[] = [
  [
    "params.x.exists(r, r.endsWith('@evil.com'))",
    ['ann@example.com', 'bob@evil.com'],
    ['ann@example.com'],
    [
      [{ 0: 'bob@evil.com' }, 'params.x is a map, not a list'],
      ['bob@evil.com', 'params.x is a string, not a list'],
      [null, 'params.x is null, not a list'],
      [[['bob@evil.com']], 'r is a list, not a string'],
      [['ann@example.com', null], 'r is null, not a string'],
    ],
  ],
  [
    "!params.x.all(r, r.endsWith('@example.com'))",
    ['ann@example.com', 'bob@evil.com'],
    ['ann@example.com'],
    [
      [{ 'a@example.com': 'bob@evil.com' }, 'params.x is a map, not a list'],
      [[{ 'a@example.com': 1 }], 'r is a map, not a string'],
    ],
  ],
  [
    "!params.x.exists_one(r, r == 'EU')",
    ['EU', 'EU'],
    ['EU', 'US'],
    [[{ EU: 'US' }, 'params.x is a map, not a list']],
  ],
  [
    "params.x.filter(r, r == 'EU').size() > 0",
    ['EU'],
    ['US'],
    [[{ 0: 'EU' }, 'params.x is a map, not a list']],
  ],
  [
    "'EU' in params.x.map(r, r)",
    ['EU'],
    ['US'],
    [
      [{ 0: 'EU' }, 'params.x is a map, not a list'],
      [['US', ['EU']], 'looks for a string in a list that also has a list'],
    ],
  ],
  [
    "'EU' in params.x",
    ['US', 'EU'],
    ['US'],
    [
      [{ 0: 'EU' }, 'params.x is a map, not a list'],
      ['EU', 'params.x is a string, not a list'],
      [['US', ['EU']], 'looks for a string in a list that also has a list'],
      [[['EU'], 'US'], 'looks for a string in a list that also has a list'],
      [['US', null], 'looks for a string in a list that also has null'],
      [['US', 5], 'looks for a string in a list that also has a number'],
    ],
  ],
  [
    "['EU'] in params.x",
    [['US'], ['EU']],
    [['US'], []],
    [
      [[['US'], [['EU']]], 'compares a list with one of unlike parts'],
      [[['US'], 'EU'], 'looks for a list in a list that also has a string'],
    ],
  ],
  ...['params.x.size() > 2', 'size(params.x) > 2'].map(
    (condition) =>
      [
        condition,
        [1, 2, 3],
        [1, 2],
        [
          [{ to: [1, 2, 3] }, 'params.x is a map, not a list'],
          ['a', 'params.x is a string; write size(string(…)) if a text is meant'],
          [null, 'params.x is null, not a list'],
        ],
      ] as const,
  ),
  [
    'size(string(params.x)) > 2',
    'abc',
    'ab',
    [
      [['abc'], 'could not be evaluated'],
      [{ 0: 'abc' }, 'could not be evaluated'],
      [null, 'could not be evaluated'],
    ],
  ],
  [
    'params.x == []',
    [],
    ['a'],
    [
      [{}, 'compares a map with a list'],
      ['', 'compares a string with a list'],
      [null, 'compares null with a list'],
    ],
  ],
  [
    "params.x == ['EU', 'US']",
    ['EU', 'US'],
    ['EU', 'UK'],
    [
      [['EU', ['US']], 'compares a list with one of unlike parts'],
      [['EU', null], 'compares a list with one of unlike parts'],
      [{ 0: 'EU', 1: 'US' }, 'compares a map with a list'],
    ],
  ],
  [
    "params.x != {'mode': {'dry': true}}",
    { mode: { dry: false } },
    { mode: { dry: true } },
    [
      [{ mode: { dry: 'true' } }, 'compares a map with one of unlike parts'],
      [{ mode: null }, 'compares a map with one of unlike parts'],
    ],
  ],
  [
    "params.x[0] == 'EU'",
    ['EU'],
    ['US'],
    [
      [{ 0: 'EU' }, 'cannot be read by a whole number'],
      ['EU', 'cannot be read by a whole number'],
    ],
  ],
  [
    "params.x['region'] == 'EU'",
    { region: 'EU' },
    { region: 'US' },
    [
      [['EU'], 'needs a whole number, not a string'],
      [{ region: ['EU'] }, 'compares a list with a string'],
    ],
  ],
  [
    "params.x.join(',').contains('EU')",
    ['US', 'EU'],
    ['US'],
    [
      [{ 0: 'EU' }, 'could not be evaluated'],
      [[['EU']], 'joins a list that is not only strings'],
    ],
  ],
]

test.each(attacks)(
  '%s is no way past a rule for a value of the wrong type',
  (source, matching, harmless, confused) => {
    expect(evaluated(source, { params: { x: matching } })).toEqual({ kind: 'true' })
    expect(evaluated(source, { params: { x: harmless } })).toEqual({ kind: 'false' })
    for (const [x, message] of confused) expect(failureOf(source, { params: { x } })).toContain(message)
  },
)

test('a match settles `in`, before or after an item of another kind', () => {
  for (const x of [
    ['EU', 5],
    [5, 'EU'],
    [null, ['EU'], 'EU'],
  ])
    expect(evaluated("'EU' in params.x", { params: { x } })).toEqual({ kind: 'true' })
})

test('parts that differ in value settle an equality, whatever their neighbours are', () => {
  const x = [['EU'], 'UK']
  expect(evaluated("params.x == ['EU', 'US']", { params: { x } })).toEqual({ kind: 'false' })
  expect(evaluated("params.x == ['EU']", { params: { x } })).toEqual({ kind: 'false' })
})

test('a value of any type stays one through `?:`, `dyn` and `+`, so that a map in it is no list', () => {
  const params = { x: { 0: 'EU' } }
  for (const list of ['(is_vip ? params.x : tags)', 'dyn(limits)', '(is_vip ? params.x : params.y)'])
    expect(failureOf(`${list}.exists(r, r == 'EU')`, { params })).toContain('is a map, not a list')
  expect(failureOf("'EU' in (params.x + [])", { params })).toContain('combines a map with a list')
})

test('a name declared as a map is one: its keys are asked for, gone over and counted', () => {
  expect(evaluated("'daily' in limits && limits.all(key, key == 'daily') && size(limits) == 1")).toEqual({
    kind: 'true',
  })
  expect(evaluated("'weekly' in limits || limits.exists(key, key == 'x') || limits.size() > 1")).toEqual({
    kind: 'false',
  })
  expect(failureOf("'x' in context.user")).toBe('context.user is a string, not a list')
})

test('`in`, `exists` and `size` are false only for a list, and `in` only for one of texts', () => {
  const conditions = ["'EU' in params.x", "params.x.exists(r, r == 'EU')", 'size(params.x) > 3'].map(
    (source) => compiled(source),
  )
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), fc.array(fc.string())), (x) => {
      const results = conditions.map((one) => one.evaluate(new Map([['params', { x }]])).kind)
      if (!Array.isArray(x)) expect(results).toEqual(['error', 'error', 'error'])
      else {
        const texts = x.every((item) => typeof item === 'string')
        const has = x.includes('EU') ? 'true' : texts ? 'false' : 'error'
        expect(results).toEqual([has, has, String(x.length > 3)])
      }
    }),
  )
})
