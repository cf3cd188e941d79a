/** Rows that are folded from the log, in the names of their columns. */

export interface CallRow {
  readonly agent: string
  readonly call_id: string
  readonly index: number
}

export interface OutcomeRow {
  readonly decision: number
  readonly index: number
  readonly status: string
  /** The record of this batch that said `unknown` before; of an earlier batch, the row knows it. */
  readonly earlier: number | null
}

export interface ApprovalRow {
  readonly decision: number
  readonly agent: string
  readonly action: string
  readonly policy_sha256: string
  /** `ApprovalTerms` as JSON. */
  readonly terms: string
  readonly opened_at: string
  readonly expires_at: string
  readonly consumed_by: number | null
  readonly status: string
}

export interface VoteRow {
  readonly approval: number
  readonly person: string
  readonly vote: string
  readonly at: string
  readonly index: number
}

export interface CounterRow {
  readonly decision: number
  /** Hexadecimal. */
  readonly key: string
  readonly counter: string
  /** A decimal number. */
  readonly amount: string
  readonly window_ms: number
  readonly releasable: boolean
}

/** A row of `counter_entry` that is given back. */
export interface ReleasedRow {
  readonly decision: number
  readonly key: string
}

export interface MarkRow {
  readonly session: string
  readonly kind: 'action' | 'label'
  readonly value: string
  readonly index: number
}

export interface SuspensionRow {
  readonly agent: string
  readonly index: number
  readonly state: 'suspended' | 'active'
}

/** A key that is made. */
export interface KeyRow {
  readonly id: string
  readonly agent: string
  /** Hexadecimal. */
  readonly secret_sha256: string
}

export interface PersonRow {
  readonly id: string
  readonly roles: readonly string[]
}

/** What a batch changes of who may use the service. */
export interface AccessChange {
  readonly keysMade?: readonly KeyRow[]
  /** By id. */
  readonly keysRevoked?: readonly { readonly id: string }[]
  readonly peopleSet?: readonly PersonRow[]
  /** With their sessions and sign-in links. */
  readonly peopleRemoved?: readonly { readonly id: string }[]
  /** Whose sessions and sign-in links end. */
  readonly signedOut?: readonly { readonly id: string }[]
}

/** Whose data the payload of a decision holds. */
export interface SubjectRow {
  /** Hexadecimal. */
  readonly subject: string
  readonly index: number
}

/** Payloads of one batch that are erased, each with its salt. */
export interface ErasureRow {
  /** The index of the batch's first record; null: they are in cold storage, and only whose data it was is forgotten. */
  readonly first: number | null
  readonly indices: readonly number[]
}

/** A row of `archive_segment`. */
export interface SegmentRow {
  readonly first: number
  readonly stop: number
  readonly index: number
  readonly store: string
  readonly manifest: string
  readonly payloads: string
}

/** A row of `hold`. */
export interface HoldRow {
  readonly name: string
  readonly index: number
}
