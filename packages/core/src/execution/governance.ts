import type { Outcome, OutcomeStatus } from '../model/call.ts'
import type { Fault } from '../model/fault.ts'
import type { JsonObject } from '../model/json.ts'
import type { ApprovalId, DecisionId, Instant } from '../model/ids.ts'
import type { ApprovalStatus } from '../model/approval.ts'
import type { ApprovalView, CallView, DecisionAnswer, DecisionRequest, DecisionView } from './answer.ts'

/**
 * The policy decision point (PDP) as an enforcement point sees it: in the same process or over HTTP.
 * What it returns is durably recorded; what it cannot record it throws a `Fault` for.
 */
export interface DecisionPoint {
  decide(request: DecisionRequest): Promise<DecisionAnswer>
  /** Several at once, in their order, each with its own answer; absent where that is nothing else than one after the other. */
  decideAll?(calls: readonly DecisionRequest[]): Promise<readonly Checked[]>
  /** The approval as it stands, or as it stands after at most `waitSeconds` if it is pending now. */
  approval(id: ApprovalId, waitSeconds: number): Promise<ApprovalView>
  /** What stands for a call id of the agent. @throws Fault `not_found` where nothing was decided under it */
  call(callId: string): Promise<CallView>
  reportOutcome(id: DecisionId, outcome: Outcome): Promise<void>
}

/** What the code that performs an action is given: the call exactly as it was decided. */
export interface PermittedCall {
  readonly decision: DecisionAnswer
  /** A frozen copy made before the call was decided: later changes to the caller's object are not in it. */
  readonly params: JsonObject
}

/** What else may be said of a call that is only checked. */
export interface CheckOptions {
  /** The host's name for the conversation or task that the call is part of; flows look back along it. */
  readonly session?: string | undefined
  /** The obligations that the caller carries out itself, by kind, such as `redact`. */
  readonly supports?: readonly string[] | undefined
  /**
   * Chosen by the caller so that asking again, as after a lost answer, decides nothing anew. An `allow` that comes with
   * `replayed` is no permission: whoever got it first may have acted.
   */
  readonly callId?: string | undefined
}

/** What became of one of several calls: a decision, or why there is none. Nothing may run but what was allowed. */
export type Checked =
  | { readonly kind: 'decided'; readonly decision: DecisionAnswer }
  | { readonly kind: 'failed'; readonly fault: Fault }

/** How a call may be governed. */
export interface GovernOptions {
  readonly context?: JsonObject | undefined
  /** The host's name for the conversation or task that the call is part of; flows look back along it. */
  readonly session?: string | undefined
  /** Chosen by the caller so that a retry, also after a crash, does not act twice. Default: a fresh one. */
  readonly callId?: string | undefined
  /** Ends the wait for people; the call does not run, and the approval stays open until its deadline. */
  readonly signal?: AbortSignal | undefined
  /** Where the service tells, once, that the approval is over: a URL on a host that it allows. */
  readonly callback?: string | undefined
}

/** How a call may be resumed. */
export interface ResumeOptions {
  /** False: where people have not answered yet, say so at once. Default: wait for them, as `govern` does. */
  readonly wait?: boolean | undefined
  /** As in `GovernOptions`. */
  readonly signal?: AbortSignal | undefined
}

/** What became of a call that was resumed. */
export type Resumed<Result> =
  | Governed<Result>
  /** Nobody has answered yet. It is worth asking again at `retryAt` (RFC 3339), and not before. */
  | {
      readonly kind: 'pending'
      readonly decision: DecisionView
      readonly approval: ApprovalView
      readonly retryAt: string
    }

/** What became of a governed call. */
export type Governed<Result> =
  /** It was allowed, and ran once, here. `outcomeRecorded` is false where the log could not be told. */
  | {
      readonly kind: 'ran'
      /** What `run` gave, with everything redacted that the decision obliges to redact. */
      readonly result: Result
      readonly decision: DecisionAnswer
      readonly outcomeRecorded: boolean
    }
  /** It did not run. `approval` says what people answered, where they were asked. */
  | {
      readonly kind: 'withheld'
      readonly decision: DecisionAnswer
      readonly approval?: ApprovalStatus | undefined
    }
  /** The same call id was allowed before, so it was not run again. `unknown`: it may have run. */
  | { readonly kind: 'ran_before'; readonly decision: DecisionAnswer; readonly outcome: OutcomeStatus }

/** The policy enforcement point (PEP): the same in one process with the log and over HTTP. */
export interface Governance {
  /** Decides and records, and does nothing else. The caller must not act unless the effect is `allow`. */
  check(
    action: string,
    params: JsonObject,
    context?: JsonObject,
    options?: CheckOptions,
  ): Promise<DecisionAnswer>
  /**
   * Checks several calls, each by itself, in their order; what is wrong with one keeps no other from being decided.
   * Never rejects: each call has its own answer, in its place.
   */
  checkAll(calls: readonly DecisionRequest[]): Promise<readonly Checked[]>
  /**
   * Decides, records, waits for a person if it must, runs once, and records the outcome. An error that
   * `run` throws is recorded as a failed outcome and thrown on.
   */
  govern<Result>(
    action: string,
    params: JsonObject,
    run: (call: PermittedCall) => Promise<Result> | Result,
    options?: GovernOptions,
  ): Promise<Governed<Result>>
  /**
   * Goes on with a call that this process or another has made under a call id, from what is recorded: also days later, and
   * without its params. It runs where nothing ran before and it may; a run whose outcome is not known is not repeated.
   *
   * @throws Fault `not_found` where nothing was recorded under the call id: then nothing ran
   */
  resume<Result>(
    callId: string,
    run: (call: PermittedCall) => Promise<Result> | Result,
    options?: ResumeOptions,
  ): Promise<Resumed<Result>>
}

/** Time and randomness, which only the edge may touch. */
export interface GovernPorts {
  now(): Instant
  /** Resolves after `ms`, or at once when the signal is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  newCallId(): string
}
