import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { durationOf } from '../../src/library/duration.ts'
import { timestampOf } from '../../src/library/timestamp.ts'
import { CelDuration, CelTimestamp } from '../../src/value.ts'
import { call, failureOf, invoke, textOf } from './calling.ts'

const firstNanos = -62_135_596_800_000_000_000n
const lastNanos = 253_402_300_799_999_999_999n
const nanos = fc.bigInt({ min: firstNanos, max: lastNanos })
const at = (text: string): CelTimestamp => {
  const time = call('timestamp', text)
  if (time instanceof CelTimestamp) return time
  throw new Error(`${text} is not read`)
}

describe('times', () => {
  test('are read with their zone and to the nanosecond', () => {
    expect(at('1970-01-01T00:00:00Z').nanos).toBe(0n)
    expect(at('1970-01-01T02:00:00.000000001+02:00').nanos).toBe(1n)
    expect(at('1969-12-31T23:59:59.5-00:30').nanos).toBe(1_799_500_000_000n)
    expect(at('2000-02-29T12:00:00Z').nanos).toBe(BigInt(Date.UTC(2000, 1, 29, 12)) * 1_000_000n)
  })

  test('agree with the host, which knows milliseconds', () => {
    fc.assert(
      fc.property(fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 }), (ms) => {
        const text = new Date(ms).toISOString()
        expect(at(text).nanos).toBe(BigInt(ms) * 1_000_000n)
        expect(call('string', at(text))).toBe(text.replace('.000Z', 'Z'))
      }),
    )
  })

  test('are printed so that they can be read again', () => {
    fc.assert(
      fc.property(nanos, (each) => {
        const text = call('string', new CelTimestamp(each))
        expect(call('timestamp', textOf(text))).toEqual(new CelTimestamp(each))
      }),
    )
    expect(call('string', new CelTimestamp(-1n))).toBe('1969-12-31T23:59:59.999999999Z')
  })

  test.each([
    '2026-02-29T00:00:00Z', // No leap year.
    '1900-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-00-01T00:00:00Z',
    '2026-01-00T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T00:60:00Z',
    '2026-06-30T23:59:60Z',
    '2026-01-01T00:00:00',
    '2026-01-01',
    '2026-01-01 00:00:00Z',
    '2026-01-01t00:00:00z',
    '2026-01-01T00:00:00+24:00',
    '2026-01-01T00:00:00.Z',
    '2026-01-01T00:00:00.1234567890Z',
    '+2026-01-01T00:00:00Z',
    ' 2026-01-01T00:00:00Z',
    '2026-01-01T00:00:00Z\n',
    '',
  ])('%j is not a time', (text) => {
    expect(failureOf(call('timestamp', text))).toBe('is not a time such as 2026-03-29T14:30:00Z')
  })

  test('are within the years 1 to 9999, which an offset may leave', () => {
    expect(at('0001-01-01T00:00:00Z').nanos).toBe(firstNanos)
    expect(at('9999-12-31T23:59:59.999999999Z').nanos).toBe(lastNanos)
    for (const text of ['0001-01-01T00:00:00+00:01', '9999-12-31T23:59:59-00:01', '0000-06-01T00:00:00Z'])
      expect(failureOf(call('timestamp', text))).toBe('is out of the range of time: the years 1 to 9999')
    expect(call('timestamp', 1_234_567_890n)).toEqual(at('2009-02-13T23:31:30Z'))
    expect(failureOf(call('timestamp', 253_402_300_800n))).toBe(
      'is out of the range of time: the years 1 to 9999',
    )
  })

  test('become whole seconds downwards, before 1970 too', () => {
    expect(call('int', at('1970-01-01T00:00:01.9Z'))).toBe(1n)
    expect(call('int', at('1969-12-31T23:59:58.1Z'))).toBe(-2n)
  })
})

describe('durations', () => {
  test.each([
    ['0', 0n],
    ['-0', 0n],
    ['1h45m47s', 6_347_000_000_000n],
    ['-1.5h', -5_400_000_000_000n],
    ['+2m', 120_000_000_000n],
    ['.5s', 500_000_000n],
    ['1.s', 1_000_000_000n],
    ['300ms', 300_000_000n],
    ['1us1µs1μs1ns', 3001n],
    ['1.9ns', 1n],
    ['9223372036854775807ns', 2n ** 63n - 1n],
    ['-9223372036854775808ns', -(2n ** 63n)],
  ])('%s is read', (text, expected) => {
    expect(call('duration', text)).toEqual(new CelDuration(expected))
  })

  test.each([
    '',
    '1',
    '1d',
    '1 h',
    'h',
    '.s',
    '1h-1m',
    '--1s',
    '1e3s',
    '1,5h',
    '٣s',
    '1S',
    `${'0'.repeat(130)}s`,
  ])('%j is not a duration', (text) => {
    expect(failureOf(call('duration', text))).toBe('is not a duration such as 90s or 1h30m')
  })

  test('are 64-bit numbers of nanoseconds', () => {
    expect(failureOf(call('duration', '9223372036854775808ns'))).toBe('is out of the range of durations')
    expect(failureOf(call('duration', '-320000000000s'))).toBe('is out of the range of durations')
  })

  test('are printed in seconds, so that they can be read again', () => {
    expect(call('string', new CelDuration(6_347_000_000_000n))).toBe('6347s')
    expect(call('string', new CelDuration(-500_000_000n))).toBe('-0.500s')
    expect(call('string', new CelDuration(1_000_001n))).toBe('0.001000001s')
    expect(call('string', new CelDuration(1000n))).toBe('0.000001s')
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (each) => {
        expect(call('duration', textOf(call('string', new CelDuration(each))))).toEqual(new CelDuration(each))
      }),
    )
  })

  test('give the whole of themselves in a unit, but only the rest in milliseconds', () => {
    const length = new CelDuration(-3_730_321_456_789n)
    expect(invoke(length, 'getHours')).toBe(-1n)
    expect(invoke(length, 'getMinutes')).toBe(-62n)
    expect(invoke(length, 'getSeconds')).toBe(-3730n)
    expect(invoke(length, 'getMilliseconds')).toBe(-321n)
    expect(call('int', length)).toBe(-3730n)
  })
})

describe('nanoseconds', () => {
  test('make a time within the years 1 to 9999, to the last one', () => {
    expect(timestampOf(firstNanos)).toEqual(new CelTimestamp(firstNanos))
    expect(timestampOf(lastNanos)).toEqual(new CelTimestamp(lastNanos))
    for (const outside of [firstNanos - 1n, lastNanos + 1n])
      expect(failureOf(timestampOf(outside))).toBe('is out of the range of time: the years 1 to 9999')
  })

  test('make a duration within 64 bits, to the last one', () => {
    for (const inside of [-(2n ** 63n), 2n ** 63n - 1n])
      expect(durationOf(inside)).toEqual(new CelDuration(inside))
    for (const outside of [-(2n ** 63n) - 1n, 2n ** 63n])
      expect(failureOf(durationOf(outside))).toBe('is out of the range of durations')
  })
})
