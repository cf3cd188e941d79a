import type { Instant } from '../model/ids.ts'
import type { CalendarWindow, CounterWindow, TimeWindow, Weekday } from '../model/window.ts'
import { declaredOnce } from './declared-once.ts'
import type { Findings, PolicySource } from './sources.ts'
import { dayMs, slotMs, weekdayOf, ZoneClock } from './zone-clock.ts'

const weekdays: readonly Weekday[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']

/**
 * The named time windows of all files.
 *
 * @param sources the files, those that are extended before those that extend them
 */
export function declareWindows(
  sources: readonly PolicySource[],
  findings: Findings,
): ReadonlyMap<string, TimeWindow> {
  return new Map(
    declaredOnce('windows', sources, findings).map(({ name, written }) => {
      const { zone, days = weekdays, from = '00:00', to = '24:00' } = written
      return [name, timeWindow({ name, zone, days, fromMinute: minutesOf(from), toMinute: minutesOf(to) })]
    }),
  )
}

/** Minutes after midnight, of a time such as `08:00`. */
export function minutesOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number)
  return hours * 60 + minutes
}

/** A window, able to say whether an instant lies in it. */
export function timeWindow(written: Omit<TimeWindow, 'contains'>): TimeWindow {
  const { zone, days, fromMinute, toMinute } = written
  const clock = new ZoneClock(zone)
  const begins = weekdays.map((day) => days.includes(day))
  const contains = (at: Instant): boolean => {
    const local = clock.local(at)
    const minute = Math.floor((local - Math.floor(local / dayMs) * dayMs) / 60_000)
    const today = begins[weekdayOf(local)] === true
    if (toMinute > fromMinute) return today && minute >= fromMinute && minute < toMinute
    // Past midnight: the early hours belong to the day before.
    if (minute >= fromMinute) return today
    return minute < toMinute && begins[weekdayOf(local - dayMs)] === true
  }
  return { ...written, contains }
}

/** A window of a calendar, such as the current day in Berlin. */
export function calendarWindow(unit: CalendarWindow['unit'], zone: string): CalendarWindow {
  const clock = new ZoneClock(zone)
  // Midnights, too, fall on full quarters of an hour, so the start of one quarter's instants is one.
  let slot = Number.NaN
  let start = 0 as Instant
  const startOf = (now: Instant): Instant => {
    if (Math.floor(now / slotMs) !== slot) {
      start = clock.firstAt(localStart(unit, clock.local(now)))
      slot = Math.floor(now / slotMs)
    }
    return start
  }
  return { kind: 'calendar', unit, zone, startOf }
}

function localStart(unit: CalendarWindow['unit'], local: number): number {
  const midnight = Math.floor(local / dayMs) * dayMs
  if (unit === 'day') return midnight
  if (unit === 'week') return midnight - weekdayOf(local) * dayMs
  const date = new Date(local)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1)
}

/**
 * The first instant that a counter counts at `now`. A sliding window of an hour holds what happened less than an
 * hour ago.
 */
export function windowStart(window: CounterWindow, now: Instant): Instant {
  return window.kind === 'sliding' ? ((now - window.ms + 1) as Instant) : window.startOf(now)
}

/** The longest time for which something can count in a window. */
export function windowMsMax(window: CounterWindow): number {
  if (window.kind === 'sliding') return window.ms
  // Two days more than the calendar's longest: zones change their clocks, and some have changed their date.
  return ({ day: 1, week: 7, month: 31 }[window.unit] + 2) * dayMs
}
