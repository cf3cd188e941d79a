import { between, byZero, fitting, joined } from './combining.ts'
import type { BinaryOperation, Dialect } from './dialect.ts'
import { equality, isAlike } from './equality.ts'
import { exhausted } from './frame.ts'
import type { Frame, Outcome } from './frame.ts'
import { hasMember, isList, isMap, kindOf, phraseOf } from './kinds.ts'
import { order } from './ordering.ts'
import { CelFailure } from './value.ts'
import type { CelValue } from './value.ts'

const notFinite = new CelFailure('is not a finite number')

/**
 * The operators of a condition. They mix whole numbers with numbers, and they fail where CEL would go on: with a
 * result that is not finite, and with a comparison of unlike values.
 */
export const policyDialect: Dialect = {
  policy: true,
  binary: {
    '==': equal,
    '!=': (a, b, frame) => {
      const same = equal(a, b, frame)
      return same instanceof CelFailure ? same : !same
    },
    '<': ordering((found) => found < 0),
    '<=': ordering((found) => found <= 0),
    '>': ordering((found) => found > 0),
    '>=': ordering((found) => found >= 0),
    '+': (a, b, frame) =>
      joined(a, b, frame) ??
      arithmetic(
        a,
        b,
        (x, y) => x + y,
        (x, y) => x + y,
      ),
    '-': (a, b) =>
      between(a, b) ??
      arithmetic(
        a,
        b,
        (x, y) => x - y,
        (x, y) => x - y,
      ),
    '*': (a, b) =>
      arithmetic(
        a,
        b,
        (x, y) => x * y,
        (x, y) => x * y,
      ),
    '/': quotient,
    '%': remainder,
    in: contains,
  },
  negate: (value) => {
    if (typeof value === 'number') return -value
    if (typeof value === 'bigint') return fitting(-value)
    return new CelFailure(`negates ${phraseOf(value)}`)
  },
}

/**
 * CEL holds unlike values for unequal. Here that is an error: a parameter of the wrong type must not slip past a
 * rule that would have matched it in the right one.
 */
function equal(a: CelValue, b: CelValue, frame: Frame): boolean | CelFailure {
  const same = equality(a, b, frame)
  if (same !== undefined) return same
  if (isAlike(kindOf(a), kindOf(b))) return new CelFailure(`compares ${phraseOf(a)} with one of unlike parts`)
  return unlike('compares', a, b)
}

function ordering(holds: (order: number) => boolean): BinaryOperation {
  return (a, b, frame) => {
    const found = order(a, b, frame)
    if (found === undefined) return unlike('compares', a, b)
    return found instanceof CelFailure ? found : holds(found)
  }
}

function arithmetic(
  a: CelValue,
  b: CelValue,
  onWhole: (x: bigint, y: bigint) => bigint,
  onNumber: (x: number, y: number) => number,
): Outcome {
  if (typeof a === 'bigint' && typeof b === 'bigint') return fitting(onWhole(a, b))
  if (isNumber(a) && isNumber(b)) return finite(onNumber(Number(a), Number(b)))
  return unlike('combines', a, b)
}

function isNumber(value: CelValue): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint'
}

/** The number, if it is one. A comparison with NaN would quietly be false. */
function finite(value: number): number | CelFailure {
  return Number.isFinite(value) ? value : notFinite
}

function quotient(a: CelValue, b: CelValue): Outcome {
  if (isNumber(a) && isNumber(b) && Number(b) === 0) return byZero
  return arithmetic(
    a,
    b,
    (x, y) => x / y,
    (x, y) => x / y,
  )
}

function remainder(a: CelValue, b: CelValue): Outcome {
  const whole = wholeOf(a)
  const divisor = wholeOf(b)
  if (divisor instanceof CelFailure) return divisor
  if (divisor === 0n) return byZero
  return whole instanceof CelFailure ? whole : whole % divisor
}

/** A whole number, also where JSON carried it as a number. */
export function wholeOf(value: CelValue): bigint | CelFailure {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value)
  return new CelFailure(
    typeof value === 'number' ? 'needs a whole number' : `needs a whole number, not ${phraseOf(value)}`,
  )
}

/**
 * Whether a list has the item, or a map the key. As for `exists`, a match settles it; without one, an item of
 * another kind is an error rather than no: `["US", ["EU"]]` must not hide its EU.
 */
function contains(item: CelValue, container: CelValue, frame: Frame): boolean | CelFailure {
  if (isList(container)) return listContains(item, container, frame)
  if (!isMap(container)) return new CelFailure(`looks into ${phraseOf(container)}, which is no list or map`)
  if (typeof item === 'string') return hasMember(container, item)
  return new CelFailure(`looks for ${phraseOf(item)} among the keys of a map`)
}

function listContains(item: CelValue, list: readonly CelValue[], frame: Frame): boolean | CelFailure {
  let stranger: { readonly value: unknown } | undefined
  for (const candidate of list) {
    if (!frame.charge(1)) return exhausted
    const same = equality(item, candidate, frame)
    if (same === true) return true
    if (same instanceof CelFailure) return same
    if (same === undefined) stranger ??= { value: candidate }
  }
  if (stranger === undefined) return false
  if (isAlike(kindOf(item), kindOf(stranger.value)))
    return new CelFailure(`compares ${phraseOf(item)} with one of unlike parts`)
  return new CelFailure(`looks for ${phraseOf(item)} in a list that also has ${phraseOf(stranger.value)}`)
}

function unlike(verb: string, a: CelValue, b: CelValue): CelFailure {
  return new CelFailure(`${verb} ${phraseOf(a)} with ${phraseOf(b)}`)
}
