import type { AllowDecision, CounterUse, Decision, DenyCode } from '../model/decision.ts'
import type { ActionPlan, Given } from '../model/plan.ts'

/** These are no judgement of the policy on the call, so a policy in shadow mode does not soften them. */
const neverShadowed: ReadonlySet<DenyCode> = new Set<DenyCode>([
  'approval_refused',
  'evaluation_failed',
  'malformed_call',
  'no_policy',
  'suspended',
])

/**
 * What a policy in shadow mode answers in place of `decision`: allow, and what would have happened. It uses up
 * budgets as any allow does, so that later calls are judged as they would be.
 */
export function shadowed(
  decision: Decision,
  plan: ActionPlan,
  { call, facts }: Given,
  consumes: readonly CounterUse[],
): Decision {
  if (decision.effect === 'allow') return decision
  if (decision.effect === 'deny' && neverShadowed.has(decision.code)) return decision
  const { reasons, rules } = decision
  const would = decision.effect === 'deny' ? 'denied' : 'escalated'
  const allow: AllowDecision = {
    ...plan.allow,
    reasons: [`Shadow mode: would have been ${would}: ${reasons[0] ?? ''}`],
    consumesApproval: facts.approval?.kind === 'granted',
    // An obligation that the caller does not carry out must not be taken for one that it does.
    obligations: plan.obligations.filter(
      ({ kind }) => kind === 'notify' || facts.supports?.includes(kind) === true,
    ),
    consumes,
    ...(call.session === undefined ? {} : { leaves: { action: call.action, labels: plan.labels } }),
    shadow:
      decision.effect === 'deny'
        ? { effect: 'deny', code: decision.code, reasons, rules }
        : { effect: 'escalate', reasons, rules },
  }
  return allow
}
