import { test } from 'vitest'
import { compileCondition } from '../src/index.ts'
import type { CelType } from '../src/index.ts'
const names = new Map<string, CelType>([
  ['n', 'number'],
  ['flag', 'bool'],
  ['region', 'string'],
  ['params', 'dyn'],
  ['now', 'timestamp'],
])
const time = (label: string, f: () => unknown, n = 1) => {
  const t = performance.now()
  let r: unknown
  for (let i = 0; i < n; i++) r = f()
  console.log(label, ((performance.now() - t) / n).toFixed(4), 'ms', JSON.stringify(r)?.slice(0, 150))
}
test('x', () => {
  const c = (s: string) => {
    const r = compileCondition(s, { names, inferUnknown: false })
    if (r.kind !== 'compiled') throw new Error(s + JSON.stringify(r))
    return r.condition
  }
  const v = new Map<string, unknown>([
    ['n', 600],
    ['flag', true],
    ['region', 'EU'],
    [
      'params',
      {
        a: 1,
        list: Array.from({ length: 16000 }, () => 1),
        text: 'a'.repeat(30000),
        words: Array.from({ length: 8000 }, () => 'ab'),
      },
    ],
    ['now', new Date()],
  ])
  time('compile', () => c('n > 500').source, 500)
  const k = c('n > 500')
  for (let i = 0; i < 20000; i++) k.evaluate(v)
  const runs: number[] = []
  for (let i = 0; i < 50000; i++) {
    const t = process.hrtime.bigint()
    k.evaluate(v)
    runs.push(Number(process.hrtime.bigint() - t))
  }
  runs.sort((a, b) => a - b)
  console.log('p50 ns', runs[25000], 'p99', runs[49500])
  time('params.a', () => {
    const q = c('params.a > 500 && region == "EU"')
    for (let i = 0; i < 10000; i++) q.evaluate(v)
    return 1
  })
  for (const s of [
    'params.list.exists(x, params.list.exists(y, x + y > 5))',
    'params.list.all(x, x == 1)',
    'params.list.map(x, x+1).size() == 16000',
    'params.list.filter(x, x == 1).map(y, y)[5] == 1',
    'params.words.exists(w, params.text.contains(w))',
    "params.words.exists(w, params.text.matches('(b+)+$'))",
    'params.list == params.list',
    'params.list.all(x, x in params.list)',
    "params.words.join(params.text) == ''",
    "params.text.replace('a', params.text) == ''",
    "params.text.matches('(a+)+$')",
    'params.list.all(x, params.list == params.list)',
    'params.words.map(w, params.words).size() > 1',
    "params.words.map(w, params.text.split('')).size()>1",
    'params.words.map(w, params.words + params.words).size()>1',
    "now.getHours('Europe/Berlin') > 1",
    "params.list.all(x, now.getHours('Europe/Berlin') >= 0)",
    'params.words.map(w, params.text + params.text).size() > 1',
  ]) {
    const q = c(s)
    time(s, () => q.evaluate(v))
  }
  const bad = (s: string) =>
    time(s.slice(0, 30) + ' ' + s.length, () => {
      const r = compileCondition(s, { names, inferUnknown: true })
      return r.kind === 'compiled' ? r.condition.evaluate(v) : r.problems
    })
  for (const s of [
    '('.repeat(4000),
    '('.repeat(2048) + ')'.repeat(2048),
    '('.repeat(64) + 'flag' + ')'.repeat(64),
    '('.repeat(65) + 'flag' + ')'.repeat(65),
    '!'.repeat(4000) + 'flag',
    '!'.repeat(63) + 'flag',
    '- '.repeat(1000) + 'n > 1',
    '!('.repeat(40) + 'flag' + ')'.repeat(40),
    '-('.repeat(60) + 'n' + ')'.repeat(60) + '>1',
    'flag?flag:'.repeat(400) + 'flag',
    'flag||'.repeat(680) + 'flag',
    'flag||'.repeat(330) + 'flag',
    'n+'.repeat(1900) + 'n > 1',
    'n+'.repeat(50) + 'n > 1',
    'params' + '.a'.repeat(1900),
    'params' + '[0]'.repeat(1000),
    '['.repeat(60) + ']'.repeat(60) + ' == 1',
    'flag?'.repeat(60) + 'flag' + ':flag'.repeat(60),
    'f('.repeat(64) + 'n' + ')'.repeat(64),
    'Foo{a:'.repeat(60) + '1' + '}'.repeat(60),
    'a{'.repeat(60),
    '"a" + '.repeat(63) + '"b" == "c"',
    '(('.repeat(30) + '"',
    '[[['.repeat(20) + '1,'.repeat(100) + ']]]'.repeat(20),
    'a.exists(x,'.repeat(60) + 'x' + ')'.repeat(60),
    '-'.repeat(62) + '(',
    '(!('.repeat(30) + 'flag',
    '(-('.repeat(31) + 'n',
    '{"a":'.repeat(60) + 'n',
    '(flag?('.repeat(20) + 'flag' + '):flag)'.repeat(20),
  ])
    bad(s)
}, 600000)
