import type { CelList, CelMap, CelValue } from '@bufbuild/cel'
import { kindOf } from './kinds.ts'
import type { Kinded } from './kinds.ts'
import type { Run } from './run.ts'

/** Whether two values are of kinds that can be equal: whole numbers and numbers are one kind here. */
export function isAlike(a: Kinded, b: Kinded): boolean {
  return a.kind === b.kind || (isNumber(a) && isNumber(b))
}

/** Whether a value is a number of either kind. */
export function isNumber(a: Kinded): boolean {
  return a.kind === 'number' || a.kind === 'int'
}

/**
 * Whether two values are equal, in depth; undefined where that hangs on parts of unlike kinds, which CEL holds for
 * unequal: `["EU"]` sent as `[["EU"]]`. Parts that differ in value settle it, as false settles `&&`.
 */
export function equality(left: CelValue, right: CelValue, run: Run): boolean | undefined {
  const [a, b] = [kindOf(left), kindOf(right)]
  if (a.kind === 'int' && b.kind === 'number') return isSameNumber(a.value, b.value)
  if (a.kind === 'number' && b.kind === 'int') return isSameNumber(b.value, a.value)
  if (a.kind !== b.kind || a.kind === 'other') return undefined
  if (a.kind === 'bytes' && b.kind === 'bytes') {
    const { value: bytes } = b
    return a.value.length === bytes.length && a.value.every((byte, index) => byte === bytes[index])
  }
  if (a.kind === 'list' && b.kind === 'list') return listEquality(a.value, b.value, run)
  if (a.kind === 'map' && b.kind === 'map') return mapEquality(a.value, b.value, run)
  if (a.kind === 'string' && b.kind === 'string' && a.value.length === b.value.length)
    run.chargeText(a.value.length)
  return a.value === b.value
}

function listEquality(a: CelList, b: CelList, run: Run): boolean | undefined {
  if (a.size !== b.size) return false
  const others = b[Symbol.iterator]()
  let equal: boolean | undefined = true
  for (const one of a) {
    run.charge(1)
    const other = others.next()
    const part = other.done === true ? false : equality(one, other.value, run)
    if (part === false) return false
    equal &&= part
  }
  return equal
}

function mapEquality(a: CelMap, b: CelMap, run: Run): boolean | undefined {
  if (a.size !== b.size) return false
  let equal: boolean | undefined = true
  for (const [key, one] of a) {
    run.charge(1)
    const other = b.get(key)
    const part = other === undefined ? false : equality(one, other, run)
    if (part === false) return false
    equal &&= part
  }
  return equal
}

/** Exactly, without rounding the whole number to a double. */
function isSameNumber(whole: bigint, number: number): boolean {
  return Number.isInteger(number) && BigInt(number) === whole
}
