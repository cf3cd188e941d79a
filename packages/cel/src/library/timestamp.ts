import { CelFailure, CelTimestamp } from '../value.ts'
import type { CelValue } from '../value.ts'
import { fractionText } from './duration.ts'
import type { LibraryFunction } from './entry.ts'
import { free } from './forms.ts'
import { scalarUnitsMax } from './limits.ts'

const nanosPerSecond = 1_000_000_000n
const nanosPerMs = 1_000_000n

const timestampNanosMin = -62_135_596_800n * nanosPerSecond
const timestampNanosMax = 253_402_300_800n * nanosPerSecond - 1n

const outOfRange = new CelFailure('is out of the range of time: the years 1 to 9999')

const rfc3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):(\d\d))$/

/** The time of that many nanoseconds since 1970, if it is within the years 1 to 9999. */
export function timestampOf(nanos: bigint): CelTimestamp | CelFailure {
  return nanos >= timestampNanosMin && nanos <= timestampNanosMax ? new CelTimestamp(nanos) : outOfRange
}

/** Reads a time of RFC 3339 with its zone, `2026-03-29T02:30:00.25+02:00`. No leap seconds, no hour 24. */
export function parseTimestamp(text: string): CelTimestamp | CelFailure {
  const match = text.length > scalarUnitsMax ? null : rfc3339.exec(text)
  const seconds = match === null ? undefined : secondsOf(match)
  if (match === null || seconds === undefined) return notATime()
  return timestampOf(BigInt(seconds) * nanosPerSecond + BigInt((match[7] ?? '').padEnd(9, '0')))
}

/** Whole seconds since 1970; undefined for a day or an hour that no calendar and no clock shows. */
function secondsOf(match: RegExpExecArray): number | undefined {
  const part = (group: number): number => Number(match[group] ?? 0)
  const [year, month, day] = [part(1), part(2), part(3)]
  const [hour, minute, second] = [part(4), part(5), part(6)]
  const [zoneHours, zoneMinutes] = [part(9), part(10)]
  if (hour > 23 || minute > 59 || second > 59 || zoneHours > 23 || zoneMinutes > 59) return undefined
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined
  const zone = (zoneHours * 60 + zoneMinutes) * (match[8] === '-' ? -60 : 60)
  return date.getTime() / 1000 + (hour * 60 + minute) * 60 + second - zone
}

/** The time in UTC as RFC 3339, with a fraction of 3, 6 or 9 digits where there is one. */
export function timestampText(time: CelTimestamp): string {
  const fraction = fractionText(Number(((time.nanos % nanosPerSecond) + nanosPerSecond) % nanosPerSecond))
  return `${new Date(timestampMs(time)).toISOString().slice(0, 19)}${fraction}Z`
}

/** Whole milliseconds since 1970, rounded down. */
export function timestampMs(time: CelTimestamp): number {
  const rest = time.nanos % nanosPerMs
  return Number(time.nanos / nanosPerMs) - (rest < 0n ? 1 : 0)
}

/** Whole seconds since 1970, rounded down, as `int(timestamp)` gives them. */
function timestampSeconds(time: CelTimestamp): bigint {
  const rest = time.nanos % nanosPerSecond
  return time.nanos / nanosPerSecond - (rest < 0n ? 1n : 0n)
}

/** The time that many seconds after 1970, as `timestamp(int)` gives it. */
function timestampOfSeconds(seconds: bigint): CelTimestamp | CelFailure {
  return timestampOf(seconds * nanosPerSecond)
}

function prepareTimestamp(text: CelValue): CelTimestamp | CelFailure {
  return typeof text === 'string' ? parseTimestamp(text) : notATime()
}

function notATime(): CelFailure {
  return new CelFailure('is not a time such as 2026-03-29T14:30:00Z')
}

const itself = (time: CelTimestamp): CelTimestamp => time

/** Times: reading and printing. */
export const timestampFunctions: readonly LibraryFunction[] = [
  free('timestamp', ['string'], 'timestamp', itself, {
    literal: { arg: 0, use: 'checked' },
    prepare: prepareTimestamp,
    cost: () => 2,
  }),
  free('timestamp', ['timestamp'], 'timestamp', itself),
  free('timestamp', ['int'], 'timestamp', timestampOfSeconds),
  free('string', ['timestamp'], 'string', timestampText, { cost: () => 2, resultSize: () => 30 }),
  free('int', ['timestamp'], 'int', timestampSeconds),
]
