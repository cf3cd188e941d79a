import { expect, test } from 'vitest'
import { compareAll, compareCalls, excerpts } from '../src/call-changes.ts'
import { cardFieldsOf, fieldsOf, numberText, summaryOf } from '../src/fields.ts'

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

test('two calls differ in what was changed, added and left out', () => {
  const units = { '/params/amount': 'EUR' }
  const before = { params: { amount: 40, order: 'A-1', address: { city: 'Lyon' }, code: 'X' } }
  const now = { params: { amount: 4000, order: 'A-1', address: { city: 'Rome' }, note: 'hurry' }, units }
  const { changes, same, hidden } = compareCalls(before, now)
  expect(changes.map(({ label, before: then, now: current }) => [label, then, current])).toEqual([
    ['Amount', 'EUR\u00a040.00', 'EUR\u00a04,000.00'],
    ['Address › City', 'Lyon', 'Rome'],
    ['Note', null, 'hurry'],
    ['Code', 'X', null],
  ])
  expect({ same, hidden }).toEqual({ same: 1, hidden: 0 })
})

test('what is masked in either call is not compared: equal masks say nothing', () => {
  const masked = ['/params/iban']
  const call = { params: { iban: '•••', amount: 1 } }
  expect(compareCalls({ ...call, masked }, call)).toMatchObject({ changes: [], same: 1, hidden: 1 })
  expect(compareCalls(call, { ...call, masked })).toMatchObject({ changes: [], same: 1, hidden: 1 })
})

test('of long texts the table shows where they begin to differ', () => {
  const same = 'x'.repeat(1000)
  const [before, now] = excerpts(`${same}1 euro`, `${same}9 euro`)
  expect(before).toContain('1 euro')
  expect(now).toContain('9 euro')
  expect(before.length).toBeLessThan(200)
  expect(excerpts('a', 'b')).toEqual(['a', 'b'])
})

test('of several calls nothing is left out: what is the same in all, and what is not, in parameters and context', () => {
  const call = (amount: number, more: object = {}) => ({
    params: { amount, city: 'Lyon', ...more },
    context: { desk: 'A' },
  })
  const { same, differing } = compareAll([call(1), call(2, { note: 'hurry' }), { ...call(2), context: {} }])
  expect(same.map(({ label, values }) => [label, values[0]])).toEqual([['City', 'Lyon']])
  expect(differing.map(({ label, values }) => [label, values])).toEqual([
    ['Amount', ['1', '2', '2']],
    ['Context › Desk', ['A', 'A', null]],
    ['Note', [null, 'hurry', null]],
  ])
})

test('of several calls, what is masked in one of them is never said to be the same', () => {
  const call = { params: { iban: '•••' }, context: {} }
  const { same, differing } = compareAll([{ ...call, masked: ['/params/iban'] }, call])
  expect(same).toEqual([])
  expect(differing).toMatchObject([{ label: 'Iban', isMasked: true }])
})
