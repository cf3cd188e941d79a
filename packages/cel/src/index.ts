export { compileCondition, compileValue } from './condition.ts'
export { compileExpression } from './expression.ts'
export { compilePattern, type Pattern } from './library/pattern.ts'
export { nearest } from './nearest.ts'
export { childrenOf } from './syntax.ts'
export type {
  CompiledCondition,
  CompiledValue,
  CompileResult,
  CompileValueResult,
  ConditionResult,
  ConditionValues,
  ValueResult,
  ValueType,
} from './condition.ts'
export type {
  CompiledExpression,
  CompileExpressionResult,
  ExpressionResult,
  ExpressionScope,
  ExpressionValues,
} from './expression.ts'
export { newSharedParts } from './scope.ts'
export type { ConditionScope, SharedParts, SizeBounds } from './scope.ts'
export type { TracedPart, TracedResult } from './trace.ts'
export type * from './syntax.ts'
export type { CelType, InferredType, RecordType } from './types.ts'
export * from './value.ts'
