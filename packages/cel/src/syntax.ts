import type { CelType } from './types.ts'
import type { CelUint } from './value.ts'

/** Operators between two operands, apart from `&&` and `||`. */
export type BinaryOperator = '+' | '-' | '*' | '/' | '%' | '==' | '!=' | '<' | '<=' | '>' | '>=' | 'in'

/** The macros of CEL that go over a list or a map, or over what an optional holds. */
export type MacroName =
  | 'all'
  | 'exists'
  | 'exists_one'
  | 'filter'
  | 'map'
  | 'transformList'
  | 'transformMap'
  | 'transformMapEntry'
  | 'optMap'
  | 'optFlatMap'

/** A constant as written: whole numbers are bigint, so that they never lose a digit. */
export type LiteralValue = string | number | bigint | boolean | Uint8Array | CelUint | null

/** What every node has. Offsets are zero-based and count UTF-16 code units of the source. */
export interface Placed {
  /** Where a reader would point: at the operator, at the name of a method. */
  readonly offset: number
  /** Where the text of the node starts. */
  readonly start: number
  /** Where the text of the node ends, exclusive. */
  readonly end: number
  /** What the check found out; `dyn` before it, and where only an evaluation can tell. */
  type: CelType
  /** What messages call the node, kept from when it was first asked for: a comprehension may fail for each item. */
  label?: string | undefined
}

/** `name(args)`, or `target.name(args)`. A function with a namespace, such as `math.abs`, has no target. */
export interface CallNode extends Placed {
  readonly kind: 'call'
  readonly name: string
  readonly target: Node | undefined
  readonly args: readonly Node[]
}

/**
 * `range.macro(variable, test)`; the mapping macros have a step, and a test only where one is written. With a second
 * variable, the first is the index or key and the second the item or value.
 */
export interface MacroNode extends Placed {
  readonly kind: 'macro'
  readonly macro: MacroName
  readonly range: Node
  readonly variable: string
  readonly second: string | undefined
  readonly test: Node | undefined
  readonly step: Node | undefined
}

/** A part of a list or a map literal. `optional`: written with `?`, and left out where its value is absent. */
export interface ListItem {
  readonly value: Node
  readonly optional: boolean
}

/** An entry of a map literal. */
export interface MapEntry {
  readonly key: Node
  readonly value: Node
  readonly optional: boolean
}

/** `operand.field`. `optional`: written `operand.?field`. */
export interface SelectNode extends Placed {
  readonly kind: 'select'
  readonly operand: Node
  readonly field: string
  readonly optional: boolean
}

/** `left operator right`. */
export interface BinaryNode extends Placed {
  readonly kind: 'binary'
  readonly operator: BinaryOperator
  readonly left: Node
  readonly right: Node
}

/** A chain of `&&` or of `||`: two operands or more. */
export interface LogicNode extends Placed {
  readonly kind: 'logic'
  readonly operator: '&&' | '||'
  readonly operands: readonly Node[]
}

/** `condition ? whenTrue : whenFalse`. */
export interface ChoiceNode extends Placed {
  readonly kind: 'choice'
  readonly condition: Node
  readonly whenTrue: Node
  readonly whenFalse: Node
}

/** `operand[index]`. `optional`: written `operand[?index]`. */
export interface IndexNode extends Placed {
  readonly kind: 'index'
  readonly operand: Node
  readonly index: Node
  readonly optional: boolean
}

/** `name`, or `.name` where it is looked for from the root of all names. */
export interface NameNode extends Placed {
  readonly kind: 'name'
  readonly name: string
  readonly absolute: boolean
}

/** `cel.bind(variable, value, body)`. */
export interface BindNode extends Placed {
  readonly kind: 'bind'
  readonly variable: string
  readonly value: Node
  readonly body: Node
}

/** An expression as a tree. Independent of the text it was read from and of how it is evaluated. */
export type Node =
  | (Placed & { readonly kind: 'literal'; readonly value: LiteralValue })
  | NameNode
  | SelectNode
  | (Placed & { readonly kind: 'has'; readonly operand: Node; readonly field: string })
  | IndexNode
  | LogicNode
  | (Placed & { readonly kind: 'unary'; readonly operator: '!' | '-'; readonly operand: Node })
  | BinaryNode
  | ChoiceNode
  | CallNode
  | (Placed & { readonly kind: 'list'; readonly items: readonly ListItem[] })
  | (Placed & { readonly kind: 'map'; readonly entries: readonly MapEntry[] })
  | MacroNode
  | BindNode

/** The parts of a node, in the order of the source. */
export function childrenOf(node: Node): readonly Node[] {
  switch (node.kind) {
    case 'literal':
    case 'name':
      return []
    case 'select':
    case 'has':
    case 'unary':
      return [node.operand]
    case 'index':
      return [node.operand, node.index]
    case 'logic':
      return node.operands
    case 'binary':
      return [node.left, node.right]
    case 'choice':
      return [node.condition, node.whenTrue, node.whenFalse]
    case 'call':
      return node.target === undefined ? node.args : [node.target, ...node.args]
    case 'list':
      return node.items.map((item) => item.value)
    case 'map':
      return node.entries.flatMap((entry) => [entry.key, entry.value])
    case 'macro':
      return [node.range, node.test, node.step].filter((part) => part !== undefined)
    case 'bind':
      return [node.value, node.body]
    default:
      return node
  }
}

/** How many nodes a tree has. */
export function sizeOfTree(node: Node): number {
  return childrenOf(node).reduce((size, part) => size + sizeOfTree(part), 1)
}

/** The dotted name that a chain of fields spells, or undefined. */
export function qualifiedName(node: Node): string | undefined {
  if (node.kind === 'name') return node.name
  if (node.kind !== 'select' || node.optional) return undefined
  const operand = qualifiedName(node.operand)
  return operand === undefined ? undefined : `${operand}.${node.field}`
}

/** Something wrong with an expression, with its place. */
export interface CelProblem {
  /** Zero-based UTF-16 offset into the source. */
  readonly offset: number
  /** One sentence: what is wrong. */
  readonly message: string
  /** One sentence: what to do. */
  readonly fix: string
}
