import type { Instant, LogRecord, RecordBody } from '@bailiwick/core'
import type { AdmittingKey } from './admission.ts'
import type { Fold } from './fold.ts'
import type { KnownPayload, Needs, Seal } from './needs.ts'

/** Thrown by an operation that has to come in a batch after this one: it is applied again, in the next one. */
export class NotInThisBatch extends Error {}

/** Where an operation's record will stand. */
export interface Place {
  readonly index: number
  readonly at: Instant
}

/** What an operation does to the ledger: a record, or only an answer. */
export interface Applied<Answer> {
  readonly body?: RecordBody
  /** Canonical JSON to keep apart; the record commits to it as it is stored. */
  readonly payload?: string | undefined
  /** With whose keys the payload is sealed, where the ledger seals payloads. */
  readonly seal?: Seal | undefined
  /** Called with the record once it is complete and staged, for what is folded from it. */
  readonly staged?: ((record: LogRecord, payload: KnownPayload | null) => void) | undefined
  readonly answer: Answer
}

/** Something that reads the ledger's state and appends at most one record, atomically. */
export interface Operation<Answer> {
  readonly needs: Needs
  /**
   * The key by which the caller was let in, where it was remembered: the operation is done while the key is just that,
   * and good, or refused with `AdmissionLapsed`. Undefined: the caller was let in otherwise.
   */
  readonly key?: AdmittingKey | undefined
  /**
   * Pure, and leaves the fold alone: what is folded from the record happens in `staged`. Throws a
   * `Fault` to refuse; then nothing of it is written. May be called again with a fresh fold when another
   * writer was faster.
   */
  apply(fold: Fold, place: Place): Applied<Answer>
}
