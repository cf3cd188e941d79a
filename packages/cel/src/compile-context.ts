import type { Dialect } from './dialect.ts'
import type { FunctionTable } from './function-table.ts'
import { exhausted } from './frame.ts'
import type { Evaluate, Outcome } from './frame.ts'
import { phraseOf } from './kinds.ts'
import { labelOf } from './label.ts'
import type { LibraryFunction } from './library/entry.ts'
import type { CallNode, CelProblem, NameNode, Node, SelectNode } from './syntax.ts'
import { CelFailure } from './value.ts'

/** What the compilers of single kinds of nodes need of the compilation as a whole. */
export interface CompileContext {
  readonly dialect: Dialect
  readonly functions: FunctionTable
  /** The forms of a call that its types leave open; undefined where nothing was checked. */
  readonly formsOf: (node: CallNode) => readonly LibraryFunction[] | undefined
  /** What is found wrong while compiling: literals that are not what they are used for. */
  readonly problems: CelProblem[]
  /** Whether every part is told of, so that no part may be evaluated together with another. */
  readonly observed: boolean
  /** Tells of what a node comes to, where that is wanted. */
  observing(node: Node, evaluate: Evaluate): Evaluate
  /** Compiles a node and everything below it. */
  compile(node: Node): Evaluate
  /** The slot of a variable in scope, or undefined. */
  slotOf(name: string): number | undefined
  /** Compiles with variables in scope, which get slots of their own. */
  within<Result>(names: readonly string[], build: (slots: readonly number[]) => Result): Result
  /** What reads a name that is no variable. */
  readName(node: NameNode): Evaluate
  /** What reads a chain of fields that is the name of something, such as `a.b`; undefined where it cannot be. */
  readQualified(node: SelectNode): ((input: unknown) => Outcome | undefined) | undefined
}

/** The failure of an operation with the text of the operation before it. */
export function labelled(node: Node, failure: CelFailure): CelFailure {
  return failure === exhausted ? failure : new CelFailure(`${labelOf(node)} ${failure.message}`)
}

/** The outcome of an operation; where it is a failure, with the text of the operation before it. */
export function named(node: Node, outcome: Outcome): Outcome {
  return outcome instanceof CelFailure ? labelled(node, outcome) : outcome
}

/** A node where a bool is needed. */
export function compileBool(node: Node, context: CompileContext): Evaluate {
  const evaluate = context.compile(node)
  // The standard dialect takes the values of names as they are given, whatever was declared.
  if (context.dialect.policy && node.type === 'bool') return evaluate
  return (frame) => {
    const value = evaluate(frame)
    if (typeof value === 'boolean' || value instanceof CelFailure) return value
    return new CelFailure(`${labelOf(node)} is ${phraseOf(value)}, not a bool`)
  }
}
