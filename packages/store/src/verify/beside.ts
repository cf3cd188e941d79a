import { recordTerms, type LogRecord } from '@bailiwick/core'
import type { TimedBatch } from '../log/batch-row.ts'

/** What is wrong with what a batch says beside a record of it, apart from its terms; undefined where nothing is. */
export function besideRecord(record: LogRecord, index: number, batch: TimedBatch): string | undefined {
  if (batch.at !== record.at) return 'the time stored beside it does not say what the record says'
  return index === batch.first + batch.entries.length - 1 ? batch.misfit : undefined
}

/** What the records so far are found by. */
export class SeenTerms {
  readonly #terms = new Set<string>()
  #last: LogRecord | undefined

  /** The next record. */
  add(record: LogRecord): void {
    // Most decisions are found by just what the one before them is found by.
    const last = this.#last
    this.#last = record
    if (
      last?.kind === 'decision' &&
      record.kind === 'decision' &&
      // What claims an approval has terms of its own.
      record.claims === null &&
      last.agent === record.agent &&
      last.action === record.action &&
      last.effect === record.effect
    ) {
      return
    }
    for (const term of recordTerms(record)) this.#terms.add(term)
  }

  /** All of them. */
  all(): readonly string[] {
    return [...this.#terms]
  }

  /** Whether these are all of them, each once. */
  are(terms: readonly string[]): boolean {
    return terms.length === this.#terms.size && terms.every((term) => this.#terms.has(term))
  }
}
