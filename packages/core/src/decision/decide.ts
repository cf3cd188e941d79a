import type { ApprovalFact, ApprovalRefusal, Facts, StandingFact, ToolCall } from '../model/call.ts'
import type {
  AllowDecision,
  Decision,
  DenyCode,
  DenyDecision,
  DeterminingRule,
  EscalateDecision,
} from '../model/decision.ts'
import type { ActionPlan, Given, Violation } from '../model/plan.ts'
import type { CompiledPolicy } from '../model/policy.ts'
import { planFor } from './plan.ts'
import { consumed } from './planned-counters.ts'
import {
  isCounted,
  listedOf,
  matchesOf,
  noMatches,
  remembered,
  type Match,
  type Matches,
  type Uses,
} from './matches.ts'
import { shadowed } from './shadow.ts'
import { approvalTerms, routesOf } from './terms.ts'

const noUses: Uses = Object.freeze([])

/**
 * Decides one call. Pure: equal inputs give equal decisions (G7).
 *
 * Order, with no priorities: suspended, forbidden, not allowed, constraints of the action, everything that denies, a
 * claimed approval that does not hold, obligations that the caller does not carry out, escalations, allow. At each
 * step everything that matches is listed. What cannot be evaluated counts as matched. A granted approval is a fact and
 * no bypass: it answers only for the routes it was granted for, after everything that denies has had its say. Likewise a
 * standing grant, and for nothing that could not be evaluated. Only an allow uses up budgets and rates.
 */
export function decide(policy: CompiledPolicy, call: ToolCall, facts: Facts): Decision {
  if (facts.suspension !== undefined) return denySuspended(facts.suspension.reason)
  const plan = planFor(policy, call.action)
  if (policy.mode === 'enforce') {
    if (plan.settled !== undefined) return plan.settled
    const given = { call, facts }
    const uses = usesOf(plan, given)
    return enforced(policy, plan, given, uses)
  }
  const given = { call, facts }
  const uses = usesOf(plan, given)
  const decision = plan.settled ?? enforced(policy, plan, given, uses)
  // A false claim is no judgement of the policy, and what else speaks against the call must not soften it.
  const claim = facts.approval
  if (claim?.kind === 'refused' && !(decision.effect === 'deny' && decision.code === 'approval_refused')) {
    return denied('approval_refused', [refusalReason(claim)], [])
  }
  return shadowed(decision, plan, given, consumed(uses))
}

function usesOf(plan: ActionPlan, given: Given): Uses {
  return plan.counters.length === 0 ? noUses : plan.counters.map((planned) => planned.use(given))
}

function enforced(policy: CompiledPolicy, plan: ActionPlan, given: Given, uses: Uses): Decision {
  if (plan.constraints.length > 0) {
    const violations = violationsOf(plan, given)
    if (violations !== undefined) return unfit(violations)
  }
  const denying = matchesOf('deny', plan, given, uses)
  if (denying.counts) return remembered(plan, denying, deniedBy)

  const claim = given.facts.approval
  if (claim?.kind === 'refused')
    return denied('approval_refused', [refusalReason(claim)], listedOf(denying.found))

  if (plan.duties.length > 0) {
    const undone = plan.duties.filter(({ kind }) => given.facts.supports?.includes(kind) !== true)
    if (undone.length > 0) return unsupported(undone)
  }
  const escalating = matchesOf('escalate', plan, given, uses)
  if (!escalating.counts) return allowed(plan, given, denying, escalating, uses)
  const { standing } = given.facts
  if (claim === undefined && standing === undefined && denying === noMatches) {
    return remembered(plan, escalating, ({ found }) => escalated(policy, [], found, found.filter(isCounted)))
  }
  const open = escalating.found.filter(
    (match) => isCounted(match) && !isGranted(claim, match.rule.route) && !isCovered(standing, match),
  )
  if (open.length > 0) return escalated(policy, denying.found, escalating.found, open)
  return allowed(plan, given, denying, escalating, uses)
}

function violationsOf(plan: ActionPlan, given: Given): Violation[] | undefined {
  let violations: Violation[] | undefined
  for (const constraint of plan.constraints) {
    const violation = constraint(given)
    if (violation !== undefined) (violations ??= []).push(violation)
  }
  return violations
}

function unfit(violations: readonly Violation[]): DenyDecision {
  const reasons = violations.flatMap((violation) => violation.reasons)
  const code = violations[0]?.code ?? 'evaluation_failed'
  return denied(
    code,
    unique(reasons),
    violations.map(({ rule }) => rule),
  )
}

function deniedBy({ found }: Matches): DenyDecision {
  const counted = found.filter(isCounted)
  const reasons = unique([...counted.map(({ denial }) => denial), ...conditionErrors(counted)])
  return denied('denied_by_rule', reasons, listedOf(found))
}

function unsupported(undone: ActionPlan['duties']): DenyDecision {
  const reasons = undone.map(({ kind }) => `The caller does not carry out the obligation ${kind}`)
  return denied(
    'obligation_unsupported',
    unique(reasons),
    undone.map(({ rule }) => rule),
  )
}

// The terms are those of every route together: the most people, the shortest time.
function escalated(
  policy: CompiledPolicy,
  denying: readonly Match[],
  escalating: readonly Match[],
  open: readonly Match[],
): EscalateDecision {
  const required = routesOf(open).map((route) => `Escalation required: ${route}`)
  const written = open.flatMap(({ rule }) => rule.reason ?? [])
  return {
    effect: 'escalate',
    reasons: unique([...required, ...written, ...conditionErrors(open)]),
    rules: listedOf([...denying, ...escalating]),
    approval: approvalTerms(policy, routesOf(escalating.filter(isCounted))),
  }
}

function allowed(
  plan: ActionPlan,
  given: Given,
  denying: Matches,
  escalating: Matches,
  uses: Uses,
): AllowDecision {
  const { call, facts } = given
  const consumes = uses.length === 0 ? plan.allow.consumes : consumed(uses)
  const consumesApproval = facts.approval?.kind === 'granted'
  const standing = escalating.counts ? facts.standing : undefined
  const nothingMatched = denying === noMatches && escalating === noMatches
  if (nothingMatched && consumes.length === 0 && !consumesApproval && call.session === undefined)
    return plan.allow
  return {
    ...plan.allow,
    rules: nothingMatched
      ? plan.allow.rules
      : [...plan.allow.rules, ...listedOf(denying.found), ...listedOf(escalating.found)],
    ...(standing === undefined ? {} : letThrough(plan.allow, standing)),
    consumesApproval,
    consumes,
    ...(call.session === undefined ? {} : { leaves: { action: call.action, labels: plan.labels } }),
  }
}

function letThrough(
  { reasons }: AllowDecision,
  { grant, use, uses }: StandingFact,
): Pick<AllowDecision, 'reasons' | 'standing'> {
  // Whose it is is not said here: reasons leave the house with notices.
  const told = `Allowed by the standing grant ${grant}, use ${use} of ${uses}`
  return { reasons: [...reasons, told], standing: { grant, use, uses } }
}

/** The denial of a call that no policy speaks for: its agent is unknown here. */
export function denyWithoutPolicy(): DenyDecision {
  return denied('no_policy', ['No policy governs this agent'], [])
}

/** The denial of a call that has no canonical form, such as one with NaN among its parameters. */
export function denyMalformed(problem: string): DenyDecision {
  return denied('malformed_call', [`Call is malformed: ${problem}`], [])
}

/** The denial of a call whose evaluation failed unexpectedly. What cannot be evaluated does not run. */
export function denyFailedEvaluation(): DenyDecision {
  return denied('evaluation_failed', ['The policy could not be evaluated for this call'], [])
}

function denySuspended(reason: string): DenyDecision {
  return denied('suspended', [`The agent is suspended: ${reason}`], [])
}

function denied(code: DenyCode, reasons: readonly string[], rules: readonly DeterminingRule[]): DenyDecision {
  return { effect: 'deny', code, reasons, rules }
}

function isGranted(claim: ApprovalFact | undefined, route: string | undefined): boolean {
  return claim?.kind === 'granted' && route !== undefined && claim.routes.includes(route)
}

// Nobody can have agreed to what nobody could tell.
function isCovered(standing: StandingFact | undefined, { rule, matched }: Match): boolean {
  if (standing === undefined || rule.route === undefined) return false
  return matched.because === 'matched' && standing.routes.includes(rule.route)
}

function conditionErrors(found: readonly Match[]): string[] {
  return found.flatMap(({ matched }) =>
    matched.because === 'condition_error'
      ? [`condition_error in ${matched.id}: ${matched.detail ?? ''}`]
      : [],
  )
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)]
}

function refusalReason(claim: { readonly id: string; readonly why: ApprovalRefusal }): string {
  const why: Record<ApprovalRefusal, string> = {
    unknown: 'is not known',
    other_call: 'was given for another call',
    gone: 'was given for a call whose params are not there any more',
    other_policy: 'was given under another policy',
    pending: 'is still waiting for people',
    rejected: 'was rejected',
    expired: 'expired',
    cancelled: 'was cancelled',
    consumed: 'has already been used',
  }
  return `Approval ${claim.id} ${why[claim.why]}`
}
