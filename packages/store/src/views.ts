import {
  approvalDigest,
  approvalStatus,
  decisionId,
  instantText,
  mayVote,
  principalsIn,
  termsAt,
  retryAt,
  type Approval,
  type ApprovalView,
  type DecisionRecord,
  type DecisionView,
  type Instant,
  type Json,
  type OutcomeStatus,
  type Voter,
} from '@bailiwick/core'
import { answerOf, type DecideSettings } from './operations/decide.ts'

/** A decision's row with all that belongs to it. */
export interface DecisionRow {
  readonly record: DecisionRecord
  /** Canonical JSON of `{params, context}`; null where erased or malformed. */
  readonly body: string | null
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

/** The decision as its agent and people look it up; with `now`, it says when to ask again for its approval. */
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
    ...(row.body === null ? { erased: true } : {}),
    outcome:
      outcome === null
        ? null
        : { status: outcome.status, at: outcome.at, ...(typeof detail === 'string' ? { detail } : {}) },
  }
}

/** The approval as its agent and people see it at `at`; `voter` is the person who asks, if one does. */
export function approvalView(
  row: ApprovalRowView,
  at: Instant,
  voter: Voter | undefined,
  settings: DecideSettings,
): ApprovalView {
  const { approval, opened, comments, cancelReason } = row
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
    ...(opened.body === null ? { erased: true } : {}),
    reasons: opened.record.reasons,
    rules: opened.record.rules,
    policy: opened.record.policy,
    status,
    openedAt: instantText(approval.openedAt),
    deadline: instantText(approval.expiresAt),
    ...(status === 'pending'
      ? { retryAt: instantText(retryAt(approval.openedAt, approval.expiresAt, at)) }
      : {}),
    terms: approval.terms,
    digest: approvalDigest(opened.record),
    votes: approval.votes.map(({ person, vote, at: votedAt, for: principal, breakGlass }) => ({
      person,
      ...(principal === undefined ? {} : { for: principal }),
      vote,
      ...(breakGlass === true ? { breakGlass } : {}),
      comment: comments.get(person) ?? null,
      at: instantText(votedAt),
    })),
    consumedBy: approval.consumedBy ?? null,
    ...(cancelled === undefined
      ? {}
      : { cancelled: { by: cancelled.by, reason: cancelReason, at: instantText(cancelled.at) } }),
    mayVote: status === 'pending' && voter !== undefined && isAsked(row, at, voter),
  }
}

function isAsked({ approval, opened, owners }: ApprovalRowView, at: Instant, voter: Voter): boolean {
  if (opened.body === null) return false
  const usedUp = approval.votes.flatMap(({ person, for: principal = person }) => [person, principal])
  const behind = [...owners, ...principalsIn(opened.body)]
  if ([...usedUp, ...behind].includes(voter.id)) return false
  return mayVote(termsAt(approval, at), voter)
}

/** One field of a stored payload, or undefined where there is none. */
function fieldOf(body: string | null, name: string): Json | undefined {
  if (body === null) return undefined
  const payload: unknown = JSON.parse(body)
  if (typeof payload !== 'object' || payload === null || !Object.hasOwn(payload, name)) return undefined
  return (payload as Record<string, Json>)[name]
}
