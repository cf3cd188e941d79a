import type { OutcomeStatus } from '../model/call.ts'
import type { ApprovalStatus, VoteChoice } from '../model/approval.ts'
import type {
  ApprovalTerms,
  DeterminingRule,
  Effect,
  Obligation,
  PolicyRef,
  ShadowedDecision,
  StandingDifference,
  StandingUse,
} from '../model/decision.ts'
import type { Json, JsonObject } from '../model/json.ts'
import type { VoteChannel } from '../model/vote-channel.ts'
import type { ApprovalId, DecisionId, GrantId, Sha256 } from '../model/ids.ts'
import type { RecordedStanding } from '../model/record.ts'

/** What a caller asks to have decided. */
export interface DecisionRequest {
  readonly action: string
  readonly params: JsonObject
  readonly context?: JsonObject | undefined
  /** A retry with the same id, action and parameters gets the answer that stands, and nothing is decided anew. */
  readonly callId?: string | undefined
  /** The approval that lets an escalated call through; it is checked, and used up with the decision. */
  readonly approvalId?: string | undefined
  /** The host's name for the conversation or task that the call is part of; flows look back along it. */
  readonly session?: string | undefined
  /** The obligations that the caller carries out, by kind, such as `redact`. */
  readonly supports?: readonly string[] | undefined
  /**
   * Where to tell, once, that the approval which this call opens is over: a URL on a host that the service allows. It is a
   * hint to ask again, and no answer.
   */
  readonly callback?: string | undefined
}

/** A decision as its caller gets it: durably recorded before it is returned (G1). */
export interface DecisionAnswer {
  readonly id: DecisionId
  readonly effect: Effect
  /** For people; the first is the main one. */
  readonly reasons: readonly string[]
  readonly rules: readonly DeterminingRule[]
  /** Null where no policy governs the agent. */
  readonly policy: PolicyRef | null
  readonly record: { readonly index: number }
  /** With effect `escalate`: the approval that people are asked for. */
  readonly approval?:
    | {
        readonly id: ApprovalId
        readonly url: string
        readonly deadline: string
        /** While it is pending: when it is worth asking what became of it. */
        readonly retryAt?: string | undefined
      }
    | undefined
  /** With effect `allow`: what the caller has to do beside the action. Absent where nothing. */
  readonly obligations?: readonly Obligation[] | undefined
  /** With a policy in shadow mode: what would have happened, had it been enforced. */
  readonly shadow?: ShadowedDecision | undefined
  /** The standing grant that let the call through, where one did. */
  readonly standing?: StandingUse | undefined
  /** The call id had been decided before: this is that answer, and whoever got it first may have run. */
  readonly replayed?: boolean | undefined
  /** With `replayed`: what became of the run, or null where nobody has said. */
  readonly outcome?: { readonly status: OutcomeStatus } | null | undefined
}

/** A decision as people and its agent look it up later. */
export interface DecisionView extends Omit<DecisionAnswer, 'replayed' | 'outcome'> {
  readonly agent: string
  readonly action: string
  readonly callId: string | null
  /** The session that the call named; absent where it named none. */
  readonly session?: string | undefined
  readonly at: string
  /** Null where the payload has been erased, or the call was malformed. */
  readonly params: Json
  readonly context: Json
  /** Where params and context are null because somebody has erased them. */
  readonly erased?: true | undefined
  /** Where params and context are null because they are sealed, and the service cannot open them. */
  readonly sealed?: true | undefined
  readonly outcome: {
    readonly status: OutcomeStatus
    readonly at: string
    readonly detail?: string | undefined
  } | null
}

/** An approval as people and its agent see it. */
export interface ApprovalView {
  readonly id: ApprovalId
  readonly decision: DecisionId
  readonly url: string
  readonly agent: string
  readonly action: string
  readonly params: Json
  readonly context: Json
  /** Where params and context are null because somebody has erased them. Then nobody may vote any more. */
  readonly erased?: true | undefined
  /** Where params and context are null because they are sealed, and the service cannot open them. */
  readonly sealed?: true | undefined
  readonly reasons: readonly string[]
  readonly rules: readonly DeterminingRule[]
  readonly policy: PolicyRef | null
  readonly status: ApprovalStatus
  /**
   * Where it is pending or approved, and can let nothing through: the policy in force for its agent in the service that
   * answers is another than the one that it is bound to, so that using it would be denied for that. Votes are still taken.
   */
  readonly voidedBy?: 'policy_change' | undefined
  readonly openedAt: string
  readonly deadline: string
  /** From when on those of `terms.escalateTo` are asked as well, in their order; absent where nobody is. */
  readonly escalatesAt?: readonly string[] | undefined
  /** While it is pending: when it is worth asking again. */
  readonly retryAt?: string | undefined
  readonly terms: ApprovalTerms
  /** What a vote is for: it has to name this digest (`approvalDigest`). */
  readonly digest: Sha256
  readonly votes: readonly {
    readonly person: string
    /** In whose stead, where it was cast so. */
    readonly for?: string | undefined
    readonly vote: VoteChoice
    /** Cast in an emergency. */
    readonly breakGlass?: true | undefined
    /** What the person has granted beside the one call. */
    readonly standing?: RecordedStanding | undefined
    /** Over which channel it came; absent in records of earlier versions. */
    readonly channel?: VoteChannel | undefined
    readonly comment: string | null
    readonly at: string
  }[]
  /** While it is pending, and its terms let people grant more calls like this one: the latest `until` that a vote may name now. */
  readonly standingUntil?: string | undefined
  readonly consumedBy: DecisionId | null
  /** Who withdrew it and why, where somebody did. `by` is a person, `operator` or `agent`; the reason is null where erased. */
  readonly cancelled?:
    { readonly by: string; readonly reason: string | null; readonly at: string } | undefined
  /** Whether the person who asks could still vote for themself; always false for agents. */
  readonly mayVote: boolean
  /** In whose stead that person could still vote; absent where in nobody's. */
  readonly mayVoteFor?: readonly string[] | undefined
  /** Where that person could break the glass. */
  readonly mayBreakGlass?: true | undefined
}

/** A live standing grant as people see it. */
export interface GrantView {
  readonly id: GrantId
  /** The approval that it came of. */
  readonly approval: ApprovalId
  readonly agent: string
  readonly action: string
  /** Those of the approved call. */
  readonly params: Json
  readonly context: Json
  readonly policy: PolicyRef
  readonly routes: readonly string[]
  /** In what calls may differ from that one; in all else they are equal. */
  readonly mayDiffer: readonly StandingDifference[]
  readonly uses: number
  /** How many calls it has let through. */
  readonly used: number
  readonly until: string
  readonly madeAt: string
  /** Whose votes it rests on, and in whose stead they were cast. */
  readonly by: readonly { readonly person: string; readonly for?: string | undefined }[]
  /** Whether the person who asks may revoke it. */
  readonly mayRevoke: boolean
}

/** What stands for a call id: what `resume` goes on from. */
export interface CallView {
  readonly callId: string
  /** The decision that stands, with the call as it was made. */
  readonly decision: DecisionView
  /** Where the decision waits for people, or waited: where that stands. */
  readonly approval: ApprovalView | null
}
