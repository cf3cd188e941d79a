/** A point in time as a calendar and a clock on the wall show it. */
export interface CalendarParts {
  readonly year: number
  /** 1 to 12. */
  readonly month: number
  /** 1 to 31. */
  readonly day: number
  /** 0 is Sunday. */
  readonly dayOfWeek: number
  /** 0 is the first of January. */
  readonly dayOfYear: number
  readonly hour: number
  readonly minute: number
  readonly second: number
  readonly millisecond: number
}

const fixedOffset = /^([+-]?)(\d\d):(\d\d)$/
const dayMs = 24 * 60 * 60 * 1000

/**
 * What a calendar shows in a zone: `UTC`, an offset such as `+02:00`, or a name such as `Europe/Berlin`.
 *
 * @throws a RangeError for an unknown zone
 */
export function calendarParts(
  time: { readonly seconds: bigint; readonly nanos: number },
  zone: string,
): CalendarParts {
  const at = Number(time.seconds) * 1000 + Math.floor(time.nanos / 1_000_000)
  // A date whose UTC fields show the time on the zone's wall: its own zone is never asked.
  const wall = new Date(at + offsetMs(at, zone))
  const year = wall.getUTCFullYear()
  const newYear = new Date(0)
  newYear.setUTCFullYear(year, 0, 1)
  return {
    year,
    month: wall.getUTCMonth() + 1,
    day: wall.getUTCDate(),
    dayOfWeek: wall.getUTCDay(),
    dayOfYear: Math.floor((wall.getTime() - newYear.getTime()) / dayMs),
    hour: wall.getUTCHours(),
    minute: wall.getUTCMinutes(),
    second: wall.getUTCSeconds(),
    millisecond: wall.getUTCMilliseconds(),
  }
}

function offsetMs(at: number, zone: string): number {
  if (zone === 'UTC' || zone === 'Z') return 0
  const fixed = fixedOffset.exec(zone)
  if (fixed !== null) {
    const minutes = Number(fixed[2]) * 60 + Number(fixed[3])
    return (fixed[1] === '-' ? -minutes : minutes) * 60_000
  }
  return namedOffsetMs(at, zone)
}

function namedOffsetMs(at: number, zone: string): number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  const shown = new Map(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]))
  const part = (type: Intl.DateTimeFormatPartTypes): number => shown.get(type) ?? Number.NaN
  const wall = new Date(0)
  wall.setUTCFullYear(part('year'), part('month') - 1, part('day'))
  wall.setUTCHours(part('hour'), part('minute'), part('second'))
  return wall.getTime() - Math.floor(at / 1000) * 1000
}
