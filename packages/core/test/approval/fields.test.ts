import { expect, test } from 'vitest'
import { callLeaves, cardFieldsOf, fieldsOf, mainLeaves, numberText, summaryOf } from '../../src/words.ts'

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

test('a number has the unit that the policy gives it, whatever its name and whatever the agent says beside it', () => {
  const units = { '/params/refund': 'USD', '/params/weight': 'kg' }
  const [refund, weight, other] = fieldsOf({ refund: 600, weight: 2.5, currency: 'EUR' }, '/params', {
    units,
  })
  expect(refund).toMatchObject({ kind: 'number', value: 'USD\u00a0600.00' })
  expect(weight).toMatchObject({ value: '2.5\u00a0kg' })
  expect(other).toMatchObject({ value: 'EUR' })
  expect(numberText('order_id', 12345, null)).toBe('12345')
})

test('a date is read as one, and what only looks like one is not', () => {
  const kinds = fieldsOf({ at: '2026-11-27T20:21:00Z', day: '2026-11-27', no: '2026-13-45', id: '20261127' })
  expect(kinds.map(({ kind }) => kind)).toEqual(['date', 'date', 'text', 'text'])
})

test('a long text is folded, a short list is a list, and objects in a list are shown by their members', () => {
  const fields = fieldsOf({
    note: 'x'.repeat(281),
    tags: ['a', 'b'],
    lines: [{ sku: 'A', price: 1 }],
    mixed: [1, { a: 1 }],
    many: Array.from({ length: 21 }, (_, at) => at),
  })
  expect(fields.map(({ kind }) => kind)).toEqual(['long', 'list', 'group', 'json', 'json'])
  expect(fields[1] && summaryOf(fields[1])).toBe('a, b')
  expect(fields[2]).toMatchObject({ fields: [{ label: 'No. 1', pointer: '/params/lines/0' }] })
})

test('what is masked is found by its place, so that an agent that sends the mask hides nothing', () => {
  const masked = ['/params/iban', '/params/payees/0/iban']
  const params = { iban: '•••', note: '•••', payees: [{ iban: '•••', name: 'a' }] }
  const [iban, note, payees] = fieldsOf(params, '/params', { masked })
  expect(iban?.kind).toBe('masked')
  expect(note?.kind).toBe('text')
  expect(payees).toMatchObject({ fields: [{ fields: [{ kind: 'masked' }, { kind: 'text' }] }] })
  expect(cardFieldsOf(params, { masked })[0]?.kind).toBe('masked')
})

test('the members of a call are told one by one, each by its names from the outside in', () => {
  const leaves = callLeaves({ address: { city: 'Lyon' }, tags: ['a', 'b'] }, {}, '/context', 'Context')
  expect([...leaves.values()].map(({ label, value }) => `${label}: ${value}`)).toEqual([
    'Context › Address › City: Lyon',
    'Context › Tags: a, b',
  ])
})

test('where only so many members are told, amounts go before others, in the order of the call, and the rest is counted', () => {
  const params = { order: 'A-1', city: 'Lyon', items: 3, deep: { refund: 600 }, note: 'damaged' }
  const units = { '/params/deep/refund': 'USD' }
  const leaves = [...callLeaves(params, { units }).values()]
  const { shown, left } = mainLeaves(leaves, 3)
  expect(shown.map(({ label }) => label)).toEqual(['Order', 'Items', 'Deep › Refund'])
  expect(left).toBe(2)
  expect(mainLeaves(leaves, 5)).toEqual({ shown: leaves, left: 0 })
})
