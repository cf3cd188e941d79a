import type { DeterminingRule } from '../model/decision.ts'
import type { Given, PlannedRule } from '../model/plan.ts'
import type { CompiledPolicy, Condition, ConditionRule, FlowRule, RuleBase } from '../model/policy.ts'
import { existsFor } from '../policy/readers.ts'
import { absentFacts } from './facts.ts'

/**
 * Whether a rule speaks of an action. A rule whose condition uses nothing but facts that do not
 * exist for the action says nothing about it. One name that does exist is enough to evaluate it, and
 * then an absent fact counts as matched: `a > 5 || b` must not go silent because only `a` is absent.
 */
export function speaksOf(rule: ConditionRule, policy: CompiledPolicy, action: string): boolean {
  if (!isOn(rule, action)) return false
  const { condition } = rule
  if (condition === undefined || condition.uses.length === 0) return true
  return condition.uses.some((name) => {
    const fact = policy.facts.get(name)
    return fact === undefined || existsFor(fact, action)
  })
}

/** Whether a rule is about an action at all. */
export function isOn({ on }: RuleBase, action: string): boolean {
  return on === undefined || on.some((pattern) => pattern.matches(action))
}

/** How a rule appears in a decision where it matched. `condition`: what it asks, for people. */
export function listingOf(rule: RuleBase, condition: string | undefined): DeterminingRule {
  const { id, effect, line, file, link, route, shadow } = rule
  return Object.freeze({
    id,
    effect,
    because: 'matched' as const,
    line,
    ...(condition === undefined ? {} : { condition }),
    ...(route === undefined ? {} : { route }),
    ...(file === undefined ? {} : { file }),
    ...(link === undefined ? {} : { link }),
    ...(shadow ? { shadow } : {}),
  })
}

/** The listing of a rule that could not be evaluated. */
export function unevaluated(matched: DeterminingRule, why: readonly string[]): DeterminingRule {
  return { ...matched, because: 'condition_error', detail: why.join('; ') }
}

/** Prepares a rule for calls of an action that it speaks of. */
export function planRule(rule: ConditionRule, policy: CompiledPolicy): PlannedRule {
  const { condition, unless } = rule
  const matched = listingOf(rule, conditionText(condition, unless))
  const failed = (given: Given, message: string): DeterminingRule =>
    unevaluated(matched, [message, ...absentFacts(rule.facts, policy, given)])
  return {
    rule,
    denial: rule.reason ?? `Denied by rule ${rule.id}`,
    matched,
    outcome: isPlain(rule) ? condition?.outcome : undefined,
    match: isPlain(rule) ? plainMatch(condition, matched, failed) : fullMatch(rule, matched, failed),
  }
}

function isPlain({ unless, window, outside, environments }: ConditionRule): boolean {
  return unless === undefined && window === undefined && outside === undefined && environments === undefined
}

type Failed = (given: Given, message: string) => DeterminingRule

// Most rules have a condition and nothing else.
function plainMatch(
  condition: Condition | undefined,
  matched: DeterminingRule,
  failed: Failed,
): PlannedRule['match'] {
  if (condition === undefined) return () => matched
  const { outcome } = condition
  return (given) => {
    const found = outcome(given)
    if (found === false) return undefined
    return found === true ? matched : failed(given, found.message)
  }
}

// What is certainly false ends it, whatever else cannot be told: as in CEL, `false && error` is false.
function fullMatch(rule: ConditionRule, matched: DeterminingRule, failed: Failed): PlannedRule['match'] {
  const { condition, unless, window, outside, environments } = rule
  return (given) => {
    const { now, env } = given.facts
    if (window !== undefined && !window.contains(now)) return undefined
    if (outside !== undefined && outside.contains(now)) return undefined
    if (environments !== undefined && env !== undefined && !environments.includes(env)) return undefined
    const result = condition?.evaluate(given)
    if (result?.kind === 'false') return undefined
    const excuse = unless?.evaluate(given)
    if (excuse?.kind === 'true') return undefined
    if (environments !== undefined && env === undefined) return failed(given, 'the environment is not known')
    if (result?.kind === 'error') return failed(given, result.message)
    return excuse?.kind === 'error' ? failed(given, excuse.message) : matched
  }
}

function conditionText(condition: Condition | undefined, unless: Condition | undefined): string | undefined {
  if (unless === undefined) return condition?.source
  return condition === undefined ? `!(${unless.source})` : `(${condition.source}) && !(${unless.source})`
}

/** Prepares a flow for calls of an action that it is on. */
export function planFlow(flow: FlowRule, policy: CompiledPolicy): PlannedRule {
  const { after, unless } = flow
  const earlier = after.kind === 'label' ? `the label ${after.label}` : `the action ${after.pattern.text}`
  const matched = listingOf(
    flow,
    unless === undefined ? `after ${earlier}` : `after ${earlier}, unless ${unless.source}`,
  )
  const happened = ({ facts }: Given): boolean | undefined => {
    if (facts.session === undefined) return undefined
    if (after.kind === 'label') return facts.session.labels.includes(after.label)
    return facts.session.actions.some((name) => after.pattern.matches(name))
  }
  return {
    rule: flow,
    denial: flow.reason ?? `Denied by flow ${flow.id}`,
    matched,
    outcome: undefined,
    match: (given) => {
      const before = happened(given)
      if (before === false) return undefined
      const excuse = unless?.evaluate(given)
      if (excuse?.kind === 'true') return undefined
      if (before === undefined) return unevaluated(matched, ['the call names no session'])
      if (excuse?.kind !== 'error') return matched
      return unevaluated(matched, [excuse.message, ...absentFacts(flow.facts, policy, given)])
    },
  }
}
