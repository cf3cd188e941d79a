import { CelFailure } from '../value.ts'
import type { CelValue } from '../value.ts'

/** A time zone: how far its clocks are ahead of UTC, in milliseconds, at a time in milliseconds since 1970. */
export interface Zone {
  readonly offsetMsAt: (at: number) => number
}

const fixed = /^([+-]?)(\d\d):(\d\d)$/
/** Names of the zone database. What Intl takes besides, such as `+02`, is not CEL's way to write an offset. */
const named = /^[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+)*$/

export const utc: Zone = { offsetMsAt: () => 0 }

/** The zone of that name: `UTC`, an offset such as `+02:00` or `02:00`, or a name such as `Europe/Berlin`. */
function zoneOf(name: string): Zone | CelFailure {
  if (name === 'UTC' || name === 'Z') return utc
  const offset = fixed.exec(name)
  if (offset !== null) return fixedZone(offset)
  return named.test(name) && name.length <= 64 ? namedZone(name) : unknownZone()
}

/** As `zoneOf`, for what stands in an expression: a literal zone is looked up once, at load. */
export function prepareZone(name: CelValue): Zone | CelFailure {
  return typeof name === 'string' ? zoneOf(name) : unknownZone()
}

function unknownZone(): CelFailure {
  return new CelFailure('is not a time zone such as Europe/Berlin or +02:00')
}

function fixedZone(match: RegExpExecArray): Zone | CelFailure {
  const [hours, minutes] = [Number(match[2]), Number(match[3])]
  if (hours > 23 || minutes > 59) return unknownZone()
  const offsetMs = (hours * 60 + minutes) * (match[1] === '-' ? -60_000 : 60_000)
  return { offsetMsAt: () => offsetMs }
}

function namedZone(name: string): Zone | CelFailure {
  const format = formatIn(name)
  if (format === undefined) return unknownZone()
  return { offsetMsAt: remembering((at) => wallMs(format, at) - secondsAsMs(at)) }
}

/** Since 1973, clocks anywhere have been changed at full quarters of an hour only. */
const quartersFrom = Date.UTC(1973, 0, 1)
const quarterMs = 15 * 60 * 1000

/** Asks anew only when the quarter of an hour is another: asking takes longer than all the rest of a condition. */
function remembering(offsetMsAt: (at: number) => number): (at: number) => number {
  let [quarter, offsetMs] = [Number.NaN, 0]
  return (at) => {
    if (at < quartersFrom) return offsetMsAt(at)
    const asked = Math.floor(at / quarterMs)
    if (asked !== quarter) [quarter, offsetMs] = [asked, offsetMsAt(at)]
    return offsetMs
  }
}

/** Undefined for a zone that the host does not know. Its message would quote the name, so it is not used. */
function formatIn(timeZone: string): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/** What the zone's clocks show, as if they showed UTC: the host's own zone is never asked. */
function wallMs(format: Intl.DateTimeFormat, at: number): number {
  const shown = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]))
  const part = (type: Intl.DateTimeFormatPartTypes): number => Number(shown.get(type))
  // A clock west of Greenwich shows the year before the year 1 for some hours. It is called 1 BC.
  const year = shown.get('era') === 'BC' ? 1 - part('year') : part('year')
  const wall = new Date(0)
  wall.setUTCFullYear(year, part('month') - 1, part('day'))
  wall.setUTCHours(part('hour'), part('minute'), part('second'))
  return wall.getTime()
}

function secondsAsMs(at: number): number {
  return Math.floor(at / 1000) * 1000
}
