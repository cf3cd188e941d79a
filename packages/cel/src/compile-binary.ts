import { labelled } from './compile-context.ts'
import type { CompileContext } from './compile-context.ts'
import type { BinaryOperation } from './dialect.ts'
import { exhausted } from './frame.ts'
import type { Evaluate, Frame, Outcome } from './frame.ts'
import { isList, phraseOf } from './kinds.ts'
import { labelOf } from './label.ts'
import type { BinaryNode, Node } from './syntax.ts'
import { CelFailure } from './value.ts'
import type { CelValue } from './value.ts'

/** An operation between two outcomes: a failure of an operand is the result, the left one first. */
type Combine = (a: Outcome, b: Outcome, frame: Frame) => Outcome

/**
 * `left operator right`. The usual kinds of operands have a way of their own, without a call of the general
 * operation; everything else, and every failure, goes through that.
 */
export function compileBinary(node: BinaryNode, context: CompileContext): Evaluate {
  const combine = combiner(node, operationOf(node, context))
  if (node.operator === 'in') return compileIn(node, context, combine)
  const constant = context.observed ? undefined : constantOf(node.right, node.left, context.dialect.policy)
  const left = compileOperand(node.left, node.right, context)
  if (constant !== undefined) {
    const fast = compareConstant(node, left, constant, combine)
    if (fast !== undefined) return fast
  }
  const right = compileOperand(node.right, node.left, context)
  return compareNumbers(node, left, right, combine) ?? calculate(node, left, right, combine, context)
}

/** To compare with a written `null` is to ask whether there is a value, and so never ill-typed. */
function operationOf(node: BinaryNode, context: CompileContext): BinaryOperation {
  const { operator } = node
  const operation = context.dialect.binary[operator]
  if (!context.dialect.policy || (operator !== '==' && operator !== '!=')) return operation
  if (node.left.type !== 'null' && node.right.type !== 'null') return operation
  return (a, b) => (a === null && b === null) === (operator === '==')
}

function combiner(node: BinaryNode, operation: BinaryOperation): Combine {
  return (a, b, frame) => {
    if (a instanceof CelFailure) return a
    if (b instanceof CelFailure) return b
    const result = operation(a, b, frame)
    return result instanceof CelFailure ? labelled(node, result) : result
  }
}

/** In a policy, a whole number that stands beside a JSON number is one. */
function compileOperand(node: Node, other: Node, context: CompileContext): Evaluate {
  if (!context.dialect.policy || other.type !== 'number') return context.compile(node)
  if (node.kind !== 'literal' || typeof node.value !== 'bigint') return context.compile(node)
  const value = Number(node.value)
  return context.observing(node, () => value)
}

interface Constant {
  /** As the operand is when it comes from JSON. */
  readonly fast: number | string
  /** As written. */
  readonly value: CelValue
}

function constantOf(node: Node, other: Node, policy: boolean): Constant | undefined {
  if (node.kind !== 'literal') return undefined
  const { value } = node
  if (typeof value === 'number' || typeof value === 'string') return { fast: value, value }
  // In a policy every literal is exact as a double; beside a whole number it stays one.
  if (typeof value !== 'bigint' || !policy || other.type === 'int') return undefined
  return { fast: Number(value), value }
}

/** `operand operator constant`, where the operand is mostly of the constant's kind. */
function compareConstant(
  { operator }: BinaryNode,
  left: Evaluate,
  { fast, value }: Constant,
  combine: Combine,
): Evaluate | undefined {
  if (typeof fast === 'string') return compareText(operator, left, fast, combine)
  return compareNumber(operator, left, fast, value, combine)
}

function compareNumber(
  operator: string,
  left: Evaluate,
  fast: number,
  value: CelValue,
  combine: Combine,
): Evaluate | undefined {
  switch (operator) {
    case '>':
      return (frame) => {
        const a = left(frame)
        return typeof a === 'number' ? a > fast : combine(a, value, frame)
      }
    case '>=':
      return (frame) => {
        const a = left(frame)
        return typeof a === 'number' ? a >= fast : combine(a, value, frame)
      }
    case '<':
      return (frame) => {
        const a = left(frame)
        return typeof a === 'number' ? a < fast : combine(a, value, frame)
      }
    case '<=':
      return (frame) => {
        const a = left(frame)
        return typeof a === 'number' ? a <= fast : combine(a, value, frame)
      }
    case '==':
      return (frame) => {
        const a = left(frame)
        return typeof a === 'number' ? a === fast : combine(a, value, frame)
      }
    case '!=':
      return (frame) => {
        const a = left(frame)
        return typeof a === 'number' ? a !== fast : combine(a, value, frame)
      }
    default:
      return undefined
  }
}

/** The constant is short, so that comparing with it costs no step. */
function compareText(operator: string, left: Evaluate, text: string, combine: Combine): Evaluate | undefined {
  if (operator === '==') {
    return (frame) => {
      const a = left(frame)
      return typeof a === 'string' ? a === text : combine(a, text, frame)
    }
  }
  if (operator !== '!=') return undefined
  return (frame) => {
    const a = left(frame)
    return typeof a === 'string' ? a !== text : combine(a, text, frame)
  }
}

function compareNumbers(
  { operator }: BinaryNode,
  left: Evaluate,
  right: Evaluate,
  combine: Combine,
): Evaluate | undefined {
  switch (operator) {
    case '>':
      return (frame) => {
        const a = left(frame)
        const b = right(frame)
        return typeof a === 'number' && typeof b === 'number' ? a > b : combine(a, b, frame)
      }
    case '>=':
      return (frame) => {
        const a = left(frame)
        const b = right(frame)
        return typeof a === 'number' && typeof b === 'number' ? a >= b : combine(a, b, frame)
      }
    case '<':
      return (frame) => {
        const a = left(frame)
        const b = right(frame)
        return typeof a === 'number' && typeof b === 'number' ? a < b : combine(a, b, frame)
      }
    case '<=':
      return (frame) => {
        const a = left(frame)
        const b = right(frame)
        return typeof a === 'number' && typeof b === 'number' ? a <= b : combine(a, b, frame)
      }
    case '==':
    case '!=': {
      const equal = operator === '=='
      return (frame) => {
        const a = left(frame)
        const b = right(frame)
        return typeof a === 'number' && typeof b === 'number' ? (a === b) === equal : combine(a, b, frame)
      }
    }
    default:
      return undefined
  }
}

const arithmetic: Readonly<Record<string, ((a: number, b: number) => number) | undefined>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
}

/** A result that is not finite goes to the operation of the dialect, which knows what that means. */
function calculate(
  { operator }: BinaryNode,
  left: Evaluate,
  right: Evaluate,
  combine: Combine,
  context: CompileContext,
): Evaluate {
  const apply = context.dialect.policy ? arithmetic[operator] : undefined
  if (apply === undefined) return (frame) => combine(left(frame), right(frame), frame)
  return (frame) => {
    const a = left(frame)
    const b = right(frame)
    if (typeof a === 'number' && typeof b === 'number') {
      const result = apply(a, b)
      if (Number.isFinite(result)) return result
    }
    return combine(a, b, frame)
  }
}

/** `item in container`. */
function compileIn(node: BinaryNode, context: CompileContext, combine: Combine): Evaluate {
  const item = context.compile(node.left)
  const members = literalItems(node.right, context)
  if (members !== undefined) {
    const { has, list } = members
    return (frame) => {
      const wanted = item(frame)
      // Without a match, the general way tells no from an error.
      if ((typeof wanted === 'string' || typeof wanted === 'number') && has(wanted)) return true
      return combine(wanted, list, frame)
    }
  }
  const container = compileListed(node.right, context)
  return (frame) => {
    const wanted = item(frame)
    const within = container(frame)
    if (typeof wanted === 'string' && isList(within)) {
      const found = findText(wanted, within, frame)
      if (found !== undefined) return found
    }
    return combine(wanted, within, frame)
  }
}

interface LiteralItems {
  readonly list: readonly CelValue[]
  readonly has: (item: string | number) => boolean
}

function literalItems(node: Node, context: CompileContext): LiteralItems | undefined {
  if (node.kind !== 'list' || context.observed) return undefined
  const list: CelValue[] = []
  for (const { value, optional } of node.items) {
    if (value.kind !== 'literal' || optional) return undefined
    list.push(value.value)
  }
  const numbers = (value: CelValue): CelValue =>
    context.dialect.policy && typeof value === 'bigint' ? Number(value) : value
  const fast = list.map(numbers)
  if (fast.length > setFrom) {
    const set = new Set(fast)
    return { list, has: (item) => set.has(item) }
  }
  return { list, has: (item) => fast.includes(item) }
}

/** From how many items on a set is faster than going through them. */
const setFrom = 8

/** The item where it is there; undefined where only the general way can tell. */
function findText(wanted: string, list: readonly CelValue[], frame: Frame): true | undefined | CelFailure {
  if (!frame.charge(list.length)) return exhausted
  return list.includes(wanted) ? true : undefined
}

/**
 * A list or map of known type, or a list. Whoever sends a map where a list is meant must not get its keys looked at
 * in place of the items.
 */
export function compileListed(node: Node, context: CompileContext): Evaluate {
  const evaluate = context.compile(node)
  if (!context.dialect.policy || node.type !== 'dyn') return evaluate
  return (frame) => {
    const value = evaluate(frame)
    if (isList(value) || value instanceof CelFailure) return value
    return new CelFailure(`${labelOf(node)} is ${phraseOf(value)}, not a list`)
  }
}
