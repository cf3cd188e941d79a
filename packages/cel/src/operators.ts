// The operators that the dialects share, each with its own sense of what is equal, of order and of numbers.
import { between, joined } from './combining.ts'
import type { BinaryOperation } from './dialect.ts'
import type { Frame, Outcome } from './frame.ts'
import { CelFailure } from './value.ts'
import type { CelValue } from './value.ts'

type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>='

/**
 * The comparisons.
 *
 * @param ordering the operator that holds where the order of its two values is such
 */
export function comparisons(
  equal: (a: CelValue, b: CelValue, frame: Frame) => boolean | CelFailure,
  ordering: (holds: (order: number) => boolean) => BinaryOperation,
): Readonly<Record<Comparison, BinaryOperation>> {
  return {
    '==': equal,
    '!=': (a, b, frame) => {
      const same = equal(a, b, frame)
      return same instanceof CelFailure ? same : !same
    },
    '<': ordering((found) => found < 0),
    '<=': ordering((found) => found <= 0),
    '>': ordering((found) => found > 0),
    '>=': ordering((found) => found >= 0),
  }
}

/** Combines two numbers: whole ones as whole ones. */
export type Arithmetic = (
  a: CelValue,
  b: CelValue,
  onWhole: (x: bigint, y: bigint) => bigint,
  onNumber: (x: number, y: number) => number,
) => Outcome

/** What adds, takes away and multiplies. */
export function sums(arithmetic: Arithmetic): Readonly<Record<'+' | '-' | '*', BinaryOperation>> {
  return {
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
  }
}
