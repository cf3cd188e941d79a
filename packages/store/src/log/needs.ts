import type { CounterWindow, DecisionRecord, OutcomeStatus } from '@bailiwick/core'
import type { VotingNeed } from './voting.ts'

/** A payload with its salt. */
export interface KnownPayload {
  readonly salt: Buffer
  /** As it is stored, and as the record commits to it: sealed or not. */
  readonly stored: string
  /** As it can be read. Reading it is a Fault `payload_key_missing` where it is sealed and cannot be opened here. */
  readonly body: string
}

/** A recorded decision with what operations need to know of it. */
export interface KnownDecision {
  readonly record: DecisionRecord
  /** Null where it has been erased. */
  readonly payload: KnownPayload | null
  readonly outcome: OutcomeStatus | null
}

/** With whose keys a payload is sealed: with those of all these people, or with those of another payload of the same call. */
export type Seal =
  | {
      /** Their digests; the operation needs them. At least one. */
      readonly subjects: readonly string[]
      readonly like?: undefined
    }
  | {
      /** That payload as it is stored. */
      readonly like: string
      readonly subjects?: undefined
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
  /** Digests of people whose keys are used, made or destroyed. */
  readonly subjects?: readonly string[]
  /** The keys of all people. */
  readonly allSubjects?: true
  /** Indices of records whose payloads are erased, if they are there and no legal hold stands. */
  readonly payloads?: readonly number[]
  /** A person all open approvals with whose votes are needed. */
  readonly votedOnBy?: string
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
  /** The id of the person's session that it is asked from. */
  readonly signedIn?: string
  /** The live standing grants. */
  readonly grants?: true
}

/** What an operation needs that needs to know nothing; most do. */
export const noNeeds: Needs = Object.freeze({})
