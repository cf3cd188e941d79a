import type { LiteralValue, Node } from '@bailiwick/cel'
import type { CompiledPolicy, FactType } from '../../model/policy.ts'
import {
  bools,
  comparedTo,
  merged,
  numbers,
  outside,
  texts,
  type ValueKind,
  type ValueSet,
} from './value-sets.ts'

/** Something that conditions ask about, and that they mean the same by wherever they name it. */
export interface Subject {
  /** Tells it from others; the same text in two conditions is the same subject. */
  readonly key: string
  readonly kind: ValueKind
  readonly read:
    | { readonly from: 'name'; readonly name: string }
    | { readonly from: 'path'; readonly path: readonly string[] }
    | { readonly from: 'size' }
    /** Nothing is known of it, but that it is one of true and false or fails. */
    | { readonly from: 'anything' }
}

/** A part of a condition that asks one thing: it is true for the values of `holds`, and false for all others. */
export interface Atom {
  readonly subject: Subject
  readonly holds: ValueSet
  readonly node: Node
}

/** What conditions of a policy can be told apart by. */
export interface AtomScope {
  readonly facts: CompiledPolicy['facts']
  /** The condition's text. */
  readonly source: string
}

const mirrored = { '<': '>', '<=': '>=', '>': '<', '>=': '<=', '==': '==', '!=': '!=' } as const
type Comparison = keyof typeof mirrored

/** What a part of a condition that is neither `&&`, `||` nor `!` asks. */
export function atomOf(node: Node, scope: AtomScope): Atom {
  return comparisonAtom(node, scope) ?? flagAtom(node, scope) ?? opaqueAtom(node, scope)
}

function comparisonAtom(node: Node, scope: AtomScope): Atom | undefined {
  if (node.kind !== 'binary') return undefined
  if (node.operator === 'in') return membershipAtom(node, scope)
  if (!isComparison(node.operator)) return undefined
  const right = constantOf(node.right)
  if (right !== undefined) return comparedAtom(node, node.left, node.operator, right, scope)
  const left = constantOf(node.left)
  return left === undefined ? undefined : comparedAtom(node, node.right, mirrored[node.operator], left, scope)
}

function comparedAtom(
  node: Node,
  asked: Node,
  operator: Comparison,
  constant: string | number | boolean,
  scope: AtomScope,
): Atom | undefined {
  const subject = subjectOf(asked, kindOf(constant), scope)
  if (subject === undefined) return undefined
  if (typeof constant === 'number') {
    return { subject, holds: numbers(comparedTo(operator, constant)), node }
  }
  if (operator !== '==' && operator !== '!=') return undefined
  const equal = operator === '=='
  if (typeof constant === 'boolean') return { subject, holds: bools([constant === equal]), node }
  return { subject, holds: equal ? texts([constant]) : outside(texts([constant], true)), node }
}

function membershipAtom(node: Extract<Node, { kind: 'binary' }>, scope: AtomScope): Atom | undefined {
  if (node.right.kind !== 'list' || node.right.items.some(({ optional }) => optional)) return undefined
  const constants = node.right.items.map(({ value }) => constantOf(value))
  const [first] = constants
  if (first === undefined) return undefined
  const subject = subjectOf(node.left, kindOf(first), scope)
  if (subject === undefined) return undefined
  const written = constants.filter((value) => value !== undefined && kindOf(value) === subject.kind)
  if (written.length < constants.length) return undefined
  switch (subject.kind) {
    case 'numbers': {
      const points = written.flatMap((value) => comparedTo('==', Number(value)))
      return { subject, holds: numbers(merged(points)), node }
    }
    case 'texts':
      return { subject, holds: texts(written.map(String)), node }
    case 'bools':
      return { subject, holds: bools(written.map(Boolean)), node }
    default:
      return subject.kind
  }
}

function flagAtom(node: Node, scope: AtomScope): Atom | undefined {
  const subject = subjectOf(node, 'bools', scope)
  return subject && { subject, holds: bools([true]), node }
}

// The same text asks the same of one call, whatever it is.
function opaqueAtom(node: Node, { source }: AtomScope): Atom {
  const key = `?${source.slice(node.start, node.end)}`
  return { subject: { key, kind: 'bools', read: { from: 'anything' } }, holds: bools([true]), node }
}

function subjectOf(node: Node, kind: ValueKind, { facts, source }: AtomScope): Subject | undefined {
  if (node.kind === 'name') {
    const isText = node.name === 'env' || node.name === 'action' || node.name === 'agent'
    const own = isText ? 'texts' : kindOfType(facts.get(node.name)?.type)
    return own === kind ? { key: node.name, kind, read: { from: 'name', name: node.name } } : undefined
  }
  const path = pathOf(node)
  if (path !== undefined && path.length > 1 && (path[0] === 'params' || path[0] === 'context')) {
    // The same path compared with another type is another subject: each fails where the other does not.
    return { key: `${path.join('.')} ${kind}`, kind, read: { from: 'path', path } }
  }
  const measured = measuredBy(node)
  if (measured === undefined || kind !== 'numbers') return undefined
  return { key: `size ${source.slice(measured.start, measured.end)}`, kind, read: { from: 'size' } }
}

function measuredBy(node: Node): Node | undefined {
  if (node.kind !== 'call' || node.name !== 'size') return undefined
  return node.target ?? node.args[0]
}

/** The names of `params.a.b`; undefined for everything else. */
export function pathOf(node: Node): readonly string[] | undefined {
  if (node.kind === 'name') return [node.name]
  if (node.kind !== 'select' || node.optional) return undefined
  const before = pathOf(node.operand)
  return before && [...before, node.field]
}

function kindOfType(type: FactType | undefined): ValueKind | undefined {
  switch (type) {
    case 'number':
      return 'numbers'
    case 'string':
      return 'texts'
    case 'bool':
      return 'bools'
    default:
      return undefined
  }
}

function kindOf(constant: string | number | boolean): ValueKind {
  if (typeof constant === 'number') return 'numbers'
  return typeof constant === 'string' ? 'texts' : 'bools'
}

/** The constant that a node is; undefined where it is none, or one that no fact can be. */
function constantOf(node: Node): string | number | boolean | undefined {
  if (node.kind === 'literal') return plainValue(node.value)
  if (node.kind !== 'unary' || node.operator !== '-') return undefined
  const value = constantOf(node.operand)
  return typeof value === 'number' ? -value : undefined
}

function plainValue(value: LiteralValue): string | number | boolean | undefined {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : undefined
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  return typeof value === 'string' || typeof value === 'boolean' ? value : undefined
}

function isComparison(operator: string): operator is Comparison {
  return Object.hasOwn(mirrored, operator)
}
