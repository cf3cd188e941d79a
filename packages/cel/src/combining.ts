import { exhausted } from './frame.ts'
import type { Frame, Outcome } from './frame.ts'
import { isList } from './kinds.ts'
import { durationOf } from './library/duration.ts'
import { timestampOf } from './library/timestamp.ts'
import { listLengthMax, textLengthMax } from './limits.ts'
import { CelDuration, CelFailure, CelTimestamp, CelUint } from './value.ts'
import type { CelValue } from './value.ts'

const unfitting = new CelFailure('does not fit 64 bits')
/** Why a quotient cannot be given. */
export const byZero: CelFailure = new CelFailure('divides by zero')
const textTooLong = new CelFailure('makes a text that is too long')
const listTooLong = new CelFailure('makes a list that is too long')

/** The whole number, if it fits 64 bits. */
export function fitting(value: bigint): bigint | CelFailure {
  return BigInt.asIntN(64, value) === value ? value : unfitting
}

/** The unsigned whole number, if it fits 64 bits. */
export function fittingUnsigned(value: bigint): CelUint | CelFailure {
  return BigInt.asUintN(64, value) === value ? new CelUint(value) : unfitting
}

/** The sum of two texts, lists, bytes or times; undefined for anything else. */
export function joined(a: CelValue, b: CelValue, frame: Frame): Outcome | undefined {
  if (typeof a === 'string' && typeof b === 'string') {
    const length = a.length + b.length
    if (length > textLengthMax) return textTooLong
    return frame.chargeText(length) ? a + b : exhausted
  }
  if (isList(a) && isList(b)) {
    const length = a.length + b.length
    if (length > listLengthMax) return listTooLong
    return frame.chargeItems(length) ? [...a, ...b] : exhausted
  }
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    const length = a.length + b.length
    if (length > textLengthMax) return textTooLong
    if (!frame.chargeText(length)) return exhausted
    const bytes = new Uint8Array(length)
    bytes.set(a)
    bytes.set(b, a.length)
    return bytes
  }
  if (a instanceof CelTimestamp && b instanceof CelDuration) return timestampOf(a.nanos + b.nanos)
  if (a instanceof CelDuration && b instanceof CelTimestamp) return timestampOf(a.nanos + b.nanos)
  if (a instanceof CelDuration && b instanceof CelDuration) return durationOf(a.nanos + b.nanos)
  return undefined
}

/** The difference of two times; undefined for anything else. */
export function between(a: CelValue, b: CelValue): Outcome | undefined {
  if (a instanceof CelTimestamp && b instanceof CelTimestamp) return durationOf(a.nanos - b.nanos)
  if (a instanceof CelTimestamp && b instanceof CelDuration) return timestampOf(a.nanos - b.nanos)
  if (a instanceof CelDuration && b instanceof CelDuration) return durationOf(a.nanos - b.nanos)
  return undefined
}
