import { expect, test } from 'vitest'
import { approversText, countdownText } from '../src/wording.ts'

test('time left is rounded up, so that 0:00 means that it is over', () => {
  expect(countdownText(1)).toBe('0:01')
  expect(countdownText(0)).toBe('0:00')
  expect(countdownText(-5000)).toBe('0:00')
  expect(countdownText(300_000)).toBe('5:00')
  expect(countdownText(3_723_000)).toBe('1:02:03')
  expect(countdownText(273_600_000)).toBe('3 d 04:00')
})

test('approvers are joined by `or` within a route and by `and` between routes', () => {
  expect(approversText([['role:lead', 'person:cfo@acme.example'], ['role:vip-desk']])).toBe(
    'people with the role lead or cfo@acme.example, and also people with the role vip-desk',
  )
  expect(approversText([[]])).toBe('people with the role approver or administrator')
})
