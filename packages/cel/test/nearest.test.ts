import fc from 'fast-check'
import { expect, test } from 'vitest'
import { nearest } from '../src/index.ts'

test('a misspelled name finds the name it was meant to be', () => {
  const names = ['refund_amount', 'region', 'is_vip']
  expect(nearest('refund_amout', names)).toBe('refund_amount')
  expect(nearest('refund_amonut', names)).toBe('refund_amount')
  expect(nearest('regoin', names)).toBe('region')
  expect(nearest('Region', names)).toBe('region')
  expect(nearest('isvip', names)).toBe('is_vip')
})

test('a name that is like no other finds none', () => {
  expect(nearest('shipping_country', ['refund_amount', 'region'])).toBeUndefined()
  expect(nearest('x', ['y', 'z'])).toBeUndefined()
  expect(nearest('region', ['region'])).toBeUndefined()
  expect(nearest('region', [])).toBeUndefined()
})

test('swapped neighbours are nearer than two other mistakes', () => {
  expect(nearest('abdc', ['axyc', 'abcd'])).toBe('abcd')
})

test('giving up early on what is far never changes the answer', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 12 })
  fc.assert(
    fc.property(word, word, (name, candidate) => {
      const distance = distanceOf(name, candidate)
      const isNear =
        name !== candidate &&
        distance <= Math.max(1, Math.floor(name.length / 3)) &&
        distance < Math.max(name.length, candidate.length)
      expect(nearest(name, [candidate])).toBe(isNear ? candidate : undefined)
    }),
    { numRuns: 2000 },
  )
})

/** The whole table, as the textbook fills it. */
function distanceOf(from: string, to: string): number {
  const table = Array.from({ length: from.length + 1 }, (_, row) =>
    Array.from({ length: to.length + 1 }, (__, column) => (row === 0 ? column : row)),
  )
  const cell = (row: number, column: number): number => table[row]?.[column] ?? Number.POSITIVE_INFINITY
  for (let row = 1; row <= from.length; row++) {
    for (let column = 1; column <= to.length; column++) {
      const replaced = cell(row - 1, column - 1) + (from[row - 1] === to[column - 1] ? 0 : 1)
      const isSwap = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      const swapped = row > 1 && column > 1 && isSwap ? cell(row - 2, column - 2) + 1 : replaced
      const least = Math.min(cell(row - 1, column) + 1, cell(row, column - 1) + 1, replaced, swapped)
      table[row]?.splice(column, 1, least)
    }
  }
  return cell(from.length, to.length)
}
