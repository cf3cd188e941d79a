import { describe, expect, test } from 'vitest'
import { compileCondition, compileExpression } from '../../src/index.ts'
import type { CelType, ConditionResult } from '../../src/index.ts'

const names = new Map<string, CelType>([
  ['amount', 'number'],
  ['count', 'int'],
  ['labels', { list: 'string' }],
  ['params', 'dyn'],
  ['now', 'timestamp'],
])
const values = new Map<string, unknown>([
  ['amount', 600],
  ['count', 4],
  ['labels', ['pii', 'eu']],
  [
    'params',
    {
      url: 'https://api.example.com/v1?dry=1',
      to: ['ann@example.com', 'eve@evil.com'],
      ip: '::ffff:10.0.0.7',
      version: '1.4.0',
      labels: ['pii', ['secret']],
      amounts: [1, 2.5],
      note: 5,
    },
  ],
  ['now', new Date('2026-03-29T02:30:00Z')],
])

function evaluated(source: string): ConditionResult {
  const compiled = compileCondition(source, { names, inferUnknown: false })
  if (compiled.kind === 'invalid') throw new Error(`${source}: ${JSON.stringify(compiled.problems)}`)
  return compiled.condition.evaluate(values)
}

function problemsOf(source: string): readonly string[] {
  const compiled = compileCondition(source, { names, inferUnknown: false })
  return compiled.kind === 'invalid' ? compiled.problems.map(({ message, fix }) => `${message}; ${fix}`) : []
}

describe('in conditions', () => {
  test.each([
    ["labels.intersects(['pii', 'secret'])", 'true'],
    ["labels.intersects(['secret'])", 'false'],
    ["labels.subsetOf(['pii', 'eu', 'us'])", 'true'],
    ["hostMatches(urlHost(params.url), '*.example.com')", 'true'],
    ["hostMatches(urlHost(params.url), 'example.com')", 'false'],
    ["urlScheme(params.url) == 'https' && urlPort(params.url) == 443", 'true'],
    ["urlQuery(params.url, 'dry') == '1'", 'true'],
    ["params.to.all(a, emailDomain(a) == 'example.com')", 'false'],
    ["params.to.exists(a, emailDomain(a) == 'evil.com')", 'true'],
    ["ipInRange(params.ip, '10.0.0.0/8')", 'true'],
    ['isPrivateIP(params.ip)', 'true'],
    ["semverMatches(params.version, '^1.2.0')", 'true'],
    ["isWeekday(now, 'Europe/Berlin')", 'false'],
    ["timeOfDay(now, 'Europe/Berlin') >= duration('4h30m')", 'true'],
    ["date(now, 'UTC') == '2026-03-29'", 'true'],
    ['math.greatest(amount, count, 500) == 600', 'true'],
    ['math.least([amount, 5]) == 5', 'true'],
    ['math.greatest(params.amounts) == 2.5', 'true'],
    ['math.abs(amount - 1000) <= 400', 'true'],
    ['math.round(amount / 7) == 86', 'true'],
    ["'%s pays %.2f'.format([params.version, amount]) == '1.4.0 pays 600.00'", 'true'],
  ])('%s is %s', (source, kind) => {
    expect(evaluated(source)).toEqual({ kind })
  })

  test.each([
    "!params.labels.intersects(['secret'])",
    '!labels.intersects([params.note])',
    '!isPrivateIP(params.url)',
    "urlHost(params.version) != 'evil.com'",
    "emailDomain(params.url) != 'evil.com'",
    "!semverMatches(params.ip, '>=2.0.0')",
    "!ipInRange(params.version, '10.0.0.0/8')",
    '!(math.sqrt(0.0 - amount) > 10.0)',
    '!(math.greatest(params.labels) > 10)',
    "!hostMatches(params.url, 'evil.com')",
    'isWeekday(now, params.version)',
    '!(params.note.contains("secret"))',
  ])('%s is an error, and not true because its parts are no', (source) => {
    expect(evaluated(source).kind).toBe('error')
  })

  test.each([
    [
      "ipInRange(params.ip, '10.0.0.1/8')",
      'is not a range such as 10.0.0.0/8, with no bits set beyond its prefix; write the network',
    ],
    ["hostMatches(params.url, '*')", 'is not a host such as example.com or *.example.com; write one name'],
    ["semverMatches(params.version, '^1')", 'with all three numbers; write whole versions'],
    ["isWeekday(now, 'Europe/Nowhere')", 'the time zone is unknown'],
    ["params.url.matches('(?=a)')", 'is not a valid RE2 regular expression'],
    ['params.url.matches(params.version)', 'must be written out'],
    ["math.greatest('a', 'b') > 1", 'takes'],
    ['labels.intersects(amount)', 'takes'],
    ["urlhost(params.url) == 'a'", 'unknown function'],
  ])('%s is refused at load', (source, part) => {
    expect(problemsOf(source).join()).toContain(part)
  })
})

test('patterns that are made anew at each step end within the steps of an evaluation', () => {
  const compiled = compileExpression("texts.exists(t, 'a'.matches(t + 'b'))")
  if (compiled.kind !== 'compiled') throw new Error('this compiles')
  const texts = Array.from({ length: 5000 }, (_, index) => String(index))
  expect(compiled.expression.evaluate(new Map([['texts', texts]])).kind).toBe('error')
  expect(compiled.expression.evaluate(new Map([['texts', texts.slice(0, 50)]]))).toEqual({
    kind: 'value',
    value: false,
  })
})
