import type { ActionName, AgentId, CallId, ApprovalId, Instant } from './ids.ts'
import type { Json, JsonObject } from './json.ts'

/** One thing an agent wants to do. `params` come from a model and are trusted by nothing. */
export interface ToolCall {
  readonly agent: AgentId
  readonly action: ActionName
  readonly params: JsonObject
  /** Given by the host that runs the agent; trusted, and never merged with `params`. */
  readonly context: JsonObject
  readonly callId?: CallId | undefined
  /** The approval that the caller claims covers this call. A claim, until the store has checked it. */
  readonly approvalId?: ApprovalId | undefined
}

/** What the outside world knew when the call was decided. With the call and the policy, it fixes the decision (G7). */
export interface Facts {
  readonly now: Instant
  /** What became of the approval that the call claims; absent when it claims none. */
  readonly approval?: ApprovalFact | undefined
}

/** The state of a claimed approval, settled in the transaction that records the decision. */
export type ApprovalFact =
  | { readonly kind: 'granted'; readonly id: ApprovalId; readonly routes: readonly string[] }
  | { readonly kind: 'refused'; readonly id: ApprovalId; readonly why: ApprovalRefusal }

/** Why a claimed approval does not cover a call. */
export type ApprovalRefusal =
  'unknown' | 'other_call' | 'other_policy' | 'pending' | 'rejected' | 'expired' | 'consumed'

/** What became of a call that was allowed. `unknown`: it may have run, and must not be retried blindly. */
export type OutcomeStatus = 'succeeded' | 'failed' | 'unknown'

/** What an agent reports after the run. */
export interface Outcome {
  readonly status: OutcomeStatus
  /** For people: an error message, a receipt number. Kept apart like parameters, so that it can be erased. */
  readonly detail?: string | undefined
  /** For programs; kept apart like parameters. */
  readonly result?: Json | undefined
}
