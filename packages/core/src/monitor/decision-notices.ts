import type { DenyCode } from '../model/decision.ts'
import { unreachable } from '../model/fault.ts'
import { indexOfId } from '../model/ids.ts'
import type { DecisionRecord } from '../model/record.ts'
import {
  noticeTextLengthMax,
  type ApprovalRequestedNotice,
  type DeniedNotice,
  type Notice,
  type ObligationNotice,
  type Severity,
  type ShadowedNotice,
} from './notice.ts'
import { actor, bounded, named, oneLine } from './notice-text.ts'

/** The notices that a decision causes. They say nothing of what came from the call but names. */
export function noticesOfDecision(record: DecisionRecord): readonly Notice[] {
  switch (record.effect) {
    case 'allow':
      return [...shadowed(record), ...notified(record)]
    case 'deny':
      return [denied(record)]
    case 'escalate':
      return record.opens === null ? [] : [requested(record, record.opens)]
    default:
      return unreachable(record.effect)
  }
}

function denied(record: DecisionRecord): DeniedNotice {
  const claimed = record.claims?.id
  const reasons = toldReasons(record.reasons, record.code)
  const why = reasons[0] === undefined ? '' : `: ${oneLine(reasons[0])}`
  return {
    kind: 'violation.denied',
    severity: record.code === null ? 'warning' : severityOf(record.code),
    index: record.index,
    at: record.at,
    ...actor(record),
    title: `${named(record.agent)} was denied ${named(record.action)}${why}`,
    data: {
      decision: record.id,
      ...actor(record),
      code: record.code,
      reasons: bounded(reasons, noticeTextLengthMax),
      rules: bounded(record.rules.map((rule) => rule.id)),
      // The claim is the caller's own text; only what has the form of an id may pass on.
      approval: claimed !== undefined && indexOfId('apr', claimed) !== undefined ? claimed : null,
    },
  }
}

/**
 * The reasons without what came from the call: names of members, which may hold anybody's data, and what conditions met.
 * What the policy's author wrote is told word for word.
 */
function toldReasons(reasons: readonly string[], code: DenyCode | null): readonly string[] {
  if (code === 'malformed_call') return ['Call is malformed']
  const told = reasons.map((reason) => {
    // A rule's own reason may begin with `params`, too; then it is the author's.
    if (code !== null && code !== 'denied_by_rule' && /^params(?:[ .[]|$)/.test(reason)) {
      return 'params do not fit their schema'
    }
    return reason.replace(/^(condition_error in \S+): .*$/s, '$1')
  })
  return [...new Set(told)]
}

function shadowed(record: DecisionRecord): readonly ShadowedNotice[] {
  const { shadow } = record
  if (shadow === undefined) return []
  const would = shadow.effect === 'deny' ? 'denied' : 'escalated'
  return [
    {
      kind: 'violation.shadowed',
      severity: 'info',
      index: record.index,
      at: record.at,
      ...actor(record),
      title: `${named(record.agent)} was allowed ${named(record.action)}, which would have been ${would} outside of shadow mode`,
      data: {
        decision: record.id,
        ...actor(record),
        effect: shadow.effect,
        reasons: bounded(toldReasons(shadow.reasons, shadow.code ?? null), noticeTextLengthMax),
        rules: bounded(shadow.rules.map((rule) => rule.id)),
      },
    },
  ]
}

function notified(record: DecisionRecord): readonly ObligationNotice[] {
  const channels = (record.obligations ?? []).flatMap((obligation) =>
    obligation.kind === 'notify' ? [obligation.channel] : [],
  )
  if (channels.length === 0) return []
  return [
    {
      kind: 'obligation.notify',
      severity: 'info',
      index: record.index,
      at: record.at,
      ...actor(record),
      title: `${named(record.agent)} was allowed ${named(record.action)}`,
      data: { decision: record.id, ...actor(record), channels: bounded(channels) },
    },
  ]
}

/** Critical: an agent tried what its policy rules out by name, or its policy could not be evaluated. */
function severityOf(code: DenyCode): Severity {
  switch (code) {
    case 'forbidden':
    case 'evaluation_failed':
      return 'critical'
    case 'not_allowed':
    case 'params_invalid':
    case 'role_missing':
    case 'wrong_environment':
    case 'outside_window':
    case 'when_false':
    case 'requirement_missing':
    case 'obligation_unsupported':
    case 'denied_by_rule':
    case 'suspended':
    case 'malformed_call':
    case 'no_policy':
    case 'approval_refused':
      return 'warning'
    default:
      return unreachable(code)
  }
}

function requested(
  record: DecisionRecord,
  opens: NonNullable<DecisionRecord['opens']>,
): ApprovalRequestedNotice {
  return {
    kind: 'approval.requested',
    severity: 'info',
    index: record.index,
    at: record.at,
    ...actor(record),
    title: `${named(record.agent)} asks for approval of ${named(record.action)} by ${opens.deadline}`,
    data: {
      approval: opens.id,
      decision: record.id,
      ...actor(record),
      reasons: bounded(toldReasons(record.reasons, null), noticeTextLengthMax),
      routes: bounded(opens.terms.routes),
      quorum: opens.terms.quorum,
      deadline: opens.deadline,
    },
  }
}
