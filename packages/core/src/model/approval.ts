import type { ActionName, AgentId, ApprovalId, DecisionId, Instant, PersonId } from './ids.ts'
import type { ApprovalTerms, PolicyRef } from './decision.ts'

/** One person's answer. */
export type VoteChoice = 'approve' | 'reject'

export interface Vote {
  readonly person: PersonId
  readonly vote: VoteChoice
  readonly at: Instant
}

/** A call that waits for people. */
export interface Approval {
  readonly id: ApprovalId
  readonly agent: AgentId
  readonly action: ActionName
  readonly policy: PolicyRef
  readonly terms: ApprovalTerms
  readonly openedAt: Instant
  readonly expiresAt: Instant
  readonly votes: readonly Vote[]
  /** The decision that used it up. */
  readonly consumedBy?: DecisionId | undefined
  /** Whether the log says that the deadline passed. From then on it is expired, whatever a clock says. */
  readonly expiryRecorded: boolean
}

/** Where an approval stands. Only `approved` can let a call through, and only once. */
export type ApprovalStatus = 'pending' | 'approved' | 'rejected' | 'expired' | 'consumed'
