import type { BusinessHours } from '../model/decision.ts'
import type { Instant } from '../model/ids.ts'
import { approvalOpenMsMax } from '../model/limits.ts'
import { dayMs, weekdayOf, ZoneClock } from '../policy/zone-clock.ts'
import type { Weekday } from '../model/window.ts'

const weekdays: readonly Weekday[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']
const minuteMs = 60_000

/**
 * The instant when an approval that was opened at `from` has waited for `ms`. With `hours`, only the time within them
 * counts: outside of them its clock stands still. Never later than 90 days after `from`.
 */
export function instantAfter(from: Instant, ms: number, hours: BusinessHours | undefined): Instant {
  const latest = (from + approvalOpenMsMax) as Instant
  if (hours === undefined) return Math.min(from + ms, latest) as Instant
  let left = ms
  for (const [opens, closes] of openSpans(from, hours)) {
    if (opens >= latest) return latest
    if (closes - opens >= left) return Math.min(opens + left, latest) as Instant
    left -= closes - opens
  }
  return latest
}

// One span for each day that has one, in order, as far as an approval may wait; each begins where the one before has ended,
// or later.
function* openSpans(from: Instant, hours: BusinessHours): Generator<readonly [number, number]> {
  const clock = new ZoneClock(hours.zone)
  const { fromMinute, toMinute } = hours
  const length = toMinute > fromMinute ? toMinute - fromMinute : toMinute - fromMinute + dayMs / minuteMs
  const today = Math.floor(clock.local(from) / dayMs) * dayMs
  let passed: number = from
  // What began the day before may go on.
  for (let midnight = today - dayMs; midnight < today + approvalOpenMsMax + 2 * dayMs; midnight += dayMs) {
    const day = weekdays[weekdayOf(midnight)]
    if (day === undefined || !hours.days.includes(day)) continue
    const begins = midnight + fromMinute * minuteMs
    const ends = begins + length * minuteMs
    const [first, closes] = [clock.firstAt(begins), clock.firstAt(ends)]
    const opens = Math.max(first, passed)
    if (closes <= opens) continue
    passed = closes
    if (closes - first === ends - begins) yield [opens, closes]
    else yield* partsWithin(clock, [opens, closes], [begins, ends])
  }
}

// Where clocks are changed meanwhile, a time of day may be left out, or come twice with another one in between.
function* partsWithin(
  clock: ZoneClock,
  [opens, closes]: readonly [number, number],
  [begins, ends]: readonly [number, number],
): Generator<readonly [number, number]> {
  let start: number | undefined
  for (let each = opens; each < closes; each = (Math.floor(each / minuteMs) + 1) * minuteMs) {
    const local = clock.local(each)
    const isWithin = local >= begins && local < ends
    if (isWithin) start ??= each
    else if (start !== undefined) {
      yield [start, each]
      start = undefined
    }
  }
  if (start !== undefined) yield [start, closes]
}
