import { expect, test } from 'vitest'
import { approversText, countdownText, hoursText } from '../src/wording.ts'

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

test('hours are told by days in words, and by whose clocks, also where they end on the next day', () => {
  const hours = { zone: 'Europe/Berlin', fromMinute: 540, toMinute: 1050 }
  const told = (...days: string[]): string => hoursText({ ...hours, days })
  const clock = '09:00 to 17:30 by the clocks of Europe/Berlin'
  expect(told('mon', 'tue', 'wed', 'thu', 'fri')).toBe(`Monday to Friday, ${clock}`)
  expect(told('sun', 'mon', 'tue', 'thu')).toBe(`Monday, Tuesday, Thursday and Sunday, ${clock}`)
  expect(told('mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun')).toBe(`every day, ${clock}`)
  expect(hoursText({ ...hours, days: ['sat'], fromMinute: 1320, toMinute: 360 })).toBe(
    'Saturday, 22:00 to 06:00 of the next day by the clocks of Europe/Berlin',
  )
  expect(hoursText({ ...hours, days: ['sat'], fromMinute: 0, toMinute: 1440 })).toContain('00:00 to 24:00')
})
