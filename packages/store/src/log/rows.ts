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
