import {
  childrenOf,
  CelDuration,
  CelOptional,
  CelTimestamp,
  CelTypeValue,
  CelUint,
  type Node,
} from '@bailiwick/cel'
import type { CompiledPolicy, FactDeclaration, ValueExpression } from '../model/policy.ts'
import { maskText } from '../policy/sensitive.ts'

const shownLengthMax = 200

/** A value as people read it, on one line, cut at 200 characters. */
export function shownText(value: unknown): string {
  const text = textOf(value)
  return text.length > shownLengthMax ? `${text.slice(0, shownLengthMax - 1)}…` : text
}

function textOf(value: unknown): string {
  if (typeof value === 'bigint') return String(value)
  if (value instanceof CelUint) return `${value.value}u`
  if (value instanceof CelTimestamp) return timeText(value.nanos)
  if (value instanceof CelDuration) return `${Number(value.nanos) / 1e9}s`
  if (value instanceof CelTypeValue) return value.name
  if (value instanceof CelOptional) return value.value === undefined ? 'none' : textOf(value.value)
  if (value instanceof Uint8Array) return `${value.length} bytes`
  if (value instanceof Map) return textOf(Object.fromEntries(value))
  if (Array.isArray(value))
    return `[${value.slice(0, 50).map(textOf).join(', ')}${value.length > 50 ? ', …' : ''}]`
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).slice(0, 50)
    return `{${members.map(([name, member]) => `${JSON.stringify(name)}: ${textOf(member)}`).join(', ')}}`
  }
  return JSON.stringify(value) ?? 'nothing'
}

function timeText(nanos: bigint): string {
  const milliseconds = Number(nanos / 1_000_000n)
  const date = new Date(milliseconds)
  return Number.isNaN(date.getTime()) ? `${nanos} ns` : date.toISOString()
}

/** What of a call nobody may read in an explanation. */
export interface Secrets {
  readonly mask: string
  /** Whether a fact's value is, holds, or is part of something sensitive. */
  isSecretFact(fact: FactDeclaration): boolean
  /** Whether what a part of a condition comes to would show something sensitive. */
  isSecretPart(node: Node): boolean
  /** Whether what a counter adds up is, holds, or is part of something sensitive. */
  isSecretValue(value: ValueExpression): boolean
}

/** The secrets of an action's calls, by what the policy calls sensitive, and what the others do. */
export function secretsOf(
  policy: CompiledPolicy,
  action: string,
  others: readonly CompiledPolicy[] = [],
): Secrets {
  const actions = [policy, ...others].flatMap((each) => each.actions)
  const paths = actions.flatMap(({ pattern, sensitive }) => (pattern.matches(action) ? sensitive : []))
  const touches = (path: readonly string[]): boolean =>
    paths.some((secret) => secret.every((name, at) => at >= path.length || path[at] === name))
  const isSecretFact = ({ source, path }: FactDeclaration): boolean =>
    source !== 'lookup' && touches([source, ...path])
  const isSecretPart = (node: Node): boolean => {
    const path = pathOf(node)
    if (path === undefined) return childrenOf(node).some(isSecretPart)
    const [root = ''] = path
    const fact = policy.facts.get(root)
    if (fact !== undefined) return isSecretFact(fact)
    // A name that nobody declared stands for a parameter.
    return touches(root === 'params' || root === 'context' ? path : ['params', ...path])
  }
  const isSecretValue = ({ root, path }: ValueExpression): boolean => {
    const fact = path.length === 0 ? policy.facts.get(root) : undefined
    return fact === undefined ? touches([root, ...path]) : isSecretFact(fact)
  }
  return { mask: maskText, isSecretFact, isSecretPart, isSecretValue }
}

/** `params.card.number` as its names; undefined for anything but a name and fields of it. */
function pathOf(node: Node): readonly string[] | undefined {
  if (node.kind === 'name') return [node.name]
  if (node.kind !== 'select') return undefined
  const operand = pathOf(node.operand)
  return operand && [...operand, node.field]
}
