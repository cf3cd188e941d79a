import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fixedText, scientificText } from '../../src/library/double-text.ts'
import { CelDuration, CelOptional, CelTimestamp, CelTypeValue, CelUint } from '../../src/value.ts'
import type { CelValue } from '../../src/value.ts'
import { failureOf, invoke } from './calling.ts'

const formatted = (template: string, ...values: readonly CelValue[]): unknown =>
  invoke(template, 'format', values)

describe('format', () => {
  test('puts values in the places of clauses', () => {
    expect(formatted('%s pays %d of %.2f', 'ann', 3n, 7.5)).toBe('ann pays 3 of 7.50')
    expect(formatted('100%% of %s%%', true)).toBe('100% of true%')
    expect(formatted('%b %o %x %X', 5n, 64n, 255n, new CelUint(255n))).toBe('101 100 ff FF')
    expect(formatted('%x %X', 'hi', new Uint8Array([0, 171]))).toBe('6869 00AB')
    expect(formatted('%b %x', true, -30n)).toBe('1 -1e')
  })

  test('prints every kind of value, maps in the order of their names', () => {
    expect(formatted('%s', ['a', 1n, 2.5, null, [false]])).toBe('[a, 1, 2.5, null, [false]]')
    expect(formatted('%s', { b: 1, a: { c: 'x' } })).toBe('{a: {c: x}, b: 1}')
    expect(
      formatted(
        '%s',
        new Map<string | bigint, CelValue>([
          ['b', 1n],
          [2n, 'x'],
        ]),
      ),
    ).toBe('{2: x, b: 1}')
    expect(formatted('%s %s', new CelTimestamp(0n), new CelDuration(1_500_000_000n))).toBe(
      '1970-01-01T00:00:00Z 1.500s',
    )
    expect(formatted('%s %s', new CelTypeValue('int'), new Uint8Array([104, 105]))).toBe('int hi')
  })

  test('refuses values that a clause is not for', () => {
    expect(failureOf(formatted('%d', 1.5))).toBe('needs a whole number for %d')
    expect(failureOf(formatted('%d', 'a'))).toBe('needs a whole number for %d')
    expect(failureOf(formatted('%f', 1n))).toBe('needs a double for %f')
    expect(failureOf(formatted('%o', true))).toBe('needs a whole number for %o')
    expect(failureOf(formatted('%b', 'a'))).toBe('needs a whole number or a bool for %b')
    expect(failureOf(formatted('%x', 0.5))).toBe('needs a whole number, a string or bytes for %x')
    expect(failureOf(formatted('%s', new CelOptional(1n)))).toBe('cannot print an optional value')
  })

  test('refuses templates with wrong or surplus clauses', () => {
    expect(failureOf(formatted('%s %s', 'a'))).toBe('has fewer values than clauses')
    expect(failureOf(formatted('%s', 'a', 'b'))).toBe('has more values than clauses')
    expect(failureOf(formatted('%a', 'a'))).toBe('has no clause %a')
    expect(failureOf(formatted('50% off', 'a'))).toBe('has a clause that is not complete')
    expect(failureOf(formatted('%', 'a'))).toBe('has a clause that is not complete')
    expect(failureOf(formatted('%.101f', 1.5))).toBe('has a precision of more than 100')
  })

  test('ends with an error for what is nested too deep or grows too long', () => {
    let nested: CelValue = []
    for (let depth = 0; depth < 50_000; depth += 1) nested = [nested]
    expect(failureOf(formatted('%s', nested))).toBe('cannot print a value that is nested so deep')
    const large = 'a'.repeat(400_000)
    expect(failureOf(formatted('%s%s%s', large, large, large))).toBe('makes a text that is too long')
    expect(failureOf(formatted('%s', [large, large, large]))).toBe('makes a text that is too long')
  })
})

describe('digits of doubles', () => {
  test('are rounded once from the exact value, halves to the even digit', () => {
    expect(fixedText(2.5, 0)).toBe('2')
    expect(fixedText(3.5, 0)).toBe('4')
    expect(fixedText(0.125, 2)).toBe('0.12')
    expect(fixedText(1.005, 2)).toBe('1.00') // The double is a little less than 1.005.
    expect(fixedText(-1.2, 5)).toBe('-1.20000')
    expect(fixedText(1e21, 1)).toBe('1000000000000000000000.0')
    expect(fixedText(5e-324, 2)).toBe('0.00')
    expect(scientificText(1052.032911275, 6)).toBe('1.052033e+03')
    expect(scientificText(9.9996, 3)).toBe('1.000e+01')
    expect(scientificText(2.5, 0)).toBe('2e+00')
    expect(scientificText(0, 2)).toBe('0.00e+00')
    expect(scientificText(5e-324, 1)).toBe('4.9e-324')
  })

  test('agree with the host wherever no half is rounded', () => {
    fc.assert(
      fc.property(
        fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 }),
        fc.nat(15),
        (value, precision) => {
          const manyDigits = 60
          // The host rounds halves up, and is as exact otherwise.
          const digits = value.toFixed(manyDigits).split('.')[1]?.slice(precision) ?? ''
          fc.pre(!/^50*$/.test(digits))
          expect(fixedText(value, precision).replace(/^-(?=[0.]+$)/, '')).toBe(
            value.toFixed(precision).replace(/^-(?=[0.]+$)/, ''),
          )
        },
      ),
    )
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const manyDigits = 60
        fc.pre(!/^-?\d\.\d{16}50*e/.test(value.toExponential(manyDigits)))
        // The host writes small exponents with one digit.
        const host = value.toExponential(16).replace(/e([+-])(\d)$/, 'e$10$2')
        expect(scientificText(value, 16).replace('-0.0000000000000000', '0.0000000000000000')).toBe(host)
      }),
    )
  })
})
