import type { CelList, CelValue } from '@bufbuild/cel'
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

/** Equality as CEL defines it, in depth: unlike values inside lists and maps are unequal. */
export function isEqual(left: CelValue, right: CelValue, run: Run): boolean {
  const [a, b] = [kindOf(left), kindOf(right)]
  if (a.kind === 'int' && b.kind === 'number') return isSameNumber(a.value, b.value)
  if (a.kind === 'number' && b.kind === 'int') return isSameNumber(b.value, a.value)
  if (a.kind === 'bytes' && b.kind === 'bytes') {
    const { value: bytes } = b
    return a.value.length === bytes.length && a.value.every((byte, index) => byte === bytes[index])
  }
  if (a.kind === 'list' && b.kind === 'list') return isEqualList(a.value, b.value, run)
  if (a.kind === 'map' && b.kind === 'map') {
    if (a.value.size !== b.value.size) return false
    for (const [key, one] of a.value) {
      run.charge(1)
      const other = b.value.get(key)
      if (other === undefined || !isEqual(one, other, run)) return false
    }
    return true
  }
  if (a.kind === 'string' && b.kind === 'string' && a.value.length === b.value.length)
    run.chargeText(a.value.length)
  return a.kind === b.kind && a.kind !== 'other' && a.value === b.value
}

function isEqualList(a: CelList, b: CelList, run: Run): boolean {
  if (a.size !== b.size) return false
  const others = b[Symbol.iterator]()
  for (const one of a) {
    run.charge(1)
    const other = others.next()
    if (other.done === true || !isEqual(one, other.value, run)) return false
  }
  return true
}

/** Exactly, without rounding the whole number to a double. */
function isSameNumber(whole: bigint, number: number): boolean {
  return Number.isInteger(number) && BigInt(number) === whole
}
