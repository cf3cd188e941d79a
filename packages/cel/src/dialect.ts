import type { Frame, Outcome } from './frame.ts'
import type { BinaryOperator } from './syntax.ts'
import type { CelFailure, CelValue } from './value.ts'

/**
 * An operator on two values. The message of its failure is a predicate, to stand after the text of the operation:
 * `divides by zero`.
 */
export type BinaryOperation = (a: CelValue, b: CelValue, frame: Frame) => Outcome

/** What makes one dialect differ from another at run time. */
export interface Dialect {
  /** Whether numbers are JSON numbers: always finite, and mixing with whole numbers. */
  readonly policy: boolean
  readonly binary: Readonly<Record<BinaryOperator, BinaryOperation>>
  readonly negate: (value: CelValue) => CelValue | CelFailure
}
