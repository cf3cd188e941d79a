import { childrenOf, type Node } from '@bailiwick/cel'
import type { Facts, ToolCall } from '../model/call.ts'
import type { Decision } from '../model/decision.ts'
import type { ExplainedChange } from '../model/explanation.ts'
import type { Json, JsonObject } from '../model/json.ts'
import type { Given } from '../model/plan.ts'
import type { CompiledPolicy, Condition, FactDeclaration } from '../model/policy.ts'
import { existsFor, factReader } from '../policy/readers.ts'
import { decide } from './decide.ts'
import { planFor } from './plan.ts'
import { isOn, speaksOf } from './planned-rules.ts'
import { shownText, type Secrets } from './shown.ts'

/** How many values are tried for one fact. */
const candidatesMax = 40

/** A call as it might have been, and how that is said. */
interface Candidate {
  readonly change: string
  readonly call: ToolCall
  readonly facts: Facts
  /** How far it is from what was: of two that lead to the same effect, the nearer one is told. */
  readonly distance: number
}

/**
 * Single changes that lead to another effect. Each is tried out, so none is told that does not hold; there may be
 * others that nobody thought of. Facts take the values that conditions compare them with and their neighbours.
 */
export function changesOf(
  policy: CompiledPolicy,
  given: Given,
  decision: Decision,
  secrets: Secrets,
): readonly ExplainedChange[] {
  if (planFor(policy, given.call.action).settled !== undefined) return []
  const found: ExplainedChange[] = []
  for (const candidates of [
    ...factCandidates(policy, given, secrets),
    approvalCandidates(given, decision),
    sessionCandidates(given),
  ]) {
    const best = new Map<string, { readonly change: ExplainedChange; readonly distance: number }>()
    for (const { change, call, facts, distance } of candidates) {
      const other = decide(policy, call, facts)
      const known = best.get(other.effect)
      if (other.effect === decision.effect || (known !== undefined && known.distance <= distance)) continue
      best.set(other.effect, {
        change: { change, effect: other.effect, reason: other.reasons[0] ?? '' },
        distance,
      })
    }
    found.push(...[...best.values()].map(({ change }) => change))
  }
  return found
}

function* factCandidates(
  policy: CompiledPolicy,
  given: Given,
  secrets: Secrets,
): Generator<readonly Candidate[]> {
  const { action } = given.call
  const conditions: (Condition | undefined)[] = [
    ...policy.actions.filter(({ pattern }) => pattern.matches(action)).map(({ when }) => when),
    ...policy.rules
      .filter((rule) => speaksOf(rule, policy, action))
      .flatMap(({ condition, unless }) => [condition, unless]),
    ...policy.flows.filter((flow) => isOn(flow, action)).map(({ unless }) => unless),
  ]
  const trees = conditions.flatMap((condition) => condition?.ast ?? [])
  const limits = limitsOf(policy, given)
  for (const fact of policy.facts.values()) {
    if (fact.source === 'lookup' || !existsFor(fact, action)) continue
    const met = trees.flatMap((tree) => literalsBeside(tree, fact.name))
    // What is left of a budget tells what was taken from it.
    const left = secrets.isSecretFact(fact) ? [] : (limits.get(fact.name) ?? [])
    const values = [...met, ...left]
    const tried = candidateValues(fact, values).slice(0, candidatesMax)
    yield tried.flatMap((value) => factCandidate(fact, value, given))
  }
}

/** What is left of each budget that sums a fact. */
function limitsOf(policy: CompiledPolicy, given: Given): ReadonlyMap<string, readonly number[]> {
  const limits = new Map<string, number[]>()
  for (const planned of planFor(policy, given.call.action).counters) {
    const counter = policy.counters.find(({ id }) => id === planned.rule.id)
    const use = planned.use(given)
    if (counter?.sum === undefined || counter.sum.path.length > 0 || typeof use === 'string') continue
    const left = planned.rule.max - (given.facts.counters?.get(use.key) ?? Number.NaN)
    if (left >= 0) limits.set(counter.sum.root, [...(limits.get(counter.sum.root) ?? []), left])
  }
  return limits
}

/** The literals that a tree compares a name with, or looks for it among. */
function literalsBeside(node: Node, name: string): readonly Json[] {
  const inner = childrenOf(node).flatMap((part) => literalsBeside(part, name))
  if (node.kind === 'binary') {
    const sides = [node.left, node.right]
    if (!sides.some((side) => isName(side, name))) return inner
    return [...sides.flatMap(literalsIn), ...inner]
  }
  if (node.kind === 'call' && node.target !== undefined && isName(node.target, name)) {
    return [...node.args.flatMap(literalsIn), ...inner]
  }
  return inner
}

function isName(node: Node, name: string): boolean {
  return node.kind === 'name' && node.name === name
}

function literalsIn(node: Node): readonly Json[] {
  if (node.kind === 'list') return node.items.flatMap(({ value }) => literalsIn(value))
  if (node.kind === 'unary' && node.operator === '-') {
    return literalsIn(node.operand).flatMap((value) => (typeof value === 'number' ? [-value] : []))
  }
  if (node.kind !== 'literal') return []
  const { value } = node
  if (typeof value === 'bigint') return [Number(value)]
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? [value] : []
}

function candidateValues(fact: FactDeclaration, met: readonly Json[]): readonly Json[] {
  switch (fact.type) {
    case 'bool':
      return [true, false]
    case 'number':
      return unique(
        met.filter((value) => typeof value === 'number').flatMap((value) => [value, value - 1, value + 1]),
      )
    case 'string':
      return unique(met.filter((value) => typeof value === 'string'))
    case 'list<string>':
    case 'list<number>':
      return [[]]
    default: {
      const never: never = fact.type
      return never
    }
  }
}

function unique<Item>(items: readonly Item[]): readonly Item[] {
  return [...new Set(items)]
}

function factCandidate(fact: FactDeclaration, value: Json, given: Given): readonly Candidate[] {
  const { call, facts } = given
  const before = factReader(fact)(given)
  if (before === value) return []
  const root = fact.source === 'params' ? call.params : call.context
  const changed = withValue(root, fact.path, value)
  if (changed === undefined) return []
  const distance = typeof before === 'number' && typeof value === 'number' ? Math.abs(before - value) : 0
  return [
    {
      change: `${fact.name} were ${shownText(value)}`,
      call: { ...call, [fact.source]: changed },
      facts,
      distance,
    },
  ]
}

/** A copy with another value at a path; undefined where something on the way is no object. */
function withValue(root: JsonObject, path: readonly string[], value: Json): JsonObject | undefined {
  const [name, ...rest] = path
  if (name === undefined) return undefined
  const copy = new Map(Object.entries(root))
  if (rest.length === 0) {
    copy.set(name, value)
  } else {
    const inner = copy.get(name) ?? {}
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return undefined
    const changed = withValue(inner as JsonObject, rest, value)
    if (changed === undefined) return undefined
    copy.set(name, changed)
  }
  return Object.fromEntries(copy)
}

function approvalCandidates({ call, facts }: Given, decision: Decision): readonly Candidate[] {
  if (decision.effect !== 'escalate') return []
  const { routes } = decision.approval
  const id = (call.approvalId ?? 'apr_0') as NonNullable<ToolCall['approvalId']>
  return [
    {
      change: `${routes.join(' and ')} were granted`,
      call: { ...call, approvalId: id },
      facts: { ...facts, approval: { kind: 'granted', id, routes } },
      distance: 0,
    },
  ]
}

function sessionCandidates({ call, facts }: Given): readonly Candidate[] {
  const { session } = facts
  if (session === undefined || (session.labels.length === 0 && session.actions.length === 0)) return []
  return [
    {
      change: 'nothing had happened in the session before',
      call,
      facts: { ...facts, session: { labels: [], actions: [] } },
      distance: 0,
    },
  ]
}
