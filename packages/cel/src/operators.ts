import { CelScalar, celFunc, celListConcat } from '@bufbuild/cel'
import type { CelFunc, CelInput, CelValue } from '@bufbuild/cel'
import { equality, isAlike, isNumber } from './equality.ts'
import { durationOf, kindOf, timestampOf } from './kinds.ts'
import type { Kinded } from './kinds.ts'
import { listLengthMax, textLengthMax } from './limits.ts'
import type { Run } from './run.ts'

const { DYN, BOOL } = CelScalar

/**
 * The operators of a condition, in place of the library's. They mix whole numbers with numbers, and they fail
 * where the library would go on: with a result that is not finite, and with a comparison of unlike values.
 */
export function operators(run: Run): readonly CelFunc[] {
  const binary = (name: string, apply: (a: Kinded, b: Kinded) => CelInput): CelFunc =>
    celFunc(name, [DYN, DYN], DYN, (left, right) => apply(kindOf(left), kindOf(right)))
  const ordering = (name: string, holds: (between: number) => boolean): CelFunc =>
    binary(name, (a, b) => holds(compare(a, b, run)))
  return [
    celFunc('@==', [DYN, DYN], BOOL, (left, right) => equal(left, right, run)),
    celFunc('@!=', [DYN, DYN], BOOL, (left, right) => !equal(left, right, run)),
    celFunc('@==null', [DYN, DYN], BOOL, (left, right) => equality(left, right, run) === true),
    celFunc('@!=null', [DYN, DYN], BOOL, (left, right) => equality(left, right, run) !== true),
    ordering('@<', (between) => between < 0),
    ordering('@<=', (between) => between <= 0),
    ordering('@>', (between) => between > 0),
    ordering('@>=', (between) => between >= 0),
    binary('@+', (a, b) => sum(a, b, run)),
    binary('@-', (a, b) => difference(a, b, run)),
    binary('@*', (a, b) =>
      arithmetic(
        a,
        b,
        (x, y) => x * y,
        (x, y) => x * y,
        run,
      ),
    ),
    binary('@/', (a, b) => quotient(a, b, run)),
    binary('@%', (a, b) => remainder(a, b, run)),
    celFunc('@negate', [DYN], DYN, (value) => negate(kindOf(value), run)),
    celFunc('@within', [DYN, DYN], BOOL, (item, container) => contains(item, container, run)),
  ]
}

/** The kind of a value in words with its article, for messages. */
export function kindPhrase(value: Kinded): string {
  switch (value.kind) {
    case 'int':
      return 'a whole number'
    case 'null':
    case 'bytes':
      return value.kind
    case 'other':
      return 'something else'
    default:
      return `a ${value.kind}`
  }
}

/**
 * CEL holds unlike values for unequal. Here that is an error: a parameter of the wrong type must not slip past a
 * rule that would have matched it in the right one.
 */
function equal(left: CelValue, right: CelValue, run: Run): boolean {
  const [a, b] = [kindOf(left), kindOf(right)]
  if (!isAlike(a, b)) throw unlike('compares', a, b, run)
  const same = equality(left, right, run)
  if (same === undefined) throw run.failure(`compares ${kindPhrase(a)} with one of unlike parts`)
  return same
}

function compare(a: Kinded, b: Kinded, run: Run): number {
  if (a.kind === 'number' && b.kind === 'number') return a.value - b.value
  if ((a.kind === 'number' || a.kind === 'int') && (b.kind === 'number' || b.kind === 'int'))
    return orderOf(a.value, b.value)
  if (a.kind === 'string' && b.kind === 'string') return compareText(a.value, b.value, run)
  if (a.kind === 'timestamp' && b.kind === 'timestamp') return orderOf(a.value, b.value)
  if (a.kind === 'duration' && b.kind === 'duration') return orderOf(a.value, b.value)
  if (a.kind === 'bool' && b.kind === 'bool') return Number(a.value) - Number(b.value)
  if (a.kind === 'bytes' && b.kind === 'bytes') return compareItems(a.value, b.value)
  throw unlike('compares', a, b, run)
}

function orderOf(a: number | bigint, b: number | bigint): number {
  if (a === b) return 0
  return a < b ? -1 : Number(a > b)
}

/** By code points, as CEL orders text; JavaScript orders by UTF-16 code units, and so surrogates too low. */
function compareText(a: string, b: string, run: Run): number {
  run.chargeText(Math.min(a.length, b.length))
  for (let index = 0; index < a.length && index < b.length; index++) {
    const [left, right] = [a.charCodeAt(index), b.charCodeAt(index)]
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

function sum(a: Kinded, b: Kinded, run: Run): CelInput {
  if (a.kind === 'string' && b.kind === 'string') {
    const length = a.value.length + b.value.length
    if (length > textLengthMax) throw run.failure('makes a text that is too long')
    run.chargeText(length)
    return a.value + b.value
  }
  if (a.kind === 'list' && b.kind === 'list') {
    if (a.value.size + b.value.size > listLengthMax) throw run.failure('makes a list that is too long')
    return celListConcat(a.value, b.value)
  }
  if (a.kind === 'bytes' && b.kind === 'bytes') return Uint8Array.from([...a.value, ...b.value])
  if (a.kind === 'timestamp' && b.kind === 'duration') return inTime(timestampOf(a.value + b.value), run)
  if (a.kind === 'duration' && b.kind === 'timestamp') return inTime(timestampOf(a.value + b.value), run)
  if (a.kind === 'duration' && b.kind === 'duration') return inTime(durationOf(a.value + b.value), run)
  return arithmetic(
    a,
    b,
    (x, y) => x + y,
    (x, y) => x + y,
    run,
  )
}

function difference(a: Kinded, b: Kinded, run: Run): CelInput {
  if (a.kind === 'timestamp' && b.kind === 'timestamp') return inTime(durationOf(a.value - b.value), run)
  if (a.kind === 'timestamp' && b.kind === 'duration') return inTime(timestampOf(a.value - b.value), run)
  if (a.kind === 'duration' && b.kind === 'duration') return inTime(durationOf(a.value - b.value), run)
  return arithmetic(
    a,
    b,
    (x, y) => x - y,
    (x, y) => x - y,
    run,
  )
}

function quotient(a: Kinded, b: Kinded, run: Run): CelInput {
  if (isNumber(a) && isNumber(b) && Number(b.value) === 0) throw run.failure('divides by zero')
  return arithmetic(
    a,
    b,
    (x, y) => x / y,
    (x, y) => x / y,
    run,
  )
}

function remainder(a: Kinded, b: Kinded, run: Run): CelInput {
  const divisor = wholeOf(b, run)
  if (divisor === 0n) throw run.failure('divides by zero')
  return wholeOf(a, run) % divisor
}

/** A whole number, also where JSON carried it as a number. @throws where it is none */
export function wholeOf(value: Kinded, run: Run): bigint {
  if (value.kind === 'int') return value.value
  if (value.kind === 'number' && Number.isSafeInteger(value.value)) return BigInt(value.value)
  throw run.failure(
    value.kind === 'number' ? 'needs a whole number' : `needs a whole number, not ${kindPhrase(value)}`,
  )
}

function negate(value: Kinded, run: Run): CelInput {
  if (value.kind === 'number') return -value.value
  if (value.kind === 'int') return fitting(-value.value, run)
  throw run.failure(`negates ${kindPhrase(value)}`)
}

function arithmetic(
  a: Kinded,
  b: Kinded,
  onWhole: (x: bigint, y: bigint) => bigint,
  onNumber: (x: number, y: number) => number,
  run: Run,
): CelInput {
  if (a.kind === 'int' && b.kind === 'int') return fitting(onWhole(a.value, b.value), run)
  if (isNumber(a) && isNumber(b)) return finite(onNumber(Number(a.value), Number(b.value)), run)
  throw unlike('combines', a, b, run)
}

/** The number, if it is one. A comparison with NaN would quietly be false. @throws for NaN and the infinities */
export function finite(value: number, run: Run): number {
  if (Number.isFinite(value)) return value
  throw run.failure('is not a finite number')
}

/** The whole number, if it fits 64 bits. */
export function fitting(value: bigint, run: Run): bigint {
  if (BigInt.asIntN(64, value) === value) return value
  throw run.failure('does not fit 64 bits')
}

function inTime(value: CelInput | undefined, run: Run): CelInput {
  if (value === undefined) throw run.failure('is out of the range of time')
  return value
}

/**
 * Whether a list has the item, or a map the key. As for `exists`, a match settles it; without one, an item of
 * another kind is an error rather than no: `["US", ["EU"]]` must not hide its EU.
 */
function contains(item: CelValue, container: CelValue, run: Run): boolean {
  const [wanted, within] = [kindOf(item), kindOf(container)]
  if (within.kind === 'map') {
    if (wanted.kind !== 'string') throw run.failure(`looks for ${kindPhrase(wanted)} among the keys of a map`)
    return within.value.get(wanted.value) !== undefined
  }
  if (within.kind !== 'list') throw run.failure(`looks into ${kindPhrase(within)}, which is no list or map`)
  let stranger: Kinded | undefined
  for (const candidate of within.value) {
    run.charge(1)
    const same = equality(item, candidate, run)
    if (same === true) return true
    if (same === undefined) stranger ??= kindOf(candidate)
  }
  if (stranger === undefined) return false
  if (isAlike(wanted, stranger)) throw run.failure(`compares ${kindPhrase(wanted)} with one of unlike parts`)
  throw run.failure(`looks for ${kindPhrase(wanted)} in a list that also has ${kindPhrase(stranger)}`)
}

function unlike(verb: string, a: Kinded, b: Kinded, run: Run): Error {
  return run.failure(`${verb} ${kindPhrase(a)} with ${kindPhrase(b)}`)
}
