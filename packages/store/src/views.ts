import {
  approvalDigest,
  approvalStatus,
  decisionId,
  instantText,
  retryAt,
  type Approval,
  type ApprovalStatus,
  type ApprovalView,
  type DecisionRecord,
  type DecisionView,
  type Fault,
  type Instant,
  type Json,
  type OutcomeStatus,
  type Voter,
} from '@bailiwick/core'
import { mayAnswer } from './may-answer.ts'
import { answerOf, type DecideSettings } from './operations/decide.ts'
import { isUnderSamePolicy } from './operations/same-policy.ts'
import type { PolicySet } from './policies.ts'

/** What views need beside the rows. */
export interface ViewSettings extends DecideSettings {
  /** In force here, now. */
  readonly policies: Pick<PolicySet, 'for'>
}

/** A decision's row with all that belongs to it. */
export interface DecisionRow {
  readonly record: DecisionRecord
  /** Canonical JSON of `{params, context}`; null where erased or malformed. */
  readonly body: string | null
  /** Why it cannot be read here, although it is there. */
  readonly shut?: Fault | undefined
  readonly outcome: {
    readonly status: OutcomeStatus
    readonly at: string
    readonly body: string | null
  } | null
}

/** An approval with the decision that opened it and the comments of its votes. */
export interface ApprovalRowView {
  readonly approval: Approval
  readonly opened: DecisionRow
  /** Who stands behind the agent. */
  readonly owners: readonly string[]
  /** By person; null where erased. */
  readonly comments: ReadonlyMap<string, string | null>
  /** Why it was withdrawn; null where it was not, or where that is erased. */
  readonly cancelReason: string | null
}

/** The decision as its agent and people look it up; with `now`, it says when to ask again for its approval, which is pending. */
export function decisionView(row: DecisionRow, settings: DecideSettings, now?: Instant): DecisionView {
  const { record, outcome } = row
  const detail = outcome === null ? undefined : fieldOf(outcome.body, 'detail')
  return {
    ...answerOf(record, record.index, settings, now && { openedAt: Date.parse(record.at) as Instant, now }),
    agent: record.agent,
    action: record.action,
    callId: record.callId,
    ...(record.session === undefined ? {} : { session: record.session }),
    at: record.at,
    params: fieldOf(row.body, 'params') ?? null,
    context: fieldOf(row.body, 'context') ?? null,
    ...goneOf(row),
    outcome:
      outcome === null
        ? null
        : { status: outcome.status, at: outcome.at, ...(typeof detail === 'string' ? { detail } : {}) },
  }
}

/** Who asks for approvals: an agent sees its own only. */
export interface ApprovalAsker {
  readonly agent?: string | undefined
  readonly voter?: Voter | undefined
  /** Who has delegated their votes to the person, now. */
  readonly principals?: readonly Voter[] | undefined
}

/** The approval as its agent and people see it at `at`. */
export function approvalView(
  row: ApprovalRowView,
  at: Instant,
  { voter, principals = [] }: ApprovalAsker,
  settings: ViewSettings,
): ApprovalView {
  const { approval, opened, owners, comments, cancelReason } = row
  const { cancelled } = approval
  const status = approvalStatus(approval, at)
  return {
    id: approval.id,
    decision: decisionId(opened.record.index),
    url: settings.approvalUrl(approval.id),
    agent: approval.agent,
    action: approval.action,
    params: fieldOf(opened.body, 'params') ?? null,
    context: fieldOf(opened.body, 'context') ?? null,
    ...goneOf(opened),
    reasons: opened.record.reasons,
    rules: opened.record.rules,
    policy: opened.record.policy,
    status,
    ...voidOf(approval, status, settings),
    openedAt: instantText(approval.openedAt),
    deadline: instantText(approval.expiresAt),
    ...(approval.escalatesAt.length === 0
      ? {}
      : { escalatesAt: approval.escalatesAt.map((instant) => instantText(instant)) }),
    ...(status === 'pending'
      ? { retryAt: instantText(retryAt(approval.openedAt, approval.expiresAt, at)) }
      : {}),
    terms: approval.terms,
    digest: approvalDigest(opened.record),
    votes: approval.votes.map(
      ({ person, vote, at: votedAt, for: principal, breakGlass, standing, channel }) => ({
        person,
        ...(principal === undefined ? {} : { for: principal }),
        vote,
        ...(breakGlass === true ? { breakGlass } : {}),
        ...(standing === undefined
          ? {}
          : { standing: { uses: standing.uses, until: instantText(standing.until) } }),
        ...(channel === undefined ? {} : { channel }),
        comment: comments.get(person) ?? null,
        at: instantText(votedAt),
      }),
    ),
    ...(status === 'pending' && approval.terms.standing !== undefined
      ? { standingUntil: latestEnd(approval.terms.standing.lastsMs, at) }
      : {}),
    consumedBy: approval.consumedBy ?? null,
    ...(cancelled === undefined
      ? {}
      : { cancelled: { by: cancelled.by, reason: cancelReason, at: instantText(cancelled.at) } }),
    ...(status === 'pending' && voter !== undefined
      ? mayAnswer({ approval, owners, body: opened.body }, at, voter, principals)
      : { mayVote: false }),
  }
}

// Judged as the use of an approval is: what is told as good is not refused for this.
function voidOf(
  approval: Approval,
  status: ApprovalStatus,
  { policies }: ViewSettings,
): Pick<ApprovalView, 'voidedBy'> {
  if (status !== 'pending' && status !== 'approved') return {}
  return isUnderSamePolicy(approval, policies.for(approval.agent)) ? {} : { voidedBy: 'policy_change' }
}

// What is there, and cannot be opened here, is not erased.
function goneOf({ body, shut }: DecisionRow): { erased?: true; sealed?: true } {
  if (body !== null) return {}
  return shut === undefined ? { erased: true } : { sealed: true }
}

// A whole second that every process still takes a moment later.
function latestEnd(lastsMs: number, at: Instant): string {
  return instantText((Math.floor((at + lastsMs) / 1000) * 1000) as Instant)
}

/** One field of a stored payload, or undefined where there is none. */
function fieldOf(body: string | null, name: string): Json | undefined {
  if (body === null) return undefined
  const payload: unknown = JSON.parse(body)
  if (typeof payload !== 'object' || payload === null || !Object.hasOwn(payload, name)) return undefined
  return (payload as Record<string, Json>)[name]
}
