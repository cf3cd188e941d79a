import type { ApprovalId, DecisionId, PersonId, Sha256 } from './ids.ts'
import type {
  ApprovalTerms,
  DenyCode,
  DeterminingRule,
  Effect,
  Obligation,
  PolicyRef,
  ShadowedDecision,
} from './decision.ts'
import type { OutcomeStatus } from './call.ts'
import type { ApprovalStatus, VoteChoice } from './approval.ts'

/** What every record of the log starts from. Stored and hashed as canonical JSON (RFC 8785). */
interface RecordBase {
  /** The record format's version. */
  readonly v: 1
  readonly ledger: string
  /** Zero-based position in the ledger's log. */
  readonly index: number
  /** RFC 3339, UTC, milliseconds. */
  readonly at: string
  /**
   * Commitment to what is kept apart so that it can be erased: SHA-256(salt ‖ JCS(payload)), the salt
   * 32 random bytes. Null where the record has no payload.
   */
  readonly payload: Sha256 | null
}

/** A decision, whatever its effect. Its payload is `{params, context}`, and `facts` where the policy asked for any. */
export interface DecisionRecord extends RecordBase {
  readonly kind: 'decision'
  readonly id: DecisionId
  readonly agent: string
  readonly action: string
  readonly callId: string | null
  readonly effect: Effect
  readonly code: DenyCode | null
  readonly reasons: readonly string[]
  readonly rules: readonly DeterminingRule[]
  readonly policy: PolicyRef | null
  /** The approval it opened: only with effect `escalate`. */
  readonly opens: { readonly id: ApprovalId; readonly terms: ApprovalTerms; readonly deadline: string } | null
  /** The approval that the caller claimed, and whether this decision used it up. */
  readonly claims: { readonly id: string; readonly consumed: boolean } | null
  /** What has to be done beside the action: only with effect `allow`, and only where there is something. */
  readonly obligations?: readonly Obligation[] | undefined
  /** The session that the call named, where it named one. */
  readonly session?: string | undefined
  /** What a policy in shadow mode would have decided, where that is something else. */
  readonly shadow?: ShadowedDecision | undefined
}

/** What became of an allowed call. Its payload is `{detail, result}`. */
export interface OutcomeRecord extends RecordBase {
  readonly kind: 'outcome'
  readonly decision: DecisionId
  readonly agent: string
  readonly status: OutcomeStatus
}

/** One person's vote. Its payload is `{comment}`. */
export interface VoteRecord extends RecordBase {
  readonly kind: 'vote'
  readonly approval: ApprovalId
  readonly person: PersonId
  readonly vote: VoteChoice
  /** Where the approval stands after this vote. */
  readonly status: ApprovalStatus
}

/** An approval whose deadline passed without enough votes. Silence is a denial. */
export interface ExpiryRecord extends RecordBase {
  readonly kind: 'expiry'
  readonly approval: ApprovalId
  readonly agent: string
  readonly action: string
}

/** A policy that decides from here on. Its payload is `{source}`, and `parents` where it extends files. */
export interface PolicyRecord extends RecordBase {
  readonly kind: 'policy'
  readonly policy: PolicyRef
}

/** A change of who may use the service: keys of agents, people and their roles. */
export interface AccessRecord extends RecordBase {
  readonly kind: 'access'
  readonly event: 'key_created' | 'key_revoked' | 'person_created' | 'sign_in_link_created' | 'signed_in'
  /** The key's id or the person's. Never a secret. */
  readonly subject: string
  /** The agent a key is bound to, or the person's roles. */
  readonly grants: readonly string[]
}

export type LogRecord =
  DecisionRecord | OutcomeRecord | VoteRecord | ExpiryRecord | PolicyRecord | AccessRecord

/** A record as its author knows it: the sequencer adds version, ledger, index and time. */
export type RecordBody = WithoutBase<LogRecord>
type WithoutBase<R> = R extends LogRecord ? Omit<R, 'v' | 'ledger' | 'index' | 'at' | 'payload'> : never
