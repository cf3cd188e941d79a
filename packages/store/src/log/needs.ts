import type { CounterWindow, DecisionRecord, OutcomeStatus } from '@bailiwick/core'
import type { VotingNeed } from './voting.ts'

/** A recorded decision with what operations need to know of it. */
export interface KnownDecision {
  readonly record: DecisionRecord
  /** Null where it has been erased. */
  readonly payload: { readonly salt: Buffer; readonly body: string } | null
  readonly outcome: OutcomeStatus | null
}

/** What operations of one batch have to know before they can be applied. */
export interface Needs {
  readonly calls?: readonly { readonly agent: string; readonly callId: string }[]
  /** Indices of decisions. */
  readonly decisions?: readonly number[]
  /** Indices of the decisions that opened the approvals. */
  readonly approvals?: readonly number[]
  /** By the digests of their keys. */
  readonly counters?: readonly { readonly key: string; readonly window: CounterWindow }[]
  readonly session?: string
  /** Indices of the decisions whose uses of counters are given back. */
  readonly uses?: readonly number[]
  /** Indices of records whose payloads are erased, if they are there and no legal hold stands. */
  readonly payloads?: readonly number[]
  /** Who votes on the approvals, and in whose stead. */
  readonly voting?: VotingNeed
  /** Indices of delegations. */
  readonly delegations?: readonly number[]
  /** Up to where the log is archived, and which holds stand. */
  readonly retention?: true
  /** By the ids of their credentials. */
  readonly passkeys?: readonly string[]
  /** People all of whose passkeys are touched. */
  readonly passkeysOf?: readonly string[]
  /** The live standing grants. */
  readonly grants?: true
}

/** What an operation needs that needs to know nothing; most do. */
export const noNeeds: Needs = Object.freeze({})
