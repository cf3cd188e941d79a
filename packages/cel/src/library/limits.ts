import { charactersPerStep } from '../limits.ts'
import { CelFailure } from '../value.ts'

/** How deep lists and maps may nest in a value that `format` prints. */
export const printedDepthMax = 64
/** Length of a regular expression, in UTF-16 code units. */
export const patternUnitsMax = 1024
/** Instructions that a regular expression may need: time to match grows with them. */
export const patternProgramMax = 2048
/** Length of a text that is read as a time, a duration or a number. */
export const scalarUnitsMax = 128

/** Steps for going through texts of these lengths once. */
export function readingSteps(...units: readonly number[]): number {
  return 1 + Math.ceil(units.reduce((sum, each) => sum + each, 0) / charactersPerStep)
}

/** Steps for going through a text of this length character by character. */
export function walkingSteps(units: number): number {
  return 1 + Math.ceil(units / 10)
}

/** Why a text that would grow beyond `textLengthMax` is not built. */
export function tooLong(): CelFailure {
  return new CelFailure('makes a text that is too long')
}
