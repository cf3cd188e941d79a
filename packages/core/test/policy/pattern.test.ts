import fc from 'fast-check'
import { expect, test } from 'vitest'
import { namePattern } from '../../src/policy/pattern.ts'

test.each([
  ['export_*', 'export_csv', true],
  ['export_*', 'export_', true],
  ['export_*', 'reexport_csv', false],
  ['*_refund', 'issue_refund', true],
  ['*_refund', 'issue_refunds', false],
  ['*', 'anything', true],
  ['a*b*c', 'abc', true],
  ['a*b*c', 'acb', false],
  ['a*a', 'a', false],
  ['issue_refund', 'Issue_refund', false],
  ['a.c', 'abc', false],
])('the pattern %s and the name %s: %s', (pattern, name, matches) => {
  expect(namePattern(pattern).matches(name)).toBe(matches)
})

test('a pattern matches exactly the whole names that the same regular expression matches', () => {
  const letters = (extra: readonly string[]) =>
    fc.array(fc.constantFrom('a', 'b', '.', ...extra), { maxLength: 10 }).map((parts) => parts.join(''))
  fc.assert(
    fc.property(letters(['*']), letters([]), (pattern, name) => {
      const oracle = new RegExp(`^${pattern.replace(/[.]/g, '\\.').replace(/\*+/g, '.*')}$`, 's')
      expect(namePattern(pattern).matches(name)).toBe(oracle.test(name))
    }),
    { numRuns: 5_000 },
  )
})

test('a pattern of many stars does not take long', () => {
  const pattern = namePattern(`${'*a'.repeat(90)}*b`)
  expect(pattern.matches('a'.repeat(200))).toBe(false)
})
