import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Instant } from '../../src/model/ids.ts'
import type { TimeWindow, Weekday } from '../../src/model/window.ts'
import { calendarWindow, timeWindow, windowStart } from '../../src/policy/windows.ts'

const at = (text: string) => Date.parse(text) as Instant
const workdays: readonly Weekday[] = ['mon', 'tue', 'wed', 'thu', 'fri']

function window(zone: string, days: readonly Weekday[], fromMinute: number, toMinute: number): TimeWindow {
  return timeWindow({ name: 'w', zone, days, fromMinute, toMinute })
}

describe('a window', () => {
  const office = window('Europe/Berlin', workdays, 8 * 60, 18 * 60)

  test.each([
    ['its first minute', '2026-01-05T07:00:00Z', true],
    ['the minute before', '2026-01-05T06:59:59.999Z', false],
    ['its last millisecond', '2026-01-05T16:59:59.999Z', true],
    ['its end', '2026-01-05T17:00:00Z', false],
    ['the same clock time in summer', '2026-07-06T06:00:00Z', true],
    ['a Saturday', '2026-01-10T12:00:00Z', false],
    ['a Friday', '2026-01-09T12:00:00Z', true],
  ])('knows of %s', (_, text, inside) => {
    expect(office.contains(at(text))).toBe(inside)
  })

  test('past midnight belongs to the day on which it begins', () => {
    const night = window('UTC', ['fri'], 22 * 60, 6 * 60)
    expect(night.contains(at('2026-01-09T23:00:00Z'))).toBe(true)
    expect(night.contains(at('2026-01-10T05:59:00Z'))).toBe(true)
    expect(night.contains(at('2026-01-10T06:00:00Z'))).toBe(false)
    expect(night.contains(at('2026-01-09T05:00:00Z'))).toBe(false)
    expect(night.contains(at('2026-01-10T23:00:00Z'))).toBe(false)
  })

  test('of whole days has all of their minutes', () => {
    const day = window('Asia/Kolkata', ['mon'], 0, 24 * 60)
    expect(day.contains(at('2026-01-04T18:30:00Z'))).toBe(true)
    expect(day.contains(at('2026-01-04T18:29:59Z'))).toBe(false)
    expect(day.contains(at('2026-01-05T18:29:59Z'))).toBe(true)
    expect(day.contains(at('2026-01-05T18:30:00Z'))).toBe(false)
  })

  test('agrees with the clocks of its zone at any time, in any order of asking', () => {
    const zones = [
      'Europe/Berlin',
      'America/New_York',
      'Asia/Kathmandu',
      'Australia/Lord_Howe',
      'Pacific/Apia',
      'UTC',
    ]
    const instant = fc.integer({ min: at('2000-01-01T00:00:00Z'), max: at('2040-01-01T00:00:00Z') })
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.array(instant, { minLength: 1, maxLength: 8 }),
        (zone, instants) => {
          const asked = window(zone, ['mon'], 0, 24 * 60)
          for (const now of instants) {
            const day = new Intl.DateTimeFormat('en', { timeZone: zone, weekday: 'short' }).format(now)
            expect(asked.contains(now as Instant)).toBe(day === 'Mon')
          }
        },
      ),
      { numRuns: 200 },
    )
  })
})

describe('the window of a counter', () => {
  test('that slides begins just after what is as old as it is long', () => {
    expect(windowStart({ kind: 'sliding', ms: 60_000 }, 100_000 as Instant)).toBe(40_001)
  })

  test.each([
    ['day', 'Europe/Berlin', '2026-01-05T10:00:00Z', '2026-01-04T23:00:00Z'],
    ['day', 'Europe/Berlin', '2026-01-05T22:59:59.999Z', '2026-01-04T23:00:00Z'],
    ['day', 'Europe/Berlin', '2026-01-05T23:00:00Z', '2026-01-05T23:00:00Z'],
    ['day', 'Europe/Berlin', '2026-03-29T12:00:00Z', '2026-03-28T23:00:00Z'],
    ['day', 'Europe/Berlin', '2026-10-25T23:30:00Z', '2026-10-25T23:00:00Z'],
    ['week', 'Europe/Berlin', '2026-01-11T12:00:00Z', '2026-01-04T23:00:00Z'],
    ['week', 'America/New_York', '2026-01-12T04:59:59Z', '2026-01-05T05:00:00Z'],
    ['month', 'America/New_York', '2026-03-31T23:00:00Z', '2026-03-01T05:00:00Z'],
    ['month', 'America/New_York', '2026-04-01T03:59:59Z', '2026-03-01T05:00:00Z'],
    ['month', 'UTC', '2026-12-31T23:59:59.999Z', '2026-12-01T00:00:00Z'],
    // In Beirut, midnight is skipped when summer begins.
    ['day', 'Asia/Beirut', '2026-03-29T10:00:00Z', '2026-03-28T22:00:00Z'],
  ] as const)('of a %s in %s at %s begins at %s', (unit, zone, now, start) => {
    expect(new Date(windowStart(calendarWindow(unit, zone), at(now)))).toEqual(new Date(start))
  })

  test('of a calendar begins no later than now, and its beginning begins at itself', () => {
    const instant = fc.integer({ min: at('2000-01-01T00:00:00Z'), max: at('2040-01-01T00:00:00Z') })
    const zone = fc.constantFrom('Europe/Berlin', 'America/Sao_Paulo', 'Asia/Beirut', 'Australia/Lord_Howe')
    fc.assert(
      fc.property(fc.constantFrom('day', 'week', 'month'), zone, instant, (unit, name, now) => {
        const counted = calendarWindow(unit, name)
        const start = windowStart(counted, now as Instant)
        expect(start).toBeLessThanOrEqual(now)
        expect(windowStart(counted, start)).toBe(start)
        expect(windowStart(counted, (start - 1) as Instant)).toBeLessThan(start)
      }),
      { numRuns: 200 },
    )
  })
})
