import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { instantAfter } from '../../src/approval/hours.ts'
import type { BusinessHours } from '../../src/model/decision.ts'
import type { Instant } from '../../src/model/ids.ts'
import { approvalOpenMsMax } from '../../src/model/limits.ts'
import { timeWindow } from '../../src/policy/windows.ts'

const at = (text: string) => Date.parse(text) as Instant
const hour = 3_600_000
const minute = 60_000
const office: BusinessHours = {
  zone: 'Europe/Berlin',
  days: ['mon', 'tue', 'wed', 'thu', 'fri'],
  fromMinute: 9 * 60,
  toMinute: 17 * 60,
}

describe('business hours', () => {
  test.each([
    // A Tuesday in winter: Berlin is an hour ahead of UTC.
    ['2026-01-13T09:00:00Z', hour, '2026-01-13T10:00:00Z'],
    ['2026-01-13T15:30:00Z', hour, '2026-01-14T08:30:00Z'],
    ['2026-01-13T05:00:00Z', hour, '2026-01-13T09:00:00Z'],
    // From Friday afternoon to Monday morning.
    ['2026-01-16T15:59:00Z', 2 * minute, '2026-01-19T08:01:00Z'],
    ['2026-01-17T12:00:00Z', minute, '2026-01-19T08:01:00Z'],
    // Closes at 17:00; what is due just then is due then, and not the next morning.
    ['2026-01-13T15:00:00Z', hour, '2026-01-13T16:00:00Z'],
    // Over the night in which summer time begins, March 29, and over the one in which it ends, October 25.
    ['2026-03-27T15:00:00Z', 2 * hour, '2026-03-30T08:00:00Z'],
    ['2026-10-23T14:00:00Z', 2 * hour, '2026-10-26T09:00:00Z'],
  ])('from %s, %i ms within office hours in Berlin end at %s', (from, ms, end) => {
    expect(new Date(instantAfter(at(from), ms, office)).toISOString()).toBe(new Date(at(end)).toISOString())
  })

  const night: BusinessHours = { ...office, days: ['sat'], fromMinute: 22 * 60, toMinute: 6 * 60 }
  test.each([
    // The night to March 29 is an hour shorter, the one to October 25 an hour longer.
    ['2026-03-28T20:00:00Z', 7 * hour, '2026-03-29T04:00:00Z'],
    ['2026-10-24T19:00:00Z', 9 * hour, '2026-10-25T05:00:00Z'],
  ])(
    'a night from 22:00 to 06:00 is as long as its clocks let it be: from %s, %i ms end at %s',
    (from, ms, end) => {
      expect(instantAfter(at(from), ms, night)).toBe(at(end))
    },
  )

  test('without hours, time runs on', () => {
    expect(instantAfter(at('2026-01-17T12:00:00Z'), hour, undefined)).toBe(at('2026-01-17T13:00:00Z'))
  })

  test('nothing waits longer than 90 days, however narrow the hours', () => {
    const narrow = { ...office, days: ['mon'] as const, fromMinute: 0, toMinute: 1 }
    const from = at('2026-01-13T09:00:00Z')
    expect(instantAfter(from, 10 * hour, narrow)).toBe(from + approvalOpenMsMax)
  })

  const zones = ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'UTC']
  const someHours = fc.record({
    zone: fc.constantFrom(...zones),
    days: fc.subarray(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const, { minLength: 1 }),
    // Clocks are changed between midnight and four; a window that begins or ends there has more than one reading.
    fromMinute: fc.integer({ min: 16, max: 47 }).map((quarter) => quarter * 15),
    toMinute: fc.integer({ min: 48, max: 95 }).map((quarter) => quarter * 15),
    turned: fc.boolean(),
  })
  const hoursOf = ({
    turned,
    fromMinute,
    toMinute,
    ...rest
  }: typeof someHours extends fc.Arbitrary<infer T> ? T : never) =>
    turned ? { ...rest, fromMinute: toMinute, toMinute: fromMinute } : { ...rest, fromMinute, toMinute }

  test('exactly the time within them counts, also over days on which clocks are changed', () => {
    // Around the changes of 2026, in quarters of an hour.
    const starts = ['2026-03-06', '2026-03-27', '2026-04-03', '2026-10-02', '2026-10-23', '2026-10-30']
    const start = fc
      .tuple(fc.constantFrom(...starts), fc.integer({ min: 0, max: 4 * 24 * 3 }))
      .map(([day, quarters]) => (at(`${day}T00:00:00Z`) + quarters * 15 * minute) as Instant)
    const quarters = fc.integer({ min: 1, max: 60 })
    fc.assert(
      fc.property(someHours, start, quarters, (written, from, count) => {
        const hours = hoursOf(written)
        const end = instantAfter(from, count * 15 * minute, hours)
        // Narrow hours end at the longest that anything waits.
        fc.pre(end < from + approvalOpenMsMax)
        const window = timeWindow({ name: 'w', ...hours })
        let counted = 0
        for (let each: number = from; each < end; each += 15 * minute)
          if (window.contains(each as Instant)) counted += 1
        expect(counted).toBe(count)
        // The last quarter of them ends there: not a moment too late.
        expect(window.contains((end - 1) as Instant)).toBe(true)
      }),
      { numRuns: 150 },
    )
  })

  test('the hour between two that are the same time of day does not count', () => {
    // In Berlin, 02:15 to 03:00 comes twice on this night, and 02:00 to 02:15 in between.
    const hours: BusinessHours = { ...office, days: ['sun'], fromMinute: 135, toMinute: 180 }
    const from = at('2026-10-24T12:00:00Z')
    expect(instantAfter(from, 45 * minute, hours)).toBe(at('2026-10-25T01:00:00Z'))
    expect(instantAfter(from, 60 * minute, hours)).toBe(at('2026-10-25T01:30:00Z'))
    expect(instantAfter(from, 90 * minute, hours)).toBe(at('2026-10-25T02:00:00Z'))
  })

  test('later is never earlier', () => {
    const from = at('2026-10-23T00:00:00Z')
    const span = fc.integer({ min: 1, max: 200 * hour })
    fc.assert(
      fc.property(someHours, span, span, (written, one, other) => {
        const hours = hoursOf(written)
        const [short, long] = [Math.min(one, other), Math.max(one, other)]
        expect(instantAfter(from, short, hours)).toBeLessThanOrEqual(instantAfter(from, long, hours))
      }),
    )
  })
})
