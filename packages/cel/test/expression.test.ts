import { expect, test } from 'vitest'
import { CelUint, compileExpression } from '../src/index.ts'
import type { CelType, CelValue, ExpressionScope } from '../src/index.ts'

const names: ReadonlyMap<string, CelType> = new Map<string, CelType>([
  ['i', 'int'],
  ['u', 'uint'],
  ['d', 'double'],
  ['s', 'string'],
  ['b', 'bool'],
  ['l', { list: 'int' }],
  ['m', { map: 'int', key: 'string' }],
  ['any', 'dyn'],
  ['request.auth.claims', { map: 'dyn' }],
  ['acme.limits.daily', 'int'],
])

function problemsOf(source: string, scope: ExpressionScope = { names }): readonly string[] {
  const result = compileExpression(source, scope)
  return result.kind === 'compiled'
    ? []
    : result.problems.map(({ offset, message }) => `${offset} ${message}`)
}

function valueOf(
  source: string,
  values: Readonly<Record<string, CelValue>>,
  scope: ExpressionScope = {},
): unknown {
  const result = compileExpression(source, scope)
  if (result.kind === 'invalid') throw new Error(result.problems[0]?.message)
  const outcome = result.expression.evaluate(new Map(Object.entries(values)))
  return outcome.kind === 'value' ? outcome.value : outcome.message
}

const illTyped: readonly (readonly [source: string, problem: string])[] = [
  ['x', '0 unknown name `x`'],
  ['i + d', '2 `+` has no form for int and double'],
  ['i + u', '2 `+` has no form for int and uint'],
  ['s + 1', '2 `+` has no form for string and int'],
  ['i == s', '2 `==` has no form for int and string'],
  ['s < 1', '2 `<` has no form for string and int'],
  ['i && b', '0 a bool is needed, and this is int'],
  ['!s', '1 a bool is needed, and this is string'],
  ['-u', '0 `-_` has no form for uint'],
  ['b ? 1 : "a"', '2 `?:` chooses between int and string'],
  ['s in l', '2 `in` has no form for string and list(int)'],
  ['1 in m', '2 `in` has no form for int and map(string, int)'],
  ['l["a"]', '0 list(int) is not indexed by string'],
  ['m[1]', '0 map(string, int) is not indexed by int'],
  ['{1.5: 2} == {}', '1 double is no key of a map'],
  ['{[1]: 2} == {}', '1 list(int) is no key of a map'],
  ['i.x', '0 int has no field `x`'],
  ['l.all(x, x)', '9 a bool is needed, and this is int'],
  ['s.all(c, true)', '0 `all` does not go over string'],
  ['sze(l)', '0 unknown function `sze`'],
  ['size(1)', '0 `size` has no form for int'],
  ['s.contains(1)', '2 `contains` has no form for string and int'],
  ['[1, 2].map(x, x + "a")', '16 `+` has no form for int and string'],
  ['optional.of(1).orValue("a")', '15 `orValue` has no form for optional_type(int) and string'],
]

test.each(illTyped)('%s is refused where names are declared: %s', (source, problem) => {
  expect(problemsOf(source)).toEqual([problem])
})

test.each([
  'i + 1 < 2',
  'u + 1u == 2u && d * 2.0 > 1.0',
  'i < d && u >= i',
  'any + 1 == any.x[any]',
  'dyn(i) == s',
  'l + [1] == [] || size(l) > i',
  'm.all(k, m[k] > 0) && m.exists(k, v, k == s && v == i)',
  '[1, "a", 2.0].exists(x, x == s)',
  'type(i) == int && type(s) == string',
  'request.auth.claims.sub == s',
  '{1: "a", 2: "b"}[i] == s',
  'optional.of(i).orValue(2) == [1][?0].orValue(3)',
  'timestamp(s) - duration("1h") < timestamp(0)',
  'cel.bind(x, l, x.map(y, y * 2))[0] > 1',
])('%s is accepted where names are declared', (source) => {
  expect(problemsOf(source)).toEqual([])
})

test('types that double with each binding are refused in no time', () => {
  const opening = Array.from({ length: 60 }, (_, at) =>
    at === 0 ? 'cel.bind(v0, [1], ' : `cel.bind(v${at}, {v${at - 1}: v${at - 1}}, `,
  )
  expect(problemsOf(`${opening.join('')}v59${')'.repeat(60)}`)[0]).toContain('is no key of a map')
})

test('without declared names, everything is told by the evaluation', () => {
  expect(problemsOf('i + d', {})).toEqual([])
  expect(valueOf('i + d', { i: 1n, d: 1 })).toBe(
    '`i + d` combines a whole number with a number: no such overload',
  )
  expect(valueOf('x', {})).toBe('x is unknown')
})

test('a name is looked for in its container first, and from the root where it starts with a dot', () => {
  const scope = { container: 'acme.limits', names }
  expect(valueOf('daily', { 'acme.limits.daily': 5n }, scope)).toBe(5n)
  expect(valueOf('x', { x: 1n, 'acme.x': 2n, 'acme.limits.x': 3n }, { container: 'acme.limits' })).toBe(3n)
  expect(valueOf('.x', { x: 1n, 'acme.x': 2n }, { container: 'acme.limits' })).toBe(1n)
  expect(valueOf('x', { x: 1n, 'acme.x': 2n }, { container: 'acme.limits' })).toBe(2n)
})

test('a chain of fields is the longest name there is, and fields of that', () => {
  expect(valueOf('a.b.c', { 'a.b': { c: 1n }, a: { b: { c: 2n } } })).toBe(1n)
  expect(valueOf('a.b.c', { a: { b: { c: 2n } } })).toBe(2n)
  expect(valueOf('[{"b": 3}].map(a, a.b)[0]', { 'a.b': 1n })).toBe(3n)
})

test('what does not hold what was declared is still an error, and never a wrong answer', () => {
  expect(valueOf('b && true', { b: 'true' }, { names })).toBe('b is a string, not a bool')
  expect(valueOf('u + 1u', { u: 1n }, { names })).toContain('no such overload')
  expect(valueOf('u + 1u', { u: new CelUint(1n) }, { names })).toEqual(new CelUint(2n))
})

test('the tree of a checked expression has types', () => {
  const result = compileExpression('m.map(k, m[k] + i)', { names })
  expect(result.kind === 'compiled' && result.expression.ast.type).toEqual({ list: 'int' })
})
