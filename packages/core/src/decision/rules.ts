import type { Facts, ToolCall } from '../model/call.ts'
import type { DeterminingRule } from '../model/decision.ts'
import type { CompiledPolicy, ConditionRule } from '../model/policy.ts'
import { absentFacts, conditionValues, existsFor } from './facts.ts'

/** A rule that matched a call, or that could not be evaluated and so counts as matched (G2). */
export interface MatchedRule {
  readonly rule: ConditionRule
  readonly listed: DeterminingRule
}

/** Every rule of one effect that matches the call. */
export function matchedRules(
  effect: ConditionRule['effect'],
  policy: CompiledPolicy,
  call: ToolCall,
  facts: Facts,
): readonly MatchedRule[] {
  const matched: MatchedRule[] = []
  for (const rule of policy.rules) {
    if (rule.effect !== effect || !speaksOf(rule, policy, call.action)) continue
    const listed = evaluate(rule, policy, call, facts)
    if (listed !== undefined) matched.push({ rule, listed })
  }
  return matched
}

/**
 * Whether a rule speaks of an action. A rule whose condition uses nothing but facts that do not
 * exist for the action says nothing about it. One name that does exist is enough to evaluate it, and
 * then an absent fact counts as matched: `a > 5 || b` must not go silent because only `a` is absent.
 */
function speaksOf(rule: ConditionRule, policy: CompiledPolicy, action: string): boolean {
  if (rule.on !== undefined && !rule.on.some((pattern) => pattern.matches(action))) return false
  if (rule.condition === undefined || rule.facts.length === 0) return true
  if (rule.facts.length < rule.condition.uses.length) return true
  return rule.facts.some((name) => {
    const fact = policy.facts.get(name)
    return fact === undefined || existsFor(fact, action)
  })
}

function evaluate(
  rule: ConditionRule,
  policy: CompiledPolicy,
  call: ToolCall,
  facts: Facts,
): DeterminingRule | undefined {
  const result = rule.condition?.evaluate(conditionValues(policy, rule.condition.uses, call, facts))
  if (result?.kind === 'false') return undefined
  const listed = {
    id: rule.id,
    effect: rule.effect,
    line: rule.line,
    ...(rule.route === undefined ? {} : { route: rule.route }),
  }
  if (rule.condition === undefined || result === undefined) return { ...listed, because: 'matched' }
  const condition = rule.condition.source
  if (result.kind === 'true') return { ...listed, because: 'matched', condition }
  const absent = absentFacts(policy, rule, call)
  const detail = [result.message, ...absent].join('; ')
  return { ...listed, because: 'condition_error', condition, detail }
}
