/** Operators between two operands, apart from `&&` and `||`. */
export type BinaryOperator = '+' | '-' | '*' | '/' | '%' | '==' | '!=' | '<' | '<=' | '>' | '>=' | 'in'

/** The comprehension macros of CEL. */
export type MacroName = 'all' | 'exists' | 'exists_one' | 'filter' | 'map'

/** A constant as written: whole numbers are bigint, so that they never lose a digit. */
export type LiteralValue = string | number | bigint | boolean | Uint8Array | null

interface Placed {
  /** Zero-based UTF-16 offset into the source: where a reader would point. */
  readonly offset: number
}

/** A condition as a tree. Independent of the parser that made it and of the evaluator that runs it. */
export type Node = Placed &
  (
    | { readonly kind: 'literal'; readonly value: LiteralValue }
    | { readonly kind: 'name'; readonly name: string }
    | { readonly kind: 'select'; readonly operand: Node; readonly field: string }
    | { readonly kind: 'has'; readonly operand: Node; readonly field: string }
    | { readonly kind: 'index'; readonly operand: Node; readonly index: Node }
    | { readonly kind: 'logic'; readonly operator: '&&' | '||'; readonly left: Node; readonly right: Node }
    | { readonly kind: 'unary'; readonly operator: '!' | '-'; readonly operand: Node }
    | {
        readonly kind: 'binary'
        readonly operator: BinaryOperator
        readonly left: Node
        readonly right: Node
      }
    | {
        readonly kind: 'choice'
        readonly condition: Node
        readonly whenTrue: Node
        readonly whenFalse: Node
      }
    | CallNode
    | { readonly kind: 'list'; readonly items: readonly Node[] }
    | { readonly kind: 'map'; readonly entries: readonly { readonly key: Node; readonly value: Node }[] }
    | MacroNode
  )

/** `name(args)`, or `target.name(args)`. */
export interface CallNode extends Placed {
  readonly kind: 'call'
  readonly name: string
  readonly target: Node | undefined
  readonly args: readonly Node[]
}

/** `range.macro(variable, test)`; `map` has a step, and a test only in its form with three arguments. */
export interface MacroNode extends Placed {
  readonly kind: 'macro'
  readonly macro: MacroName
  readonly range: Node
  readonly variable: string
  readonly test: Node | undefined
  readonly step: Node | undefined
}

/** Something wrong with a condition, with its place. */
export interface CelProblem {
  /** Zero-based UTF-16 offset into the source. */
  readonly offset: number
  /** One sentence: what is wrong. */
  readonly message: string
  /** One sentence: what to do. */
  readonly fix: string
}
