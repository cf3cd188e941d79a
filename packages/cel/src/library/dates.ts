import { CelDuration } from '../value.ts'
import type { CelTimestamp } from '../value.ts'
import { wallDate, zoneArgument } from './calendar.ts'
import type { LibraryFunction, LibraryType } from './entry.ts'
import { free } from './forms.ts'
import type { Zone } from './zone.ts'

const nanosPerMs = 1_000_000n

/** A function of a time and a zone. The zone has to be given: a date without one is a different day for half the world. */
function inZone(
  name: string,
  result: LibraryType,
  call: (time: CelTimestamp, zone: Zone) => string | boolean | CelDuration,
): LibraryFunction {
  return free(name, ['timestamp', 'string'], result, call, {
    literal: { arg: 1, use: 'checked' },
    ...zoneArgument,
    // East of Greenwich the last hours of the year 9999 have a year of five digits.
    resultSize: () => 11,
  })
}

function dateText(time: CelTimestamp, zone: Zone): string {
  const wall = wallDate(time, zone)
  const padded = (part: number, digits: number): string => String(part).padStart(digits, '0')
  return `${padded(wall.getUTCFullYear(), 4)}-${padded(wall.getUTCMonth() + 1, 2)}-${padded(wall.getUTCDate(), 2)}`
}

function timeOfDay(time: CelTimestamp, zone: Zone): CelDuration {
  const wall = wallDate(time, zone)
  const minutes = wall.getUTCHours() * 60 + wall.getUTCMinutes()
  const ms = (minutes * 60 + wall.getUTCSeconds()) * 1000 + wall.getUTCMilliseconds()
  return new CelDuration(BigInt(ms) * nanosPerMs + (((time.nanos % nanosPerMs) + nanosPerMs) % nanosPerMs))
}

function isWeekday(time: CelTimestamp, zone: Zone): boolean {
  const day = wallDate(time, zone).getUTCDay()
  return day >= 1 && day <= 5
}

/**
 * The calendar in words of policies: `date(now, 'Europe/Berlin') == '2026-03-01'`, `timeOfDay(now, 'UTC') <
 * duration('9h')` (what the clock shows), `isWeekday(now, '+02:00')` (Monday to Friday).
 */
export const dateFunctions: readonly LibraryFunction[] = [
  inZone('date', 'string', dateText),
  inZone('timeOfDay', 'duration', timeOfDay),
  inZone('isWeekday', 'bool', isWeekday),
]
