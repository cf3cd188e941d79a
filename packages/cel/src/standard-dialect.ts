import { between, byZero, fitting, fittingUnsigned, joined } from './combining.ts'
import type { BinaryOperation, Dialect } from './dialect.ts'
import { equality, numericOf } from './equality.ts'
import { exhausted } from './frame.ts'
import type { Frame, Outcome } from './frame.ts'
import { hasMember, isList, isMap, keyOf, phraseOf } from './kinds.ts'
import { order } from './ordering.ts'
import { CelFailure, CelUint } from './value.ts'
import type { CelValue } from './value.ts'

/** The operators as the specification of CEL has them. */
export const standardDialect: Dialect = {
  policy: false,
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
    '/': (a, b) => {
      if (isWholeZero(b)) return isWhole(a) ? byZero : unlike('combines', a, b)
      return arithmetic(
        a,
        b,
        (x, y) => x / y,
        (x, y) => x / y,
      )
    },
    '%': (a, b) => {
      if (!isWhole(a) || !isWhole(b)) return unlike('combines', a, b)
      if (isWholeZero(b)) return byZero
      return arithmetic(
        a,
        b,
        (x, y) => x % y,
        () => Number.NaN,
      )
    },
    in: contains,
  },
  negate: (value) => {
    if (typeof value === 'number') return -value
    return typeof value === 'bigint' ? fitting(-value) : new CelFailure(`negates ${phraseOf(value)}`)
  },
}

/** Unlike values are unequal, and so are unlike parts. */
function equal(a: CelValue, b: CelValue, frame: Frame): boolean | CelFailure {
  return equality(a, b, frame) ?? false
}

function ordering(holds: (order: number) => boolean): BinaryOperation {
  return (a, b, frame) => {
    // Whole numbers are ordered among doubles as doubles, which round beyond 2^53: so the specification has it.
    const found =
      typeof a === 'number' || typeof b === 'number'
        ? order(asDouble(a), asDouble(b), frame)
        : order(a, b, frame)
    if (found === undefined) return unlike('compares', a, b)
    return found instanceof CelFailure ? found : holds(found)
  }
}

function asDouble(value: CelValue): CelValue {
  const number = numericOf(value)
  return number === undefined ? value : Number(number)
}

function arithmetic(
  a: CelValue,
  b: CelValue,
  onWhole: (x: bigint, y: bigint) => bigint,
  onNumber: (x: number, y: number) => number,
): Outcome {
  if (typeof a === 'bigint' && typeof b === 'bigint') return fitting(onWhole(a, b))
  if (typeof a === 'number' && typeof b === 'number') return onNumber(a, b)
  if (a instanceof CelUint && b instanceof CelUint) return fittingUnsigned(onWhole(a.value, b.value))
  return unlike('combines', a, b)
}

function isWhole(value: CelValue): boolean {
  return typeof value === 'bigint' || value instanceof CelUint
}

function isWholeZero(value: CelValue): boolean {
  return value === 0n || (value instanceof CelUint && value.value === 0n)
}

function contains(item: CelValue, container: CelValue, frame: Frame): boolean | CelFailure {
  if (isMap(container)) {
    const key = keyOf(item)
    return key !== undefined && hasMember(container, key)
  }
  if (!isList(container)) return new CelFailure(`looks into ${phraseOf(container)}, which is no list or map`)
  for (const candidate of container) {
    if (!frame.charge(1)) return exhausted
    const same = equality(item, candidate, frame)
    if (same === true || same instanceof CelFailure) return same
  }
  return false
}

function unlike(verb: string, a: CelValue, b: CelValue): CelFailure {
  return new CelFailure(`${verb} ${phraseOf(a)} with ${phraseOf(b)}: no such overload`)
}
