import type { Sha256 } from '../model/ids.ts'

/** What the sequencer knows of a record and its author does not. */
export interface RecordPlace {
  readonly ledger: string
  readonly index: number
  /** As `instantText` writes it: the records of a batch share one instant, and writing it takes time. */
  readonly at: string
  readonly payload: Sha256 | null
}
