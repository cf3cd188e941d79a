import type { DenyCode } from '../model/decision.ts'
import type { ApprovalId, DecisionId } from '../model/ids.ts'
import type { SuspensionRecord, VoteRecord } from '../model/record.ts'

/** How many reasons, rules or routes a notice carries. */
export const noticeItemsMax = 20
/** How long one reason may be, in UTF-16 code units. */
export const noticeTextLengthMax = 500

export type Severity = 'info' | 'warning' | 'critical'

interface NoticeBase {
  readonly severity: Severity
  /** The index of the record that caused it. */
  readonly index: number
  /** The record's time: RFC 3339, UTC, milliseconds. */
  readonly at: string
  /** Null where the record does not name one, as a vote's does not. */
  readonly agent: string | null
  readonly action: string | null
  /** One sentence for people. */
  readonly title: string
}

/** A call was denied. */
export interface DeniedNotice extends NoticeBase {
  readonly kind: 'violation.denied'
  readonly data: {
    readonly decision: DecisionId
    readonly agent: string
    readonly action: string
    readonly code: DenyCode | null
    readonly reasons: readonly string[]
    /** The ids of the rules that took part. */
    readonly rules: readonly string[]
    /** The approval that the caller claimed, where it is the id of one. */
    readonly approval: string | null
  }
}

/** A call waits for people. */
export interface ApprovalRequestedNotice extends NoticeBase {
  readonly kind: 'approval.requested'
  readonly data: {
    readonly approval: ApprovalId
    readonly decision: DecisionId
    readonly agent: string
    readonly action: string
    readonly reasons: readonly string[]
    readonly routes: readonly string[]
    readonly quorum: number
    /** RFC 3339, UTC, milliseconds. */
    readonly deadline: string
  }
}

/** Nobody, or too few, answered in time. */
export interface ApprovalExpiredNotice extends NoticeBase {
  readonly kind: 'approval.expired'
  readonly data: { readonly approval: ApprovalId; readonly agent: string; readonly action: string }
}

/** A call still waits for people, or others are asked from here on. */
export interface ApprovalReminderNotice extends NoticeBase {
  readonly kind: 'approval.reminder'
  readonly data: {
    readonly approval: ApprovalId
    readonly agent: string
    readonly action: string
    /** Who is asked from here on, as well, such as `role:ops-manager`; empty where those who were asked are reminded. */
    readonly asks: readonly string[]
  }
}

/** Somebody breaks the glass: a call is to be let through in an emergency, without those who are asked. Who and why stays in the log. */
export interface BreakGlassNotice extends NoticeBase {
  readonly kind: 'approval.break_glass'
  readonly data: { readonly approval: ApprovalId; readonly status: VoteRecord['status'] }
}

/** A vote, or its cancellation, ended an approval. Who did it is personal data and stays in the log. */
export interface ApprovalDecidedNotice extends NoticeBase {
  readonly kind: 'approval.decided'
  readonly data: {
    readonly approval: ApprovalId
    readonly status: 'approved' | 'rejected' | 'cancelled'
    /** The standing grant that came of it: so many more calls like that one, before then. */
    readonly grant?: { readonly uses: number; readonly until: string }
  }
}

/** A call was allowed that a policy, or a rule of it, in shadow mode would have stopped. */
export interface ShadowedNotice extends NoticeBase {
  readonly kind: 'violation.shadowed'
  readonly data: {
    readonly decision: DecisionId
    readonly agent: string
    readonly action: string
    /** What would have happened. */
    readonly effect: 'deny' | 'escalate'
    readonly reasons: readonly string[]
    /** The ids of the rules that took part. */
    readonly rules: readonly string[]
  }
}

/** A call was allowed of which the policy wants somebody told. */
export interface ObligationNotice extends NoticeBase {
  readonly kind: 'obligation.notify'
  readonly data: {
    readonly decision: DecisionId
    readonly agent: string
    readonly action: string
    /** The channels as the policy names them; what they mean is for the receiver to know. */
    readonly channels: readonly string[]
  }
}

/** An agent was suspended, or may decide again. Who did it and why stays in the log. */
export interface SuspensionNotice extends NoticeBase {
  readonly kind: 'agent.suspension'
  readonly data: { readonly agent: string; readonly state: SuspensionRecord['state'] }
}

/** The log itself was found broken: somebody changed what is stored, or the storage failed. */
export interface LogBrokenNotice extends NoticeBase {
  readonly kind: 'log.broken'
  readonly data: {
    readonly ledger: string
    /** The first bad record; null where the damage cannot be narrowed down to one. */
    readonly index: number | null
    readonly problem: string
    readonly fix: string
  }
}

/**
 * Something that people want to hear of, caused by one record. Its data leaves the house, so it never
 * holds parameters, context or comments.
 */
export type Notice =
  | DeniedNotice
  | ShadowedNotice
  | ObligationNotice
  | ApprovalRequestedNotice
  | ApprovalReminderNotice
  | ApprovalExpiredNotice
  | BreakGlassNotice
  | ApprovalDecidedNotice
  | SuspensionNotice
  | LogBrokenNotice
