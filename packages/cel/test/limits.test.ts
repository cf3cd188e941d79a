import { expect, test } from 'vitest'
import { compileCondition } from '../src/index.ts'
import { compiled, evaluated, failureOf, inferring, problemsOf } from './scope.ts'

test('a condition may be 4096 characters long, and no longer', () => {
  const padded = (length: number): string => 'is_vip'.padEnd(length)
  expect(problemsOf(padded(4096))).toEqual([])
  expect(problemsOf(padded(4097))[0]).toContain('longer than 4096 characters')
})

test('brackets may nest 64 deep, and no deeper', () => {
  const nested = (depth: number): string => `${'('.repeat(depth)}is_vip${')'.repeat(depth)}`
  expect(problemsOf(nested(64))).toEqual([])
  expect(problemsOf(nested(65))).toEqual([
    '64 the condition nests deeper than 64; split it into several rules',
  ])
})

const tooDeep: readonly (readonly [what: string, source: string])[] = [
  ['open brackets', '('.repeat(4096)],
  ['closed brackets', `${'['.repeat(2048)}${']'.repeat(2048)}`],
  ['exclamation marks', `${'!'.repeat(4000)}is_vip`],
  ['minus signs', `${'- '.repeat(2000)}refund_amount > 1`],
  ['ternaries', `${'is_vip ? is_vip : '.repeat(200)}is_vip`],
  ['sums', `${'1 + '.repeat(1000)}1 > 1`],
  ['fields', `params${'.a'.repeat(2000)}`],
  ['indexes', `params${'[0]'.repeat(1300)}`],
]

test.each(tooDeep)('thousands of %s are refused without exhausting the stack', (_, source) => {
  expect(problemsOf(source)[0]).toMatch(/nests deeper than 64|more than 1000 parts/)
})

test('a condition may have 1000 parts, and no more: a long chain of || is one of them', () => {
  expect(problemsOf(`${'is_vip||'.repeat(499)}is_vip`)).toEqual([])
  expect(problemsOf(`${'is_vip||'.repeat(509)}is_vip`)[0]).toContain('more than 1000 parts')
  expect(evaluated(`${'!is_vip||'.repeat(300)}is_vip`)).toEqual({ kind: 'true' })
})

test('comprehensions nest twice, and no deeper', () => {
  expect(problemsOf('tags.all(a, tags.exists(b, b == a))')).toEqual([])
  expect(problemsOf('tags.all(a, tags.exists(b, scores.exists(c, c > 1)))')[0]).toContain(
    'nests deeper than 2',
  )
  expect(problemsOf("tags.filter(a, a > 'b').map(b, b + 'x').exists(c, c == 'x')")).toEqual([])
})

const costly: readonly string[] = [
  'params.list.all(x, params.list.all(y, x == y))',
  'params.list.all(x, !(2 in params.list))',
  'params.list.all(x, params.list == params.list)',
  'params.list.all(x, size(string(params.text)) > 1)',
  'params.list.all(x, params.text.contains("b") || true)',
  'params.list.all(x, params.text < params.text || true)',
  'params.list.map(x, params.list + params.list).size() > 1',
  'params.list.all(x, now.getHours(params.zone) >= 0)',
  'params.list.exists(x, params.list.exists(y, y == 2)) || true',
]

test.each(costly)(
  '%s takes too many steps over a large call, and is an error whatever the rest says',
  (source) => {
    const params = {
      list: Array.from({ length: 8000 }, () => 1),
      text: 'a'.repeat(30_000),
      zone: 'Asia/Tokyo',
    }
    expect(failureOf(source, { params })).toMatch(/takes too many steps$/)
  },
)

test('a long body of a comprehension takes more steps than a short one', () => {
  const params = { list: Array.from({ length: 10_000 }, () => ({ x: 1 })) }
  const body = (atoms: number): string => `params.list.all(i, ${Array(atoms).fill('i.x > 0').join(' && ')})`
  expect(evaluated(body(10), { params })).toEqual({ kind: 'true' })
  expect(failureOf(body(100), { params })).toContain('takes too many steps')
})

test('a comprehension that fails for each item ends as soon as one that does not', () => {
  const long = `[${Array(300).fill('1 + 1').join()}].size()`
  const params = { list: Array.from({ length: 100_000 }, () => ({ x: 'a' })) }
  expect(failureOf(`params.list.exists(i, i.x < ${long})`, { params })).toContain('takes too many steps')
})

test('what is linear in a large call is not too much', () => {
  const params = { list: Array.from({ length: 20_000 }, (_, index) => index) }
  expect(evaluated('params.list.exists(x, x == 19999)', { params })).toEqual({ kind: 'true' })
  expect(evaluated('params.list.map(x, x * 2).filter(x, x > 39990).size() == 4', { params })).toEqual({
    kind: 'true',
  })
})

test('text and lists that an evaluation builds are bounded', () => {
  const doubled = (times: number, seed: string): string =>
    `${seed}${'.map(x, x + x)'.repeat(times)}.size() > 0`
  expect(evaluated(doubled(10, '["ab"]'))).toEqual({ kind: 'true' })
  expect(failureOf(doubled(30, '["ab"]'))).toContain('makes a text that is too long')
  expect(evaluated(doubled(10, '[params.list]'))).toEqual({ kind: 'true' })
  expect(failureOf(doubled(30, '[params.list]'))).toContain('makes a list that is too long')
  const params = { text: 'a'.repeat(30_000) }
  expect(failureOf("params.text.replace('a', params.text) == ''", { params })).toContain(
    'makes a text that is too long',
  )
  expect(evaluated("params.text.replace('', '-').size() == 60001", { params })).toEqual({ kind: 'true' })
})

test('a pattern that ruins backtracking engines takes no longer than others', () => {
  const params = { text: `${'a'.repeat(30_000)}!` }
  expect(evaluated("params.text.matches('^(a+)+$')", { params })).toEqual({ kind: 'false' })
})

test('compiling never throws, whatever the source', () => {
  const pieces = [
    '(',
    ')',
    '[',
    ']',
    '{',
    '}',
    '?',
    ':',
    '.',
    ',',
    '!',
    '-',
    '"',
    "'",
    '\\',
    'a',
    '1',
    ' in ',
    '&&',
    '\ud800',
    '\n',
    '//',
  ]
  for (let seed = 1; seed < 3000; seed++) {
    let state = seed
    let source = ''
    while (source.length < 12) {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
      source += pieces[Math.floor(state / 65_536) % pieces.length] ?? ''
    }
    expect(['compiled', 'invalid']).toContain(compileCondition(source, inferring).kind)
  }
  expect(compiled('is_vip').source).toBe('is_vip')
})
