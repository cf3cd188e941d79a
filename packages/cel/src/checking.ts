import type { Inference } from './infer.ts'
import type { LibraryFunction } from './library/entry.ts'
import type { CallNode, Node } from './syntax.ts'
import type { OpenType } from './types.ts'

/** What the checks of single kinds of nodes need of the check as a whole. */
export interface Checking {
  readonly inference: Inference
  /** Calls whose literal text must be tried out at load. */
  readonly literalCalls: CallNode[]
  /** For each call, the forms of its function that its types leave open. */
  readonly forms: Map<CallNode, readonly LibraryFunction[]>
  /** Checks a node and everything below it. */
  visit(node: Node): OpenType
  /** Notes a problem. @returns `dyn`, to go on with */
  report(offset: number, message: string, fix: string): 'dyn'
}
