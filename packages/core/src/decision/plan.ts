import type { AllowDecision, DenyDecision, DeterminingRule, Obligation } from '../model/decision.ts'
import type { RuleId } from '../model/ids.ts'
import type { ActionPlan, PlannedRule } from '../model/plan.ts'
import type { ActionConstraints, CompiledPolicy, FactDeclaration, ListedAction } from '../model/policy.ts'
import { existsFor } from '../policy/readers.ts'
import { planConstraints } from './planned-constraints.ts'
import { counts, planCounter } from './planned-counters.ts'
import { isOn, planFlow, planRule, speaksOf } from './planned-rules.ts'

/** The reasons that users of the original policy format know. */
const reasonForbidden = 'Action is forbidden by policy'
const reasonNotAllowed = 'Action not in allowed list'
const reasonAllowed = 'Action approved'

/** How many plans are kept beside those of the actions that the policy names. */
const unlistedPlansMax = 1000

/** All that the policy says of an action. Worked out at the first call, and kept: what a name may be is bounded. */
export function planFor(policy: CompiledPolicy, action: string): ActionPlan {
  const { plans } = policy
  if (plans.owner !== policy) {
    plans.owner = policy
    plans.byAction.clear()
  }
  const known = plans.byAction.get(action)
  if (known !== undefined) return known
  if (plans.byAction.size >= unlistedPlansMax + policy.allowed.length + policy.forbidden.length) {
    // Names come from outside. Starting anew costs the next calls a little, and is not worth a cleverer scheme.
    plans.byAction.clear()
  }
  const plan = planOf(policy, action)
  plans.byAction.set(action, plan)
  return plan
}

function planOf(policy: CompiledPolicy, action: string): ActionPlan {
  const entries = policy.actions.filter(({ pattern }) => pattern.matches(action))
  const rules = policy.rules.filter((rule) => speaksOf(rule, policy, action))
  const flows = policy.flows.filter((flow) => isOn(flow, action))
  const counters = policy.counters.filter((counter) => counts(counter, policy, action))
  const planned: readonly PlannedRule[] = [
    ...rules.map((rule) => planRule(rule, policy)),
    ...flows.map((flow) => planFlow(flow, policy)),
  ]
  const conditions = [
    ...entries.map(({ when }) => when),
    ...rules.flatMap(({ condition, unless }) => [condition, unless]),
    ...flows.map(({ unless }) => unless),
  ]
  const uses = new Set(conditions.flatMap((condition) => condition?.uses ?? []))
  const counted = counters.flatMap(({ facts }) => facts)
  const obligations = obligationsOf(entries)
  return {
    settled: settledFor(policy, action),
    allow: allowFor(policy, action, obligations),
    constraints: planConstraints(entries, policy),
    denying: planned.filter(({ rule }) => rule.effect === 'deny'),
    escalating: planned.filter(({ rule }) => rule.effect === 'escalate'),
    counters: counters.map((counter) => planCounter(counter, policy)),
    obligations,
    duties: entries.flatMap(dutiesOf),
    labels: [...new Set(entries.flatMap(({ labels }) => labels))],
    lookups: lookupsOf(policy, new Set([...uses, ...counted]), action),
    mayStand: [...rules, ...flows, ...counters].some(
      ({ route }) => route !== undefined && policy.routes.get(route)?.standing !== undefined,
    ),
    needsSession: flows.length > 0 || uses.has('session'),
    memo: new Map(),
  }
}

function settledFor(policy: CompiledPolicy, action: string): DenyDecision | undefined {
  const forbidden = covering(policy.forbidden, action, 'deny')
  if (forbidden.length > 0) return settled('forbidden', reasonForbidden, forbidden)
  const lists = [policy.allowed, ...policy.parentsAllow]
  const isAllowed = lists.every((list) => list.some(({ pattern }) => pattern.matches(action)))
  return isAllowed ? undefined : settled('not_allowed', reasonNotAllowed, [])
}

function settled(
  code: DenyDecision['code'],
  reason: string,
  rules: readonly DeterminingRule[],
): DenyDecision {
  return Object.freeze({
    effect: 'deny',
    code,
    reasons: Object.freeze([reason]),
    rules: Object.freeze(rules),
  })
}

function allowFor(policy: CompiledPolicy, action: string, obligations: readonly Obligation[]): AllowDecision {
  const rules = [policy.allowed, ...policy.parentsAllow].flatMap((list) => covering(list, action, 'allow'))
  return Object.freeze({
    effect: 'allow',
    reasons: Object.freeze([reasonAllowed]),
    rules: Object.freeze(rules),
    consumesApproval: false,
    obligations: Object.freeze(obligations),
    consumes: Object.freeze([]),
  })
}

function covering(
  list: readonly ListedAction[],
  action: string,
  effect: 'deny' | 'allow',
): DeterminingRule[] {
  return list
    .filter(({ pattern }) => pattern.matches(action))
    .map(({ id, line, file }) =>
      Object.freeze({
        id,
        effect,
        because: 'matched' as const,
        line,
        ...(file === undefined ? {} : { file }),
      }),
    )
}

function obligationsOf(entries: readonly ActionConstraints[]): readonly Obligation[] {
  const byText = new Map<string, Obligation>()
  for (const obligation of entries.flatMap(({ obligations }) => obligations)) {
    byText.set(JSON.stringify(obligation), obligation)
  }
  return [...byText.values()]
}

// The service tells channels itself; everything else is for the caller to do.
function dutiesOf({ id, line, file, obligations }: ActionConstraints): ActionPlan['duties'] {
  const kinds = new Set(obligations.map(({ kind }) => kind))
  return [...kinds]
    .filter((kind) => kind !== 'notify')
    .map((kind) => ({
      kind,
      rule: {
        id: `${id}.obligations` as RuleId,
        effect: 'deny',
        because: 'matched',
        line,
        ...(file === undefined ? {} : { file }),
      },
    }))
}

function lookupsOf(
  policy: CompiledPolicy,
  uses: ReadonlySet<string>,
  action: string,
): readonly FactDeclaration[] {
  return [...uses].flatMap((name) => {
    const fact = policy.facts.get(name)
    return fact?.source === 'lookup' && existsFor(fact, action) ? [fact] : []
  })
}
