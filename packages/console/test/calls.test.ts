import type { CallLeaf } from '@bailiwick/core/words'
import { expect, test } from 'vitest'
import { compareAll, compareCalls, excerpts } from '../src/call-changes.ts'

const valueOf = (leaf: CallLeaf | null | undefined): string | null => leaf?.value ?? null

test('two calls differ in what was changed, added and left out', () => {
  const units = { '/params/amount': 'EUR' }
  const before = { params: { amount: 40, order: 'A-1', address: { city: 'Lyon' }, code: 'X' } }
  const now = { params: { amount: 4000, order: 'A-1', address: { city: 'Rome' }, note: 'hurry' }, units }
  const { changes, same, hidden } = compareCalls(before, now)
  expect(
    changes.map(({ label, before: then, now: current }) => [label, valueOf(then), valueOf(current)]),
  ).toEqual([
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
  expect(same.map(({ label, leaves: [first] }) => [label, valueOf(first)])).toEqual([['City', 'Lyon']])
  expect(differing.map(({ label, leaves }) => [label, leaves.map(valueOf)])).toEqual([
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
