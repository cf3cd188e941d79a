import type { ApprovalFact, ApprovalRefusal, Facts, ToolCall } from '../model/call.ts'
import type { ApprovalTerms, Decision, DenyCode, DenyDecision, DeterminingRule } from '../model/decision.ts'
import type { ApprovalRoute, CompiledPolicy, ListedAction } from '../model/policy.ts'
import { approvalDeadlineMsDefault } from '../model/limits.ts'
import { matchedRules, type MatchedRule } from './rules.ts'

/** The reasons that users of the original policy format know. */
const reasonForbidden = 'Action is forbidden by policy'
const reasonNotAllowed = 'Action not in allowed list'
const reasonAllowed = 'Action approved'

/**
 * Decides one call. Pure: equal inputs give equal decisions (G7).
 *
 * Order, with no priorities: forbidden, not allowed, deny rules, a claimed approval that does not
 * hold, escalations, allow. At each step every rule that matches is listed. A condition that cannot be
 * evaluated counts as matched. A granted approval is a fact and no bypass: it answers only for the
 * routes it was granted for, after everything that denies has had its say.
 */
export function decide(policy: CompiledPolicy, call: ToolCall, facts: Facts): Decision {
  const forbidden = covering(policy.forbidden, call, 'deny')
  if (forbidden.length > 0) return denied('forbidden', [reasonForbidden], forbidden)

  const allowed = covering(policy.allowed, call, 'allow')
  if (allowed.length === 0) return denied('not_allowed', [reasonNotAllowed], [])

  const denying = matchedRules('deny', policy, call, facts)
  if (denying.length > 0) return denied('denied_by_rule', denialReasons(denying), listedOf(denying))

  const claim = facts.approval
  if (claim?.kind === 'refused') return denied('approval_refused', [refusalReason(claim)], [])

  const escalating = matchedRules('escalate', policy, call, facts)
  const open = escalating.filter(({ rule }) => !isGranted(claim, rule.route))
  if (open.length > 0) return escalated(policy, escalating, open)

  return {
    effect: 'allow',
    reasons: [reasonAllowed],
    rules: [...allowed, ...listedOf(escalating)],
    consumesApproval: claim?.kind === 'granted',
    obligations: [],
    consumes: [],
  }
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

function covering(
  list: readonly ListedAction[],
  call: ToolCall,
  effect: 'deny' | 'allow',
): DeterminingRule[] {
  return list
    .filter(({ pattern }) => pattern.matches(call.action))
    .map(({ id, line }) => ({ id, effect, because: 'matched' as const, line }))
}

function denied(code: DenyCode, reasons: readonly string[], rules: readonly DeterminingRule[]): DenyDecision {
  return { effect: 'deny', code, reasons, rules }
}

function listedOf(matches: readonly MatchedRule[]): DeterminingRule[] {
  return matches.map(({ listed }) => listed)
}

function isGranted(claim: ApprovalFact | undefined, route: string | undefined): boolean {
  return claim?.kind === 'granted' && route !== undefined && claim.routes.includes(route)
}

function denialReasons(denying: readonly MatchedRule[]): string[] {
  const written = denying.map(({ rule }) => rule.reason ?? `Denied by rule ${rule.id}`)
  return unique([...written, ...conditionErrors(denying)])
}

function conditionErrors(matches: readonly MatchedRule[]): string[] {
  return matches.flatMap(({ listed }) =>
    listed.because === 'condition_error' ? [`condition_error in ${listed.id}: ${listed.detail ?? ''}`] : [],
  )
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)]
}

/** Whom a route asks that names nobody. */
const approversDefault: readonly string[] = ['role:approver', 'role:administrator']

// A person must be entitled by every route. A route that names nobody asks the usual people: beside routes
// that name somebody it must not fall away.
function approverSets(routes: readonly ApprovalRoute[]): readonly (readonly string[])[] {
  if (routes.every(({ approvers }) => approvers.length === 0)) return []
  return routes.map(({ approvers }) => (approvers.length === 0 ? approversDefault : approvers))
}

// The terms are those of every route together: the most people, the shortest time.
function escalated(
  policy: CompiledPolicy,
  escalating: readonly MatchedRule[],
  open: readonly MatchedRule[],
): Decision {
  const names = unique(escalating.flatMap(({ rule }) => rule.route ?? []))
  const routes = names.flatMap((name) => policy.routes.get(name) ?? [])
  const approval: ApprovalTerms = {
    routes: names,
    approvers: approverSets(routes),
    quorum: Math.max(1, ...routes.map(({ quorum }) => quorum)),
    deadlineMs: Math.min(
      ...routes.map(({ deadlineMs }) => deadlineMs),
      routes.length > 0 ? Infinity : approvalDeadlineMsDefault,
    ),
  }
  const required = unique(open.flatMap(({ rule }) => rule.route ?? [])).map(
    (route) => `Escalation required: ${route}`,
  )
  const written = open.flatMap(({ rule }) => rule.reason ?? [])
  return {
    effect: 'escalate',
    reasons: unique([...required, ...written, ...conditionErrors(open)]),
    rules: listedOf(escalating),
    approval,
  }
}

function refusalReason(claim: { readonly id: string; readonly why: ApprovalRefusal }): string {
  const why: Record<ApprovalRefusal, string> = {
    unknown: 'is not known',
    other_call: 'was given for another call',
    other_policy: 'was given under another policy',
    pending: 'is still waiting for people',
    rejected: 'was rejected',
    expired: 'expired',
    consumed: 'has already been used',
  }
  return `Approval ${claim.id} ${why[claim.why]}`
}
