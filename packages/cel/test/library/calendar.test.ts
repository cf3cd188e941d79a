import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CelDuration, CelTimestamp } from '../../src/value.ts'
import { call, failureOf, invoke } from './calling.ts'

const at = (text: string): CelTimestamp => {
  const time = call('timestamp', text)
  if (time instanceof CelTimestamp) return time
  throw new Error(`${text} is not read`)
}
const hourMs = 3_600_000

describe('what a calendar shows', () => {
  test('in UTC, without asking for the zone of the machine', () => {
    const time = at('2026-03-29T02:30:15.250Z')
    expect(invoke(time, 'getFullYear')).toBe(2026n)
    expect(invoke(time, 'getMonth')).toBe(2n)
    expect(invoke(time, 'getDate')).toBe(29n)
    expect(invoke(time, 'getDayOfMonth')).toBe(28n)
    expect(invoke(time, 'getDayOfWeek')).toBe(0n)
    expect(invoke(time, 'getDayOfYear')).toBe(87n)
    expect(invoke(time, 'getHours')).toBe(2n)
    expect(invoke(time, 'getMinutes')).toBe(30n)
    expect(invoke(time, 'getSeconds')).toBe(15n)
    expect(invoke(time, 'getMilliseconds')).toBe(250n)
  })

  test.each([
    // Clocks in Berlin went from 2 to 3 o'clock at 01:00 UTC, and back from 3 to 2 in October.
    ['2026-03-29T00:59:59Z', 'Europe/Berlin', 1n],
    ['2026-03-29T01:00:00Z', 'Europe/Berlin', 3n],
    ['2026-10-25T00:30:00Z', 'Europe/Berlin', 2n],
    ['2026-10-25T01:30:00Z', 'Europe/Berlin', 2n],
    ['2026-03-08T06:59:59Z', 'America/New_York', 1n],
    ['2026-03-08T07:00:00Z', 'America/New_York', 3n],
    ['2026-01-01T00:00:00Z', '-00:30', 23n],
    ['2026-01-01T23:30:00Z', '02:00', 1n],
    ['2026-01-01T00:00:00Z', 'UTC', 0n],
  ])('at %s in %s is hour %s', (text, zone, hour) => {
    expect(invoke(at(text), 'getHours', zone)).toBe(hour)
  })

  test('agrees with the host in every zone of a sample', () => {
    const zones = fc.constantFrom(
      'Europe/Berlin',
      'America/St_Johns',
      'Asia/Kathmandu',
      'Pacific/Apia',
      'Africa/Cairo',
    )
    fc.assert(
      fc.property(fc.integer({ min: -2_000_000_000, max: 4_000_000_000 }), zones, (seconds, zone) => {
        const time = new CelTimestamp(BigInt(seconds) * 1_000_000_000n)
        const shown = new Date(seconds * 1000).toLocaleString('sv-SE', { timeZone: zone })
        const [date = '', clock = ''] = shown.split(' ')
        expect(call('date', time, zone)).toBe(date)
        expect(invoke(time, 'getHours', zone)).toBe(BigInt(clock.slice(0, 2)))
        expect(invoke(time, 'getMinutes', zone)).toBe(BigInt(clock.slice(3, 5)))
        expect(invoke(time, 'getSeconds', zone)).toBe(BigInt(clock.slice(6, 8)))
        const [year = 0, month = 0, day = 0] = date.split('-').map(Number)
        const noon = Date.UTC(year, month - 1, day, 12)
        expect(invoke(time, 'getDayOfWeek', zone)).toBe(BigInt(new Date(noon).getUTCDay()))
        expect(invoke(time, 'getDayOfYear', zone)).toBe(
          BigInt(Math.floor((noon - Date.UTC(year, 0, 1)) / (24 * hourMs))),
        )
      }),
    )
  })

  test('holds at both ends of time, where a zone shows another year', () => {
    expect(invoke(at('0001-01-01T00:00:00Z'), 'getFullYear', '-01:00')).toBe(0n)
    expect(invoke(at('0001-01-01T00:00:00Z'), 'getFullYear', 'America/New_York')).toBe(0n)
    expect(invoke(at('0099-06-01T00:00:00Z'), 'getFullYear')).toBe(99n)
    expect(invoke(at('9999-12-31T23:30:00Z'), 'getFullYear', '+01:00')).toBe(10_000n)
    expect(invoke(at('0004-12-31T00:00:00Z'), 'getDayOfYear')).toBe(365n)
  })

  test('is an error in a zone that does not exist', () => {
    for (const zone of [
      'Europe/Nowhere',
      '',
      '+25:00',
      '+02',
      '+2:00',
      '+02:60',
      'Europe/Berlin ',
      'a'.repeat(70),
    ])
      expect(failureOf(invoke(at('2026-01-01T00:00:00Z'), 'getHours', zone))).toBe(
        'is not a time zone such as Europe/Berlin or +02:00',
      )
  })
})

describe('the calendar in words of policies', () => {
  test('date is the day that a zone has', () => {
    expect(call('date', at('2026-02-28T23:30:00Z'), 'UTC')).toBe('2026-02-28')
    expect(call('date', at('2026-02-28T23:30:00Z'), 'Europe/Berlin')).toBe('2026-03-01')
    expect(call('date', at('0042-01-01T00:00:00Z'), 'UTC')).toBe('0042-01-01')
  })

  test('timeOfDay is what the clock shows, also on a day of 23 hours', () => {
    expect(call('timeOfDay', at('2026-03-29T01:00:00.000000001Z'), 'Europe/Berlin')).toEqual(
      new CelDuration(3n * 3_600_000_000_000n + 1n),
    )
    expect(call('timeOfDay', at('1969-12-31T23:59:59.999999999Z'), 'UTC')).toEqual(
      new CelDuration(86_399_999_999_999n),
    )
  })

  test('isWeekday is Monday to Friday in that zone', () => {
    expect(call('isWeekday', at('2026-03-27T12:00:00Z'), 'UTC')).toBe(true)
    expect(call('isWeekday', at('2026-03-28T12:00:00Z'), 'UTC')).toBe(false)
    expect(call('isWeekday', at('2026-03-29T23:30:00Z'), 'UTC')).toBe(false)
    expect(call('isWeekday', at('2026-03-29T23:30:00Z'), '+02:00')).toBe(true)
  })
})
