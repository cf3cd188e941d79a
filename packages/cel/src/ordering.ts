import { exhausted } from './frame.ts'
import type { Frame } from './frame.ts'
import { numericOf } from './equality.ts'
import { CelDuration, CelTimestamp } from './value.ts'
import type { CelFailure, CelValue } from './value.ts'

/**
 * Below, at or above zero as one value comes before, with or after the other; NaN where a number is NaN;
 * undefined where they have no order.
 */
export function order(a: CelValue, b: CelValue, frame: Frame): number | undefined | CelFailure {
  if (typeof a === 'bigint' && typeof b === 'bigint') return compareNumbers(a, b)
  if (typeof a === 'string' && typeof b === 'string') {
    return frame.chargeText(Math.min(a.length, b.length)) ? compareText(a, b) : exhausted
  }
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b)
  if (a instanceof CelTimestamp && b instanceof CelTimestamp) return compareNumbers(a.nanos, b.nanos)
  if (a instanceof CelDuration && b instanceof CelDuration) return compareNumbers(a.nanos, b.nanos)
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    return frame.chargeText(Math.min(a.length, b.length)) ? compareItems(a, b) : exhausted
  }
  const x = numericOf(a)
  const y = numericOf(b)
  return x === undefined || y === undefined ? undefined : compareNumbers(x, y)
}

/** Exactly, also between a bigint and a double. */
function compareNumbers(a: number | bigint, b: number | bigint): number {
  if (a < b) return -1
  if (a > b) return 1
  return a <= b ? 0 : Number.NaN
}

/** By code points, as CEL orders text; JavaScript orders by UTF-16 code units, and so surrogates too low. */
function compareText(a: string, b: string): number {
  if (a === b) return 0
  for (let index = 0; index < a.length && index < b.length; index++) {
    const left = a.charCodeAt(index)
    const right = b.charCodeAt(index)
    if (left !== right)
      return (isSurrogate(left) ? left + 0x10000 : left) - (isSurrogate(right) ? right + 0x10000 : right)
  }
  return a.length - b.length
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff
}

function compareItems(a: ArrayLike<number>, b: ArrayLike<number>): number {
  for (let index = 0; index < a.length && index < b.length; index++) {
    const between = (a[index] ?? 0) - (b[index] ?? 0)
    if (between !== 0) return between
  }
  return a.length - b.length
}
