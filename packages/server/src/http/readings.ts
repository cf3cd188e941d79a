import { Fault, type JsonObject, type ReadRecord } from '@bailiwick/core'
import type { Ledger } from '@bailiwick/store'
import { readingPayload } from '../reading-payload.ts'
import type { Asker } from './asker.ts'

/** How people look at records; `reveal` judges and records by itself. */
type View = Exclude<ReadRecord['what'], 'reveal'>

/** A view that stays open asks again and again: what a person was shown is recorded anew after so long. */
const againAfterMs = 10 * 60 * 1000
/** How many records are remembered as shown, over all people. */
const rememberedMax = 100_000

/**
 * Records what people look at. Recorded before it is shown; where the log cannot take it, as in an incident, masked
 * views are shown all the same, and the service's log says so.
 */
export class Readings {
  readonly #ledger: Ledger
  readonly #log: (line: string) => void
  /** When a person was last shown a record, by person, kind of view and index. */
  readonly #shown = new Map<string, number>()

  constructor(ledger: Ledger, log: (line: string) => void) {
    this.#ledger = ledger
    this.#log = log
  }

  /**
   * Records that the asker, where it is a person, is shown these records.
   *
   * @param filter what was searched for; of a text it is recorded only that there was one
   */
  async shown(asker: Asker, what: View, indices: readonly number[], filter?: JsonObject): Promise<void> {
    if (asker.kind === 'person') await this.shownTo(asker.voter.id, what, indices, filter)
  }

  /** The same of a person who is known by other means than a session. */
  async shownTo(person: string, what: View, indices: readonly number[], filter?: JsonObject): Promise<void> {
    const now = this.#ledger.now()
    const keyOf = (index: number) => `${person}\n${what}\n${index}`
    const records = [...new Set(indices)]
      .filter((index) => now - (this.#shown.get(keyOf(index)) ?? -Infinity) >= againAfterMs)
      .sort((one, other) => one - other)
    if (records.length === 0) return
    try {
      await this.#ledger.note({ kind: 'read', person, what, records }, readingPayload(filter ?? null, null))
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      this.#log(
        `reading: ${person} is shown ${records.length} records, which cannot be recorded: ${error.message}`,
      )
      return
    }
    for (const index of records) this.#remember(keyOf(index), now)
  }

  #remember(key: string, now: number): void {
    // Set anew, so that the first key is the one that was shown longest ago.
    this.#shown.delete(key)
    this.#shown.set(key, now)
    const [oldest] = this.#shown.keys()
    if (this.#shown.size > rememberedMax && oldest !== undefined) this.#shown.delete(oldest)
  }
}
