import { expect, test } from 'vitest'
import { cardFieldsOf, fieldsOf, numberText, summaryOf } from '../src/fields.ts'
import { approversText, countdownText, durationText, humanName, visibleText } from '../src/wording.ts'

test('characters that hide or turn text around are shown, and ordinary text in any script is left alone', () => {
  expect(visibleText('pay \u202e001\u200b')).toBe('pay \\u{202e}001\\u{200b}')
  expect(visibleText('tag \u{e0041}')).toBe('tag \\u{e0041}')
  const harmless = 'Zoë, 東京, עברית, ⚠\ufe0f\n\tsecond line'
  expect(visibleText(harmless)).toBe(harmless)
})

test('names in snake and camel case read as words, and unusual names stay as they are', () => {
  expect(humanName('order_id')).toBe('Order id')
  expect(humanName('orderId')).toBe('Order id')
  expect(humanName('X-Order')).toBe('X-Order')
})

test('two names that read alike are both shown raw, so that neither can pose as the other', () => {
  const labels = fieldsOf({ order_id: 'a', orderId: 'b', amount: 1 }).map(({ label }) => label)
  expect(labels).toEqual(['order_id', 'orderId', 'Amount'])
})

test('an amount is shown in full and never rounded', () => {
  expect(numberText('amount', 24999.95, undefined)).toBe('24,999.95')
  expect(numberText('amount', 0.123456789, undefined)).toBe('0.123456789')
  expect(numberText('amount', 1e-9, undefined)).toBe('1e-9')
  expect(numberText('amount', 600, 'EUR')).toBe('EUR\u00a0600.00')
  expect(numberText('amount', 600.005, 'EUR')).toBe('EUR\u00a0600.005')
})

test('an amount gets a currency only from a well-formed code, and identifiers are never grouped', () => {
  expect(numberText('amount', 600, 'euro')).toBe('600')
  expect(numberText('order_id', 1234567, 'EUR')).toBe('1234567')
})

test('objects are shown by their members, short lists by their items, and what lies deep as JSON', () => {
  const fields = fieldsOf({
    address: { city: 'Lyon', geo: { at: { lat: 1 } } },
    lines: [1, 2],
    note: '',
    gone: null,
  })
  expect(fields.map(({ kind }) => kind)).toEqual(['group', 'list', 'absent', 'absent'])
  expect(fields.map(summaryOf)).toEqual(['Lyon, 1 entry', '1, 2', 'empty text', 'null'])
})

test('a card leaves the currency out only where an amount carries it', () => {
  expect(cardFieldsOf({ amount: 5, currency: 'EUR' }).map(({ name }) => name)).toEqual(['amount'])
  expect(cardFieldsOf({ percent: 5, currency: 'EUR' }).map(({ name }) => name)).toEqual([
    'percent',
    'currency',
  ])
})

test('time left is rounded up, so that 0:00 means that it is over', () => {
  expect(countdownText(1)).toBe('0:01')
  expect(countdownText(0)).toBe('0:00')
  expect(countdownText(-5000)).toBe('0:00')
  expect(countdownText(300_000)).toBe('5:00')
  expect(countdownText(3_723_000)).toBe('1:02:03')
  expect(countdownText(273_600_000)).toBe('3 d 04:00')
})

test('lengths of time read as words', () => {
  expect(durationText(300_000)).toBe('5 minutes')
  expect(durationText(5_400_000)).toBe('1 hour 30 minutes')
})

test('approvers are joined by `or` within a route and by `and` between routes', () => {
  expect(approversText([['role:lead', 'person:cfo@acme.example'], ['role:vip-desk']])).toBe(
    'people with the role lead or cfo@acme.example, and also people with the role vip-desk',
  )
  expect(approversText([[]])).toBe('people with the role approver or administrator')
})
