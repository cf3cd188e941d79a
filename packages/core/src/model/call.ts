import type {
  ActionName,
  AgentId,
  CallId,
  ApprovalId,
  CounterKey,
  GrantId,
  Instant,
  PersonId,
  SessionId,
} from './ids.ts'
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
  /** The host's name for the conversation or task that the call is part of. */
  readonly session?: SessionId | undefined
}

/**
 * What the outside world knew when the call was decided. With the call and the policy, it fixes the decision (G7).
 *
 * Everything beside `now` may be absent; what a policy asks for and is absent counts against the call.
 */
export interface Facts {
  readonly now: Instant
  /** What became of the approval that the call claims; absent when it claims none. */
  readonly approval?: ApprovalFact | undefined
  /** The standing grant that covers the call, settled in the transaction that records the decision; absent where none does. */
  readonly standing?: StandingFact | undefined
  /** Set where the agent is suspended: nothing it asks for is allowed. */
  readonly suspension?: { readonly reason: string } | undefined
  /** The environment that the service runs in, such as `prod`; absent where nobody has named it. */
  readonly env?: string | undefined
  /** What the call's session has done so far; absent where the call names no session. */
  readonly session?: SessionFact | undefined
  /** What has been used of each counter in its window, before this call. An absent key has not been read. */
  readonly counters?: ReadonlyMap<CounterKey, number> | undefined
  /** What was looked up for this call, by the name of the fact. */
  readonly lookups?: ReadonlyMap<string, LookupResult> | undefined
  /** The obligations that the enforcement point says it carries out, by kind. */
  readonly supports?: readonly string[] | undefined
}

/** What a decision is made from, beside the policy. */
export interface Given {
  readonly call: ToolCall
  readonly facts: Facts
}

/** What a session has been through. Both lists hold each entry once, in any order. */
export interface SessionFact {
  /** The labels that its allowed actions have left behind. */
  readonly labels: readonly string[]
  /** The actions that were allowed in it. */
  readonly actions: readonly string[]
}

/** What looking a fact up came to. A failure makes every condition that uses the fact count as matched. */
export type LookupResult =
  { readonly kind: 'value'; readonly value: Json } | { readonly kind: 'failed'; readonly why: string }

/** The state of a claimed approval, settled in the transaction that records the decision. */
export type ApprovalFact =
  | { readonly kind: 'granted'; readonly id: ApprovalId; readonly routes: readonly string[] }
  | { readonly kind: 'refused'; readonly id: ApprovalId; readonly why: ApprovalRefusal }

/** A standing grant that has uses left, and covers this very call. */
export interface StandingFact {
  readonly grant: GrantId
  /** The routes that it answers for. */
  readonly routes: readonly string[]
  /** Which of its uses this call would be, from 1 on. */
  readonly use: number
  readonly uses: number
  /** Whose votes it rests on. */
  readonly by: readonly PersonId[]
}

/** Why a claimed approval does not cover a call. */
export type ApprovalRefusal =
  | 'unknown'
  | 'other_call'
  | 'gone'
  | 'other_policy'
  | 'pending'
  | 'rejected'
  | 'expired'
  | 'cancelled'
  | 'consumed'

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
