/** How large an expression may be. */
export interface SourceLimits {
  /** Its length in UTF-16 code units. */
  readonly length: number
  /** How deep it may nest: brackets, `!` and `-` in a row, ternaries, chains of `.` and `+`. */
  readonly nesting: number
  /** The nodes of its tree. */
  readonly nodes: number
}

/** The limits of a condition in a policy. */
export const conditionLimits: SourceLimits = { length: 4096, nesting: 64, nodes: 1000 }
/** The limits of an expression of the standard dialect. */
export const expressionLimits: SourceLimits = { length: 64 * 1024, nesting: 200, nodes: 20_000 }
/** How deep `all`, `exists`, `filter` and `map` may nest in one another in a condition. */
export const macroNestingMax = 2
/**
 * The steps of one evaluation: each element that `in` or a comparison visits is one, and so is each started portion
 * of a text that is read, of a list that is copied, and of the body of a macro for each element that it visits. 200,000
 * steps take a fraction of a second.
 */
export const evaluationStepsMax = 200_000
/** The size of a name whose size is not declared: the largest payload, in UTF-16 code units. */
export const undeclaredSize = 64 * 1024
/** How much text is read in one step, in UTF-16 code units. */
export const charactersPerStep = 100
/** How many items are copied or counted in one step. */
export const itemsPerStep = 5
/** How many nodes of a comprehension's body are evaluated in one step. */
export const nodesPerStep = 8
/** A text built during evaluation, in UTF-16 code units. */
export const textLengthMax = 1024 * 1024
/** The items of a list built during evaluation. */
export const listLengthMax = 100_000
/** How deep values may nest that are compared with one another. */
export const valueNestingMax = 200
