import { policyFunctions, standardFunctions } from './function-table.ts'
import { conditionLimits, expressionLimits } from './limits.ts'
import type { Grammar } from './parse.ts'

/** How conditions are written: no comments, no optionals, and only numbers that JSON can carry. */
export const policyGrammar: Grammar = {
  limits: conditionLimits,
  standard: false,
  isFunction: (name) => policyFunctions.formsOf(name) !== undefined,
}

/** How CEL is written. */
export const standardGrammar: Grammar = {
  limits: expressionLimits,
  standard: true,
  isFunction: (name) => standardFunctions.formsOf(name) !== undefined,
}
