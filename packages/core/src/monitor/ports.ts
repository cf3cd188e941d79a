import type { Instant } from '../model/ids.ts'
import type { LogRecord } from '../model/record.ts'

/** One message to one target. Unique by `index`, `kind`, `target` and `recipient`: enqueueing it twice keeps the first. */
export interface OutboxMessage {
  /** The name of the target, such as `webhook` or `slack`. */
  readonly target: string
  /** Whom of the target it is for, such as an e-mail address; absent where the target is one place. */
  readonly recipient?: string | undefined
  /** The notice's kind. */
  readonly kind: string
  /** The index of the record that caused it. */
  readonly index: number
  /** JSON text, sent as it is. */
  readonly body: string
}

/** A cursor over the log that survives restarts. */
export interface NoticeFeed {
  /**
   * Reads up to `limit` records that no earlier call has read, enqueues what `expand` makes of them and
   * moves on, all in one transaction: a crash repeats the step or nothing of it. A new cursor starts at 0.
   *
   * @param quiet tells from a record's text that nothing comes of it; such a record is not even parsed
   * @returns how many records were read; 0 when the log has been read to its end
   */
  advance(
    expand: (record: LogRecord) => readonly OutboxMessage[],
    limit: number,
    quiet?: (recordText: string) => boolean,
  ): Promise<number>
  /** Moves on to the end of the log without reading it, where nobody is to be told. */
  skip(): Promise<void>
}

/** A message whose delivery is up to whoever claimed it, until its lease ends. */
export interface ClaimedMessage {
  /** The same for every attempt, so that a receiver can tell a repetition. Has no full stop in it. */
  readonly id: string
  readonly target: string
  /** As in `OutboxMessage`; empty where there is none. */
  readonly recipient: string
  /** The index of the record that caused it. */
  readonly index: number
  readonly kind: string
  readonly body: string
  /** The number of this attempt, from 1. An attempt whose sender died counts too. */
  readonly attempts: number
}

/** Messages that wait for delivery. */
export interface Outbox {
  /**
   * Leases up to `limit` messages for `target` that are due at `now`: those that were never tried first, in
   * the order of the log. No one else gets them for `leaseMs`. By target, so that a backlog for one cannot
   * keep another waiting.
   */
  claim(target: string, limit: number, leaseMs: number, now: Instant): Promise<readonly ClaimedMessage[]>
  /** Settles a message for good, also where its lease has ended meanwhile. */
  delivered(message: ClaimedMessage, at: Instant): Promise<void>
  /**
   * Gives a message back. Has no effect once another worker has claimed it.
   *
   * @param retryAt null: a dead letter, kept for people and never sent again
   */
  failed(message: ClaimedMessage, at: Instant, error: string, retryAt: Instant | null): Promise<void>
}
