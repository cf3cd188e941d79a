import type { Node } from '@bailiwick/cel'
import type { CompiledPolicy, Condition, ConditionRule } from '../../model/policy.ts'
import { atomOf, type Atom, type Subject } from './atoms.ts'
import { all, always, any, never, oneOf, type Region } from './regions.ts'
import { bools, outside, texts, withFailing } from './value-sets.ts'

/**
 * Where a condition comes out as asked. An absent name, or one of another type, is a value like any other: `failing`.
 * With it, conditions follow the logic of CEL exactly: `&&` is the lesser, `||` the greater of false, error and true.
 */
export interface Outcome {
  /** Which result is asked for. */
  readonly value: boolean
  /** Whether an error will do as well; for a rule an error counts as matched. */
  readonly orError: boolean
}

/** What a rule takes for a match. */
export const matched: Outcome = { value: true, orError: true }
/** What nothing takes for a match. */
export const plainlyFalse: Outcome = { value: false, orError: false }
/** True, and no error. */
export const plainlyTrue: Outcome = { value: true, orError: false }

/** Where a condition has an outcome. */
export function regionOf(condition: Condition, outcome: Outcome, facts: CompiledPolicy['facts']): Region {
  return nodeRegion(condition.ast, outcome, { facts, source: condition.source })
}

type Scope = Parameters<typeof atomOf>[1]

function nodeRegion(node: Node, outcome: Outcome, scope: Scope): Region {
  if (node.kind === 'unary' && node.operator === '!') {
    return nodeRegion(node.operand, { ...outcome, value: !outcome.value }, scope)
  }
  if (node.kind === 'logic') {
    const parts = node.operands.map((operand) => nodeRegion(operand, outcome, scope))
    return (node.operator === '&&') === outcome.value ? all(parts) : any(parts)
  }
  if (node.kind === 'literal' && typeof node.value === 'boolean') {
    return node.value === outcome.value ? always : never
  }
  return atomRegion(atomOf(node, scope), outcome)
}

/** Where one part of a condition has an outcome. */
function atomRegion({ subject, holds }: Atom, { value, orError }: Outcome): Region {
  return oneOf(subject.key, withFailing(value ? holds : outside(holds), orError))
}

/** The parts of a condition that ask one thing each. `denied`: behind an odd number of `!`. */
export function atomsOf(
  condition: Condition,
  facts: CompiledPolicy['facts'],
): readonly { readonly atom: Atom; readonly denied: boolean }[] {
  const scope = { facts, source: condition.source }
  const visit = (node: Node, denied: boolean): { atom: Atom; denied: boolean }[] => {
    if (node.kind === 'unary' && node.operator === '!') return visit(node.operand, !denied)
    if (node.kind === 'logic') return node.operands.flatMap((operand) => visit(operand, denied))
    if (node.kind === 'literal') return []
    return [{ atom: atomOf(node, scope), denied }]
  }
  return visit(condition.ast, false)
}

/** What a condition asks about. */
export function subjectsOf(condition: Condition, facts: CompiledPolicy['facts']): readonly Subject[] {
  return atomsOf(condition, facts).map(({ atom }) => atom.subject)
}

/** What a rule asks about, beside windows. */
export function ruleSubjects(rule: ConditionRule, facts: CompiledPolicy['facts']): readonly Subject[] {
  const asked = [rule.condition, rule.unless].flatMap((one) =>
    one === undefined ? [] : subjectsOf(one, facts),
  )
  const env: Subject = { key: 'env', kind: 'texts', read: { from: 'name', name: 'env' } }
  return rule.environments === undefined ? asked : [...asked, env]
}

/** Where a rule matches: all that it asks holds, or cannot be told. */
export function matchRegion(rule: ConditionRule, facts: CompiledPolicy['facts']): Region {
  const { condition, unless, window, outside: beyond, environments } = rule
  return all([
    condition === undefined ? always : regionOf(condition, matched, facts),
    // `unless` excuses only where it is true.
    unless === undefined ? always : regionOf(unless, { value: false, orError: true }, facts),
    window === undefined ? always : oneOf(`window ${window.name}`, bools([true])),
    beyond === undefined ? always : oneOf(`window ${beyond.name}`, bools([false])),
    environments === undefined ? always : oneOf('env', texts(environments, true)),
  ])
}

/** Where a rule certainly does not match. */
export function missRegion(rule: ConditionRule, facts: CompiledPolicy['facts']): Region {
  const { condition, unless, window, outside: beyond, environments } = rule
  return any([
    condition === undefined ? never : regionOf(condition, plainlyFalse, facts),
    unless === undefined ? never : regionOf(unless, plainlyTrue, facts),
    window === undefined ? never : oneOf(`window ${window.name}`, bools([false])),
    beyond === undefined ? never : oneOf(`window ${beyond.name}`, bools([true])),
    environments === undefined ? never : oneOf('env', outside(texts(environments, true))),
  ])
}
