import { compileHas, compileIndex, compileSelect } from './compile-access.ts'
import { compileBinary } from './compile-binary.ts'
import { compileCall } from './compile-call.ts'
import { compileList, compileMap } from './compile-collection.ts'
import { compileBool, labelled } from './compile-context.ts'
import type { CompileContext } from './compile-context.ts'
import { compileLogic } from './compile-logic.ts'
import { compileBind, compileMacro } from './compile-macro.ts'
import type { Dialect } from './dialect.ts'
import type { FunctionTable } from './function-table.ts'
import type { Evaluate, Outcome } from './frame.ts'
import type { LibraryFunction } from './library/entry.ts'
import type { CallNode, CelProblem, ChoiceNode, NameNode, Node, SelectNode } from './syntax.ts'
import { CelFailure } from './value.ts'

/** What a compilation is told: the dialect, and where names come from. */
export interface CompileOptions {
  readonly dialect: Dialect
  readonly functions: FunctionTable
  readonly formsOf: (node: CallNode) => readonly LibraryFunction[] | undefined
  /** Reads a name that is no variable. `newSlot` gives a place in the frame, empty when an evaluation begins. */
  readonly readName: (node: NameNode, newSlot: () => number) => Evaluate
  readonly readQualified: (node: SelectNode) => ((input: unknown) => Outcome | undefined) | undefined
  /** Whether the frame is told of every part that is evaluated. */
  readonly observed: boolean
}

/** A tree ready to run, with the number of slots that its frames must have. */
export interface Compiled {
  readonly evaluate: Evaluate
  readonly slots: number
  readonly problems: readonly CelProblem[]
}

/** Compiles a checked tree to closures. Where a bool is wanted, what is none becomes a failure. */
export function compileTree(root: Node, options: CompileOptions, bool: boolean): Compiled {
  const compiler = new Compiler(options)
  const evaluate = bool ? compileBool(root, compiler) : compiler.compile(root)
  return { evaluate, slots: compiler.slots, problems: compiler.problems }
}

class Compiler implements CompileContext {
  readonly dialect: Dialect
  readonly functions: FunctionTable
  readonly formsOf: (node: CallNode) => readonly LibraryFunction[] | undefined
  readonly observed: boolean
  readonly problems: CelProblem[] = []
  slots = 0
  readonly #options: CompileOptions
  readonly #variables: { readonly name: string; readonly slot: number }[] = []

  constructor(options: CompileOptions) {
    this.#options = options
    this.dialect = options.dialect
    this.functions = options.functions
    this.formsOf = options.formsOf
    this.observed = options.observed
  }

  compile(node: Node): Evaluate {
    return this.observing(node, this.#compile(node))
  }

  observing(node: Node, evaluate: Evaluate): Evaluate {
    if (!this.observed) return evaluate
    return (frame) => {
      const outcome = evaluate(frame)
      frame.observe?.(node, outcome)
      return outcome
    }
  }

  slotOf(name: string): number | undefined {
    return this.#variables.findLast((variable) => variable.name === name)?.slot
  }

  within<Result>(names: readonly string[], build: (slots: readonly number[]) => Result): Result {
    const depth = this.#variables.length
    const slots = names.map((name) => {
      const slot = this.#newSlot()
      this.#variables.push({ name, slot })
      return slot
    })
    const result = build(slots)
    this.#variables.length = depth
    return result
  }

  readName(node: NameNode): Evaluate {
    return this.#options.readName(node, () => this.#newSlot())
  }

  readQualified(node: SelectNode): ((input: unknown) => Outcome | undefined) | undefined {
    let root: Node = node
    while (root.kind === 'select') root = root.operand
    if (root.kind !== 'name' || (!root.absolute && this.slotOf(root.name) !== undefined)) return undefined
    return this.#options.readQualified(node)
  }

  #newSlot(): number {
    this.slots += 1
    return this.slots - 1
  }

  #compile(node: Node): Evaluate {
    switch (node.kind) {
      case 'literal': {
        const { value } = node
        // A whole number that is compared or combined with JSON numbers is compiled as one there.
        return () => value
      }
      case 'name':
        return this.#name(node)
      case 'select':
        return compileSelect(node, this)
      case 'has':
        return compileHas(node, this)
      case 'index':
        return compileIndex(node, this)
      case 'logic':
        return compileLogic(node, this)
      case 'unary':
        return node.operator === '!' ? this.#not(node.operand) : this.#negation(node, node.operand)
      case 'choice':
        return this.#choice(node)
      case 'binary':
        return compileBinary(node, this)
      case 'call':
        return compileCall(node, this)
      case 'list':
        return compileList(node.items, this)
      case 'map':
        return compileMap(node, node.entries, this)
      case 'macro':
        return compileMacro(node, this)
      case 'bind':
        return compileBind(node, this)
      default:
        return node
    }
  }

  #name(node: NameNode): Evaluate {
    const slot = node.absolute ? undefined : this.slotOf(node.name)
    if (slot === undefined) return this.readName(node)
    const unset = new CelFailure(`${node.name} is missing`)
    return (frame) => frame.slots[slot] ?? (frame.slots[slot] === null ? null : unset)
  }

  #not(operand: Node): Evaluate {
    const evaluate = compileBool(operand, this)
    return (frame) => {
      const value = evaluate(frame)
      return typeof value === 'boolean' ? !value : value
    }
  }

  #negation(node: Node, operand: Node): Evaluate {
    const evaluate = this.compile(operand)
    const { negate } = this.dialect
    return (frame) => {
      const value = evaluate(frame)
      if (typeof value === 'number') return -value
      if (value instanceof CelFailure) return value
      const negated = negate(value)
      return negated instanceof CelFailure ? labelled(node, negated) : negated
    }
  }

  #choice(node: ChoiceNode): Evaluate {
    const condition = compileBool(node.condition, this)
    const [whenTrue, whenFalse] = [this.compile(node.whenTrue), this.compile(node.whenFalse)]
    return (frame) => {
      const chosen = condition(frame)
      if (chosen === true) return whenTrue(frame)
      return chosen === false ? whenFalse(frame) : chosen
    }
  }
}
