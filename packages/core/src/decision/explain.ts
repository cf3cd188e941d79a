import type { Facts, ToolCall } from '../model/call.ts'
import type { Decision, DeterminingRule } from '../model/decision.ts'
import type { ExplainedCounter, ExplainedFact, ExplainedRule, Explanation } from '../model/explanation.ts'
import type { ActionPlan, Given } from '../model/plan.ts'
import type { CompiledPolicy, Condition, ConditionRule, FactDeclaration, FlowRule } from '../model/policy.ts'
import { existsFor, factReader } from '../policy/readers.ts'
import { changesOf } from './changes.ts'
import { decide } from './decide.ts'
import { absentFacts } from './facts.ts'
import { planFor } from './plan.ts'
import { isOn, planFlow, planRule, speaksOf } from './planned-rules.ts'
import { explainedParts } from './parts.ts'
import { secretsOf, shownText, type Secrets } from './shown.ts'

/**
 * Explains the decision on a call: decides it again, and says what became of every rule that speaks of its action.
 * Pure, and as slow as explanations may be. Equal inputs give the decision that `decide` gave.
 *
 * @param others policies that may call more sensitive than the one that decides, such as the one in force now
 */
export function explain(
  policy: CompiledPolicy,
  call: ToolCall,
  facts: Facts,
  others: readonly CompiledPolicy[] = [],
): Explanation {
  const given = { call, facts }
  const decision = decide(policy, call, facts)
  const plan = planFor(policy, call.action)
  const secrets = secretsOf(policy, call.action, others)
  const listed = new Map(decision.rules.map((rule) => [rule.id, rule]))
  const rules = policy.rules.filter((rule) => speaksOf(rule, policy, call.action))
  const flows = policy.flows.filter((flow) => isOn(flow, call.action))
  const spoken = [
    ...rules.map((rule) => explainedRule(rule, policy, given, secrets)),
    ...flows.map((flow) => explainedFlow(flow, policy, given, secrets)),
  ]
  const whens = explainedWhens(policy, given, secrets)
  const told = new Set([...spoken, ...whens].map(({ id }) => id))
  return {
    effect: decision.effect,
    ...(decision.effect === 'deny' ? { code: decision.code } : {}),
    reasons: decision.reasons,
    ...(decision.effect === 'escalate' ? { approval: decision.approval } : {}),
    rules: [
      ...[...listed.values()].filter(({ id }) => !told.has(id)).map((rule) => ({ ...rule, parts: [] })),
      ...whens.map((when) => ({ ...when, ...listed.get(when.id) })),
      ...spoken,
    ],
    rulesElsewhere: policy.rules.length + policy.flows.length - rules.length - flows.length,
    facts: factsOf(policy, given, [...rules, ...flows]).map((fact) =>
      explainedFact(fact, policy, given, secrets),
    ),
    counters: plan.counters.map((planned) => explainedCounter(planned, policy, given, secrets)),
    ...standingOf(decision, facts),
    ...(facts.session === undefined ? {} : { session: facts.session }),
    changes: changesOf(policy, given, decision, secrets),
  }
}

function standingOf(decision: Decision, { standing: fact }: Facts): Pick<Explanation, 'standing'> {
  if (decision.effect !== 'allow' || decision.standing === undefined || fact === undefined) return {}
  return { standing: { ...decision.standing, by: fact.by } }
}

function explainedRule(
  rule: ConditionRule,
  policy: CompiledPolicy,
  given: Given,
  secrets: Secrets,
): ExplainedRule {
  const planned = planRule(rule, policy)
  const parts = partsOf([rule.condition, rule.unless], given, secrets)
  return outcomeOf(planned.matched, planned.match(given), parts)
}

function explainedFlow(
  flow: FlowRule,
  policy: CompiledPolicy,
  given: Given,
  secrets: Secrets,
): ExplainedRule {
  const planned = planFlow(flow, policy)
  return outcomeOf(planned.matched, planned.match(given), partsOf([flow.unless], given, secrets))
}

// A `when` that holds is listed by no decision: it only lets the call pass.
function explainedWhens(policy: CompiledPolicy, given: Given, secrets: Secrets): ExplainedRule[] {
  return policy.actions
    .filter(({ pattern, when }) => when !== undefined && pattern.matches(given.call.action))
    .map(({ id, when, line, file }) => ({
      id: `${id}.when` as DeterminingRule['id'],
      effect: 'deny' as const,
      because: 'not_matched' as const,
      line,
      ...(file === undefined ? {} : { file }),
      ...(when === undefined ? {} : { condition: when.source }),
      parts: partsOf([when], given, secrets),
    }))
}

function outcomeOf(
  ruleAsListed: DeterminingRule,
  found: DeterminingRule | undefined,
  parts: ExplainedRule['parts'],
): ExplainedRule {
  if (found === undefined) return { ...ruleAsListed, because: 'not_matched', parts }
  return { ...found, parts }
}

function partsOf(
  conditions: readonly (Condition | undefined)[],
  given: Given,
  secrets: Secrets,
): ExplainedRule['parts'] {
  return conditions.flatMap((condition) =>
    condition === undefined ? [] : [explainedParts(condition.trace(given), secrets)],
  )
}

/** The facts that rules of the action, its constraints and its counters use, each once. */
function factsOf(
  policy: CompiledPolicy,
  { call }: Given,
  rules: readonly { readonly facts: readonly string[] }[],
): readonly FactDeclaration[] {
  const entries = policy.actions.filter(({ pattern }) => pattern.matches(call.action))
  const counters = policy.counters.filter((counter) => isOn(counter, call.action))
  const names = new Set([...rules, ...entries, ...counters].flatMap(({ facts }) => facts))
  return [...names].flatMap((name) => policy.facts.get(name) ?? [])
}

function explainedFact(
  fact: FactDeclaration,
  policy: CompiledPolicy,
  given: Given,
  secrets: Secrets,
): ExplainedFact {
  const { name, type, source, path } = fact
  const value = factReader(fact)(given)
  const from = source === 'lookup' ? 'looked up' : `${source}.${path.join('.')}`
  const base = { name, type, from, source }
  if (value === undefined) {
    const note = existsFor(fact, given.call.action)
      ? absentFacts([name], policy, given)[0]
      : `it does not exist for ${given.call.action}`
    return { ...base, value: null, ...(note === undefined ? {} : { note }) }
  }
  const shown = secrets.isSecretFact(fact) ? secrets.mask : shownText(value)
  return { ...base, value: shown, ...(isDefault(fact, given) ? { note: 'the default of the policy' } : {}) }
}

function isDefault(fact: FactDeclaration, given: Given): boolean {
  if (fact.default === undefined) return false
  return factReader({ ...fact, default: undefined })(given) === undefined
}

function explainedCounter(
  planned: ActionPlan['counters'][number],
  policy: CompiledPolicy,
  given: Given,
  secrets: Secrets,
): ExplainedCounter {
  const use = planned.use(given)
  const { id, max } = planned.rule
  const limit = planned.matched.condition ?? ''
  const sum = policy.counters.find((counter) => counter.id === id)?.sum
  // What was used before is what calls before this one sent.
  if (sum !== undefined && secrets.isSecretValue(sum)) {
    return { id, limit, used: null, amount: null, masked: true, max }
  }
  if (typeof use === 'string') return { id, limit, used: null, amount: null, max }
  return { id, limit, used: given.facts.counters?.get(use.key) ?? null, amount: use.amount, max }
}
