import type { ActionName, AgentId, ApprovalId, DecisionId, Instant, PersonId } from './ids.ts'
import type { ApprovalTerms, PolicyRef } from './decision.ts'
import type { VoteChannel } from './vote-channel.ts'

/**
 * One person's answer. `approve` consents, and counts only where consent is asked for; `acknowledge` says that the person
 * has looked, and counts only where that is asked for.
 */
export type VoteChoice = 'approve' | 'reject' | 'acknowledge'

export interface Vote {
  readonly person: PersonId
  readonly vote: VoteChoice
  readonly at: Instant
  /** The index of its record; absent where that is not known. */
  readonly index?: number | undefined
  /** In whose stead, where the person voted for somebody who has delegated it. Both are used up by it. */
  readonly for?: PersonId | undefined
  /** The entries of the terms' `quorumOf` that the vote can stand for. */
  readonly counts?: readonly string[] | undefined
  /** Cast in an emergency, by the terms' `breakGlass`. */
  readonly breakGlass?: true | undefined
  /** Absent in records of earlier versions. */
  readonly channel?: VoteChannel | undefined
  /** What the person grants beside the one call. */
  readonly standing?: Standing | undefined
}

/** So many more calls like the approved one, before that instant. */
export interface Standing {
  readonly uses: number
  readonly until: Instant
}

/** That an approval was withdrawn. */
export interface Cancelled {
  /** The index of the record that says so. */
  readonly index: number
  /** As in `CancellationRecord`. */
  readonly by: string
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
  /** When each of the terms' `escalateTo` begins to be asked, in their order. */
  readonly escalatesAt: readonly Instant[]
  /** When people are told again, ascending. */
  readonly promptsAt: readonly Instant[]
  /** When they are to be told again next. */
  readonly nextPromptAt?: Instant | undefined
  readonly votes: readonly Vote[]
  /** The decision that used it up. */
  readonly consumedBy?: DecisionId | undefined
  /** Whether the log says that the deadline passed. From then on it is expired, whatever a clock says. */
  readonly expiryRecorded: boolean
  /** Who withdrew it, where somebody did: its agent or somebody who operates the service. */
  readonly cancelled?: Cancelled | undefined
}

/** Where an approval stands. Only `approved` can let a call through, and only once. */
export type ApprovalStatus = 'pending' | 'approved' | 'rejected' | 'expired' | 'cancelled' | 'consumed'
