import { CelDuration, CelFailure } from '../value.ts'
import type { CelValue } from '../value.ts'
import type { LibraryFunction } from './entry.ts'
import { free, method } from './forms.ts'
import { scalarUnitsMax } from './limits.ts'

const nanosPerSecond = 1_000_000_000n

const outOfRange = new CelFailure('is out of the range of durations')

/** Nanoseconds of each unit. The micro sign and the Greek letter look the same and are both taken. */
const units: ReadonlyMap<string, bigint> = new Map([
  ['h', 3600n * nanosPerSecond],
  ['m', 60n * nanosPerSecond],
  ['s', nanosPerSecond],
  ['ms', 1_000_000n],
  ['us', 1000n],
  ['\u00B5s', 1000n],
  ['\u03BCs', 1000n],
  ['ns', 1n],
])

const whole = /^[+-]?(?:0|(?:(?:\d+(?:\.\d*)?|\.\d+)(?:h|ms|m|s|[u\u00B5\u03BC]s|ns))+)$/
const terms = /(\d*)(?:\.(\d*))?([^\d.]+)/g

/** The duration of that many nanoseconds, if they fit 64 bits as the specification has it: about 292 years. */
export function durationOf(nanos: bigint): CelDuration | CelFailure {
  return BigInt.asIntN(64, nanos) === nanos ? new CelDuration(nanos) : outOfRange
}

/** Reads `1h45m`, `-1.5h`, `300ms` or `0`: numbers with the units `h`, `m`, `s`, `ms`, `us` and `ns`. */
export function parseDuration(text: string): CelDuration | CelFailure {
  if (text.length > scalarUnitsMax || !whole.test(text)) return notADuration()
  let nanos = 0n
  for (const [, digits = '', fraction = '', unit = ''] of text.replace(/^[+-]/, '').matchAll(terms)) {
    const perUnit = units.get(unit) ?? 0n
    // What is left of a nanosecond is dropped.
    nanos += BigInt(digits) * perUnit + (BigInt(fraction) * perUnit) / 10n ** BigInt(fraction.length)
  }
  return durationOf(text.startsWith('-') ? -nanos : nanos)
}

/** Seconds with their fraction, in 3, 6 or 9 digits where there is one: `6347s`, `-0.500s`. */
export function durationText(duration: CelDuration): string {
  const size = duration.nanos < 0n ? -duration.nanos : duration.nanos
  const sign = duration.nanos < 0n ? '-' : ''
  return `${sign}${String(size / nanosPerSecond)}${fractionText(Number(size % nanosPerSecond))}s`
}

/** Nanoseconds below one second as `.` and digits, in groups of three; nothing for zero. */
export function fractionText(nanos: number): string {
  const digits = String(nanos)
    .padStart(9, '0')
    .replace(/(?:000){1,3}$/, '')
  return digits === '' ? '' : `.${digits}`
}

/** Whole seconds, towards zero, as `int(duration)` gives them. */
function durationSeconds(duration: CelDuration): bigint {
  return duration.nanos / nanosPerSecond
}

function prepareDuration(text: CelValue): CelDuration | CelFailure {
  return typeof text === 'string' ? parseDuration(text) : notADuration()
}

function notADuration(): CelFailure {
  return new CelFailure('is not a duration such as 90s or 1h30m')
}

const itself = (duration: CelDuration): CelDuration => duration

/** A getter gives the whole duration in that unit, towards zero. */
function getter(name: string, nanos: bigint): LibraryFunction {
  return method('duration', name, [], 'int', (length: CelDuration) => length.nanos / nanos)
}

/** Durations: reading, printing, parts. */
export const durationFunctions: readonly LibraryFunction[] = [
  free('duration', ['string'], 'duration', itself, {
    literal: { arg: 0, use: 'checked' },
    prepare: prepareDuration,
    cost: () => 2,
  }),
  free('duration', ['duration'], 'duration', itself),
  free('string', ['duration'], 'string', durationText, { resultSize: () => 32 }),
  free('int', ['duration'], 'int', durationSeconds),
  getter('getHours', 3600n * nanosPerSecond),
  getter('getMinutes', 60n * nanosPerSecond),
  getter('getSeconds', nanosPerSecond),
  // The specification's exception: only the thousandths beyond the last whole second.
  method(
    'duration',
    'getMilliseconds',
    [],
    'int',
    ({ nanos }: CelDuration) => (nanos % nanosPerSecond) / 1_000_000n,
  ),
]
