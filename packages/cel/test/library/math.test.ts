import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CelUint } from '../../src/value.ts'
import type { CelValue } from '../../src/value.ts'
import { call, failureOf } from './calling.ts'

const int = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
const uint = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })

describe('rounding', () => {
  test('halves go away from zero', () => {
    expect([-2.5, -1.5, -0.4, 0.5, 1.5, 2.5].map((value) => call('math.round', value))).toEqual([
      -3, -2, -0, 1, 2, 3,
    ])
    expect(call('math.round', 0.499_999_999_999_999_94)).toBe(0)
    expect(call('math.round', 2_251_799_813_685_249.5)).toBe(2_251_799_813_685_250)
  })

  test('what is not finite stays as it is, and can be asked for', () => {
    for (const name of ['math.round', 'math.trunc', 'math.ceil', 'math.floor', 'math.abs']) {
      expect(call(name, Number.NaN)).toBeNaN()
      expect(call(name, Infinity)).toBe(Infinity)
    }
    expect(call('math.isNaN', Number.NaN)).toBe(true)
    expect(call('math.isNaN', Infinity)).toBe(false)
    expect(call('math.isInf', -Infinity)).toBe(true)
    expect(call('math.isInf', Number.NaN)).toBe(false)
    expect(call('math.isFinite', 1e308)).toBe(true)
    expect(call('math.isFinite', Infinity)).toBe(false)
  })
})

describe('sizes and signs', () => {
  test('the smallest whole number has no positive counterpart', () => {
    expect(call('math.abs', -5n)).toBe(5n)
    expect(failureOf(call('math.abs', -(2n ** 63n)))).toBe('is out of the range of whole numbers')
    expect(call('math.sign', -7n)).toBe(-1n)
    expect(call('math.sign', new CelUint(7n))).toEqual(new CelUint(1n))
    expect(call('math.sign', -0.5)).toBe(-1)
    expect(call('math.sqrt', 2n)).toBe(Math.SQRT2)
    expect(call('math.sqrt', new CelUint(9n))).toBe(3)
    expect(failureOf(call('math.sqrt', -1))).toBe('needs a number that is not negative')
    expect(failureOf(call('math.sqrt', -4n))).toBe('needs a number that is not negative')
  })
})

describe('greatest and least', () => {
  test('compare numbers of all kinds by value, beyond what a double can hold', () => {
    const most = 2n ** 63n - 1n
    expect(call('math.greatest', most, 9_223_372_036_854_774_000)).toBe(most)
    expect(call('math.greatest', 2n ** 53n + 1n, 2 ** 53)).toBe(2n ** 53n + 1n)
    expect(call('math.least', [2n ** 53n + 1n, 2 ** 53])).toBe(2 ** 53)
    expect(call('math.greatest', new CelUint(5n), -7n)).toEqual(new CelUint(5n))
    expect(call('math.least', 3, 1, 2)).toBe(1)
  })

  test('are the ends of the sorted list', () => {
    fc.assert(
      fc.property(fc.array(int, { minLength: 1, maxLength: 6 }), (values) => {
        const sorted = [...values].sort((a, b) => Number(a > b) - Number(a < b))
        expect(call('math.least', ...values)).toBe(sorted[0])
        expect(call('math.greatest', values)).toBe(sorted.at(-1))
      }),
    )
  })

  test('are an error of no number, and of what cannot be ordered', () => {
    const values: readonly (readonly CelValue[])[] = [['a'], [1n, 'a'], [1, Number.NaN], [[1n, null]]]
    for (const each of values)
      expect(failureOf(call('math.greatest', ...each))).toBe('needs numbers that can be ordered')
    expect(failureOf(call('math.least', []))).toBe('needs at least one number')
  })
})

describe('bits', () => {
  test('are 64, in two’s complement for whole numbers with a sign', () => {
    fc.assert(
      fc.property(int, int, (left, right) => {
        expect(call('math.bitAnd', left, right)).toBe(left & right)
        expect(call('math.bitOr', left, right)).toBe(left | right)
        expect(call('math.bitXor', left, right)).toBe(left ^ right)
        expect(call('math.bitNot', left)).toBe(-left - 1n)
      }),
    )
    fc.assert(
      fc.property(uint, (value) => {
        expect(call('math.bitNot', new CelUint(value))).toEqual(new CelUint(2n ** 64n - 1n - value))
      }),
    )
  })

  test('shift with zeros, and by at most 63 places', () => {
    fc.assert(
      fc.property(uint, fc.bigInt({ min: 0n, max: 70n }), (value, by) => {
        expect(call('math.bitShiftLeft', new CelUint(value), by)).toEqual(
          new CelUint((value << by) % 2n ** 64n),
        )
        expect(call('math.bitShiftRight', new CelUint(value), by)).toEqual(new CelUint(value >> by))
      }),
    )
    expect(call('math.bitShiftRight', -1n, 1n)).toBe(2n ** 63n - 1n)
    expect(call('math.bitShiftLeft', 1n, 63n)).toBe(-(2n ** 63n))
    expect(failureOf(call('math.bitShiftLeft', 1n, -1n))).toBe('needs a shift that is not negative')
  })
})
