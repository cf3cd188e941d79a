import { exhausted } from './frame.ts'
import type { Frame } from './frame.ts'
import { isList, isMap, kindOf, keysOf, hasMember, memberOf, sizeOf } from './kinds.ts'
import type { Kind } from './kinds.ts'
import { valueNestingMax } from './limits.ts'
import { CelDuration, CelFailure, CelOptional, CelTimestamp, CelTypeValue, CelUint } from './value.ts'
import type { CelMap, CelValue } from './value.ts'

/** Whether two kinds can be equal: numbers of all kinds are one kind here. */
export function isAlike(a: Kind, b: Kind): boolean {
  return a === b ? a !== 'other' : isNumber(a) && isNumber(b)
}

/** Whether values of this kind are numbers. */
function isNumber(kind: Kind): boolean {
  return kind === 'number' || kind === 'int' || kind === 'uint'
}

/** True, false, undefined where it hangs on parts of unlike kinds, or why it can't be told. */
export type Equality = boolean | undefined | CelFailure

const tooDeep = new CelFailure('could not be evaluated: its values nest too deeply')

/**
 * Whether two values are equal, in depth; undefined where that hangs on parts of unlike kinds: `["EU"]` sent as
 * `[["EU"]]`. Parts that differ in value settle it, as false settles `&&`. CEL itself holds unlike parts for
 * unequal; a caller that wants that takes undefined for false.
 */
export function equality(left: CelValue, right: CelValue, frame: Frame, depth = 0): Equality {
  if (typeof left === 'string' && typeof right === 'string') {
    if (left.length !== right.length) return false
    return frame.chargeText(left.length) ? left === right : exhausted
  }
  if (typeof left === typeof right && typeof left !== 'object') return left === right
  const a = kindOf(left)
  const b = kindOf(right)
  if (a !== b) return isNumber(a) && isNumber(b) ? isSameNumber(left, right) : undefined
  if (depth > valueNestingMax) return tooDeep
  if (isList(left) && isList(right)) return listEquality(left, right, frame, depth)
  if (isMap(left) && isMap(right)) return mapEquality(left, right, frame, depth)
  return objectEquality(left, right, frame, depth)
}

function objectEquality(a: CelValue, b: CelValue, frame: Frame, depth: number): Equality {
  if (a === null) return b === null
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    if (a.length !== b.length) return false
    return frame.chargeText(a.length) ? a.every((byte, index) => byte === b[index]) : exhausted
  }
  if (a instanceof CelUint && b instanceof CelUint) return a.value === b.value
  if (a instanceof CelTimestamp && b instanceof CelTimestamp) return a.nanos === b.nanos
  if (a instanceof CelDuration && b instanceof CelDuration) return a.nanos === b.nanos
  if (a instanceof CelTypeValue && b instanceof CelTypeValue) return a.name === b.name
  if (a instanceof CelOptional && b instanceof CelOptional) {
    if (a.value === undefined || b.value === undefined) return a.value === b.value
    return equality(a.value, b.value, frame, depth + 1)
  }
  return undefined
}

function listEquality(a: readonly CelValue[], b: readonly CelValue[], frame: Frame, depth: number): Equality {
  if (a.length !== b.length) return false
  let equal: Equality = true
  for (let index = 0; index < a.length; index++) {
    if (!frame.charge(1)) return exhausted
    const [one, other] = [a[index], b[index]]
    const part: Equality =
      one === undefined || other === undefined ? undefined : equality(one, other, frame, depth + 1)
    if (part === false) return false
    if (equal === true) equal = part
    if (frame.steps < 0) return exhausted
  }
  return equal
}

function mapEquality(a: CelMap, b: CelMap, frame: Frame, depth: number): Equality {
  const size = sizeOf(a)
  if (!frame.chargeItems(size)) return exhausted
  if (size !== sizeOf(b)) return false
  let equal: Equality = true
  for (const key of keysOf(a)) {
    if (!frame.charge(1)) return exhausted
    if (!hasMember(b, key)) return false
    const one = memberOf(a, key)
    const other = memberOf(b, key)
    const part: Equality =
      one === undefined || other === undefined ? undefined : equality(one, other, frame, depth + 1)
    if (part === false) return false
    if (equal === true) equal = part
    if (frame.steps < 0) return exhausted
  }
  return equal
}

/** The number to compare with: exactly, without rounding a whole number to a double. */
export function numericOf(value: CelValue): number | bigint | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return value
  return value instanceof CelUint ? value.value : undefined
}

function isSameNumber(a: CelValue, b: CelValue): boolean {
  const x = numericOf(a)
  const y = numericOf(b)
  if (typeof x === 'number' && typeof y === 'bigint') return Number.isInteger(x) && BigInt(x) === y
  if (typeof x === 'bigint' && typeof y === 'number') return Number.isInteger(y) && BigInt(y) === x
  return x === y
}
