import { describe, expect, test } from 'vitest'
import { isReason, saysSomething } from '../../src/index.ts'

describe('a reason', () => {
  test.each(['asked by the customer', 'Ticket 7', '…because', '理由', 'سبب', '7'])('is one: %j', (text) => {
    expect(saysSomething(text)).toBe(true)
    expect(isReason(text)).toBe(true)
  })

  test.each([
    '',
    '  ',
    '\n\t',
    '.',
    '?!',
    '\u3164',
    '\u3164 \u115f\u1160',
    '\uffa0',
    '\u2800',
    '\u200b\u200d',
    '\ufeff',
  ])('is none that nobody can read: %j', (text) => {
    expect(saysSomething(text)).toBe(false)
    expect(isReason(text)).toBe(false)
  })

  test('is at most 2,000 characters of well-formed Unicode', () => {
    expect(isReason('a'.repeat(2_000))).toBe(true)
    expect(isReason('a'.repeat(2_001))).toBe(false)
    expect(isReason('a\ud800')).toBe(false)
  })
})
