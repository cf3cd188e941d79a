import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compileCondition, compileExpression } from '../src/index.ts'
import type { CelValue } from '../src/index.ts'
import { failureOf, inferring, problemsOf } from './scope.ts'

// A source from anybody and values from a model: nothing here may hang, throw, or exhaust the stack. A test that
// hangs fails by the time limit of the tests.

const sources: readonly (readonly [what: string, source: string])[] = [
  ['10,000 open brackets', '('.repeat(10_000)],
  ['10,000 brackets around a name', `${'('.repeat(10_000)}x${')'.repeat(10_000)}`],
  ['4 KiB of ||', '||'.repeat(2048)],
  ['a megabyte of !', '!'.repeat(1_000_000)],
  ['a megabyte of text', `"${'a'.repeat(1_000_000)}"`],
  ['a text that never ends', `"${'\\'.repeat(4000)}`],
  ['a number of 4,000 digits', '9'.repeat(4000)],
  ['an exponent of 4,000 digits', `1e${'9'.repeat(3900)}`],
  ['2,000 fields', `x${'.a'.repeat(2000)}`],
  ['1,000 nested lists', `${'['.repeat(1000)}${']'.repeat(1000)}`],
  ['1,000 ternaries', `${'x ? x : '.repeat(1000)}x`],
  ['nested macros', `${'[1].map(x, '.repeat(300)}1${')'.repeat(300)}`],
  ['a pattern that unfolds', '"a".matches("((a{100}){100}){100}")'],
  ['a pattern of 1,000 groups', `"a".matches("${'('.repeat(1000)}${')'.repeat(1000)}")`],
]

test.each(sources)('%s are refused in a condition, with a place and a fix', (_, source) => {
  const result = compileCondition(source, inferring)
  if (result.kind === 'compiled') throw new Error('it was accepted')
  for (const { offset, message, fix } of result.problems) {
    expect(offset).toBeGreaterThanOrEqual(0)
    expect(message.length).toBeGreaterThan(10)
    expect(message.length).toBeLessThan(300)
    expect(fix.length).toBeGreaterThan(3)
  }
})

test.each(sources)('%s are refused in the standard dialect, or evaluate within their bounds', (_, source) => {
  const result = compileExpression(source)
  if (result.kind === 'invalid') expect(result.problems[0]?.message.length).toBeLessThan(300)
  else expect(['value', 'error']).toContain(result.expression.evaluate(new Map()).kind)
})

function evaluated(source: string, values: Readonly<Record<string, CelValue>>): string {
  const compiled = compileExpression(source)
  if (compiled.kind === 'invalid') return compiled.problems[0]?.message ?? ''
  const result = compiled.expression.evaluate(new Map(Object.entries(values)))
  return result.kind === 'error' ? result.message : 'value'
}

const list = Array.from({ length: 300 }, (_, at) => BigInt(at))
const text = 'a'.repeat(1024 * 1024)

const evaluations: readonly (readonly [source: string, message: string])[] = [
  ['l.all(x, l.all(y, l.all(z, x + y + z >= 0)))', 'takes too many steps'],
  ['l.map(x, l.map(y, l.map(z, z))).size() > 0', 'takes too many steps'],
  ['l.all(x, t == t + "" || true)', 'takes too many steps'],
  ['l.all(x, t.contains("b") || true)', 'takes too many steps'],
  ['l.all(x, t < t || true)', 'takes too many steps'],
  ['l.all(x, t.matches("(a+)+$"))', 'takes too many steps'],
  ['t + t == ""', 'makes a text that is too long'],
  ['t.replace("a", "bb") == ""', 'makes a text that is too long'],
  ['t.split("").size() > 0', ''],
  ['[t, t, t].join("") == ""', 'makes a text that is too long'],
  [
    'l.map(a, l).map(b, l + l + l + l).map(c, c + c + c + c + c + c).map(d, d + d + d + d).size() > 0',
    'takes too many steps',
  ],
  ['"%s%s%s".format([t, t, t]) == ""', ''],
  [
    `${Array.from({ length: 30 }, (_, at) => `cel.bind(v${at}, ${at === 0 ? '"ab"' : `v${at - 1} + v${at - 1}`}, `).join('')}v29${')'.repeat(30)} == ""`,
    'makes a text that is too long',
  ],
]

test.each(evaluations)('%s ends within its bounds', (source, message) => {
  expect(evaluated(source, { l: list, t: text })).toContain(message)
})

test('a pattern that ruins backtracking engines takes no longer than others over 50 kB', () => {
  expect(evaluated('t.matches("^(a+)+$")', { t: `${'a'.repeat(50_000)}!` })).toBe('value')
  expect(
    failureOf("params.t.matches('^(a+)+$') || params.x", { params: { t: 'a'.repeat(50_000) } }),
  ).toContain('no failure')
})

test('values that nest without end are compared within bounds', () => {
  let deep: unknown = 1
  for (let level = 0; level < 20_000; level++) deep = [deep]
  const cyclic: Record<string, unknown> = {}
  cyclic['self'] = cyclic
  expect(failureOf('params.a == params.b', { params: { a: deep, b: deep } })).toContain('nest too deeply')
  expect(failureOf('params == params.self', { params: cyclic })).toContain('nest too deeply')
  expect(failureOf('params in [params.self]', { params: cyclic })).toContain('nest too deeply')
  expect(failureOf('size(string(params.a)) > 1', { params: { a: deep } })).toContain('could not be evaluated')
})

test('values that throw wherever they are touched make an error', () => {
  const boo = (): never => {
    throw new Error('boo')
  }
  const hostile = new Proxy(
    {},
    { get: boo, has: boo, getPrototypeOf: boo, ownKeys: boo, getOwnPropertyDescriptor: boo },
  )
  for (const source of [
    'params.x > 5',
    'params["x"] > 5',
    'has(params.x)',
    'params == params',
    'params.exists(x, x > 1)',
    'size(params) > 1',
    "'x' in params",
  ]) {
    expect(failureOf(source, { params: hostile })).toBe('the condition could not be evaluated')
  }
})

test('whatever the source, both dialects answer, and a condition never takes what it cannot place', () => {
  const piece = fc.constantFrom(
    ...'( ) [ ] { } ? : . , ! - + * / % < > = == && || in " \' \\ a b x 1 1u 0x 1e r" b\' `a` .? [? // \n has( .map( .all( null true'.split(
      ' ',
    ),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 24 }), fc.string({ maxLength: 6 }), (pieces, extra) => {
      const source = pieces.join(extra.length > 3 ? ' ' : '') + extra
      const condition = compileCondition(source, inferring)
      if (condition.kind === 'invalid')
        for (const { offset } of condition.problems) expect(offset).toBeLessThanOrEqual(source.length)
      const expression = compileExpression(source)
      if (expression.kind === 'compiled')
        expect(['value', 'error']).toContain(expression.expression.evaluate(new Map()).kind)
    }),
    { numRuns: 3000 },
  )
})

test('bindings that double what they hold are checked, and their cost told, in no time', () => {
  const chain = (first: string, next: (before: string) => string, last: string): string => {
    const opening = Array.from({ length: 30 }, (_, at) =>
      at === 0 ? `cel.bind(v0, ${first}, ` : `cel.bind(v${at}, ${next(`v${at - 1}`)}, `,
    )
    return `${opening.join('')}${last}${')'.repeat(30)}`
  }
  const params = { l: [1], m: { a: 1 } }
  const sums = chain('params.l', (v) => `${v} + ${v}`, 'v29.exists(x, x == 2)')
  const lists = chain('[params.l]', (v) => `[${v}, ${v}]`, 'v29.exists(x, x == v28)')
  const choices = chain('params.m', (v) => `true ? ${v} : (false ? ${v} : {"a": ${v}.a})`, 'v29.a == 1')
  expect(failureOf(sums, { params })).toContain('makes a list that is too long')
  expect(evaluated(lists, {})).not.toBe('')
  expect(failureOf(lists, { params })).toMatch(/no failure|too many steps/)
  expect(failureOf(choices, { params })).toBe('no failure, but true')
  const printed = chain('["a"]', (v) => `[${v}, ${v}]`, '"%s".format([v29]) == ""')
  expect(failureOf(printed, { params })).toMatch(/too long|too many steps/)
})

test('a source that is wrong in 300 places has them all named', () => {
  expect(problemsOf(Array.from({ length: 300 }, (_, at) => `u${at}`).join('||')).length).toBe(300)
})
