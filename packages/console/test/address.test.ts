import { expect, test } from 'vitest'
import { askedFilter, filterOf, searchOf } from '../src/decision-filter.ts'
import { routeOf } from '../src/route.ts'
import { yamlTokens } from '../src/yaml.ts'

test('a filter goes into the address and comes out of it as it was', () => {
  const filter = { effect: 'deny', agent: 'a&b', text: 'zoë', since: '2026-01-01T00:00:00.000Z' } as const
  expect(filterOf(searchOf(filter))).toEqual(filter)
  expect(searchOf({})).toBe('')
})

test('what an address says and the console does not understand does not filter', () => {
  expect(filterOf('?effect=perhaps&since=yesterday&last=2h&agent=&other=1')).toEqual({})
})

test('a stretch of time that ends now is asked for by its beginning, and stands before one that was given', () => {
  const filter = filterOf('?last=1h&since=2020-01-01T00:00:00Z&agent=a')
  expect(filter).toEqual({ last: '1h', agent: 'a' })
  expect(askedFilter(filter, Date.parse('2026-01-01T12:00:00Z'))).toEqual({
    agent: 'a',
    since: '2026-01-01T11:00:00.000Z',
  })
})

test.each([
  ['/', 'approvals'],
  ['/decisions', 'decisions'],
  ['/agents', 'agents'],
  ['/agents/x', 'unknown'],
  ['/constructor', 'unknown'],
  ['/decisions/%E0%A4%A', 'unknown'],
  ['/decisions/a/b', 'unknown'],
])('the address %s is the place %s', (path, kind) => {
  expect(routeOf(path).kind).toBe(kind)
})

test('the pieces of a line of YAML are the line, whatever it says', () => {
  const lines = [
    '  - {id: large, condition: "amount > 500", effect: deny} # why',
    "name: 'it''s' ",
    'url: https://example.com/#part',
    'broken: "no end',
    '\t{]:::,,  \u202e',
    'a#b: 1.5',
    '',
  ]
  for (const line of lines) {
    const tokens = yamlTokens(line)
    expect(tokens.map(({ text }) => text).join('')).toBe(line)
  }
  const kinds = (line: string) =>
    yamlTokens(line).flatMap(({ kind, text }) => (kind === 'plain' ? [] : [[kind, text]]))
  expect(kinds('max: 20 # of all')).toEqual([
    ['key', 'max'],
    ['mark', ':'],
    ['number', '20'],
    ['comment', '# of all'],
  ])
  expect(kinds('url: https://example.com/#part').map(([kind]) => kind)).not.toContain('comment')
})
