/** A condition's length in UTF-16 code units. */
export const sourceLengthMax = 4096
/** How deep a condition may nest: brackets, `!` and `-` in a row, ternaries, chains of `.` and `+`. */
export const nestingMax = 64
/** The nodes of a condition's tree. */
export const nodesMax = 1000
/** How deep `all`, `exists`, `filter` and `map` may nest in one another. */
export const macroNestingMax = 2
/**
 * The steps of one evaluation: each element that a macro, `in` or a comparison visits is one, and so is each
 * started portion of a text that is read or a list that is copied. 200,000 steps take a fraction of a second.
 */
export const evaluationStepsMax = 200_000
/** How much text is read in one step, in UTF-16 code units. */
export const charactersPerStep = 100
/** How many items are copied or counted in one step. */
export const itemsPerStep = 5
/** A text built during evaluation, in UTF-16 code units. */
export const textLengthMax = 1024 * 1024
/** The items of a list built during evaluation. */
export const listLengthMax = 100_000
