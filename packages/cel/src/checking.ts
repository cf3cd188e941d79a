import type { Inference } from './infer.ts'
import type { LibraryFunction } from './library/entry.ts'
import type { CallNode, MacroNode, Node } from './syntax.ts'
import type { OpenType } from './types.ts'

/** A variable of a comprehension. */
export interface Variable {
  readonly name: string
  readonly type: OpenType
}

/** What the checks of single kinds of nodes need of the check as a whole. */
export interface Checking {
  readonly inference: Inference
  /** Calls whose literal text must be tried out at load. */
  readonly literalCalls: CallNode[]
  /** For each call, the forms of its function that its types leave open. */
  readonly forms: Map<CallNode, readonly LibraryFunction[]>
  /** Checks a node and everything below it. */
  visit(node: Node): OpenType
  /** As `visit`; a name that is selected from, indexed or gone over must be declared: its use does not tell its type. */
  visitContainer(node: Node): OpenType
  /** Checks a node that must be true or false. `what` names it in the message. */
  expectBool(node: Node, what: string): void
  /** Checks what lies within the variables of a comprehension. */
  within(variables: readonly Variable[], visit: () => OpenType): OpenType
  /** Checks what lies within a macro, which may not nest too deeply. */
  nested(node: MacroNode, visit: () => OpenType): OpenType
  /** Reports a variable that hides another name. */
  checkVariable(name: string, offset: number): void
  /** Notes a problem. @returns `dyn`, to go on with */
  report(offset: number, message: string, fix: string): 'dyn'
}
