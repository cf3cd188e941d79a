import { policyFunctions, standardFunctions } from './function-table.ts'
import { conditionLimits, expressionLimits } from './limits.ts'
import type { Grammar } from './parse.ts'

/** How conditions are written: no comments, no optionals, and only numbers that JSON can carry. */
export const policyGrammar: Grammar = {
  limits: conditionLimits,
  comments: false,
  optionals: false,
  allNumbersAndNames: false,
  isFunction: (name) => policyFunctions.formsOf(name) !== undefined,
}

/** How CEL is written. */
export const standardGrammar: Grammar = {
  limits: expressionLimits,
  comments: true,
  optionals: true,
  allNumbersAndNames: true,
  isFunction: (name) => standardFunctions.formsOf(name) !== undefined,
}
