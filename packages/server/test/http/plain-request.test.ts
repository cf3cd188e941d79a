import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isPlainlyRequest } from '../../src/http/deciding.ts'
import { decisionRequest } from '../../src/http/schemas.ts'

test.each([
  { action: 'a', params: {} },
  { action: 'a', params: { b: [1] }, context: {}, callId: 'c', approvalId: 'apr_1', session: 's' },
])('%j is plainly a request', (body) => {
  expect(isPlainlyRequest(body)).toBe(true)
})

test('nothing is plainly a request that the validator would refuse', () => {
  const name = fc.oneof(fc.string(), fc.constantFrom('a', 'a'.repeat(200), 'a'.repeat(201), ''))
  const value = fc.oneof(name, fc.jsonValue(), fc.constantFrom(null, {}, [], 7))
  const field = fc.constantFrom(
    'action',
    'params',
    'context',
    'callId',
    'approvalId',
    'session',
    'supports',
    'more',
    '__proto__',
  )
  const body = fc.oneof(
    fc.jsonValue(),
    fc.dictionary(field, value),
    fc.tuple(name, fc.dictionary(field, value)).map(([action, more]) => ({ action, params: {}, ...more })),
  )
  let plain = 0
  fc.assert(
    fc.property(body, (any) => {
      // As a body arrives: `__proto__` is then a member like any other.
      const read: unknown = JSON.parse(JSON.stringify(any))
      if (!isPlainlyRequest(read)) return
      plain += 1
      expect(decisionRequest.safeParse(read).success).toBe(true)
    }),
    { numRuns: 2_000 },
  )
  expect(plain).toBeGreaterThan(10)
})
