import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fits } from '../../src/decision/fits.ts'

describe('an amount beside what was used', () => {
  test.each([
    [0.1, 0.2, 0.3],
    [0.2, 0.1, 0.3],
    [1999.9, 0.1, 2000],
    [0, 0, 0],
    [0.3, 0, 0.3],
    [5e-324, 0, 5e-324],
    [0, 1.7976931348623157e308, 1.7976931348623157e308],
  ])('%d and %d fit into %d', (before, amount, max) => expect(fits(before, amount, max)).toBe(true))

  test.each([
    [0.1, 0.21, 0.3],
    [0.3, 1e-20, 0.3],
    [2000, 1e-300, 2000],
    [0, 5e-324, 0],
    [2 ** 53, 1, 2 ** 53],
    [1e308, 1e308, 1.7976931348623157e308],
    [Infinity, 0, 5],
    [Infinity, 1, 1.7976931348623157e308],
  ])('%d and %d do not fit into %d', (before, amount, max) => expect(fits(before, amount, max)).toBe(false))

  test('is judged by the cent, whatever the doubles make of it', () => {
    const cents = fc.integer({ min: 0, max: 1_000_000 })
    fc.assert(
      fc.property(cents, cents, fc.integer({ min: -2, max: 2 }), (before, amount, more) => {
        const max = Math.max(0, before + amount + more)
        expect(fits(before / 100, amount / 100, max / 100)).toBe(before + amount <= max)
      }),
    )
  })
})
