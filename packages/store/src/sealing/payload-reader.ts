import { Fault, openPayload, sealedKeys, type StoredEntry } from '@bailiwick/core'
import type { Queryable } from '../log/batches.ts'
import type { PayloadKey } from './payload-key.ts'
import { keyIdsOf, readSubjectKeys, unwrapped, type StoredSubjectKey } from './subject-keys.ts'

/** What can be read of an entry's payload. */
export interface ReadPayload {
  /** Canonical JSON; null where there is none, it was erased, or a key that it was sealed with was destroyed. */
  readonly body: string | null
  /**
   * Why it cannot be read here, although it is there: `payload_key_missing`, or `log_broken` where it or a key that it was
   * sealed with was changed.
   */
  readonly shut?: Fault | undefined
}

const nothing: ReadPayload = Object.freeze({ body: null })

/**
 * Reads payloads, also those that are sealed. Keys are read whenever something is, and never kept: one that was destroyed,
 * by whatever process, opens nothing from then on.
 */
export class PayloadReader {
  readonly ledger: string
  readonly #key: PayloadKey | undefined

  constructor(ledger: string, key: PayloadKey | undefined) {
    this.ledger = ledger
    this.#key = key
  }

  /**
   * What can be read of these entries, by index; of others, nothing. One that does not open says so, and spoils no other.
   * Asks the database only where one of them is sealed.
   */
  async read(
    client: Queryable,
    entries: readonly StoredEntry[],
  ): Promise<(index: number | undefined) => ReadPayload> {
    const ids = keyIdsOf(entries.map(textOf))
    const rows = await readSubjectKeys(client, this.ledger, { ids })
    const keys = new Map(rows.map((row) => [row.id, row]))
    const stored = new Map(entries.map((entry) => [entry.index, textOf(entry)]))
    return (index) => {
      const text = index === undefined ? undefined : stored.get(index)
      if (index === undefined || text === undefined) return nothing
      return this.#open(text, index, keys)
    }
  }

  /** One entry's payload as text; null where it is gone. @throws Fault as `shut` says, where it cannot be read here */
  async text(client: Queryable, entry: StoredEntry): Promise<string | null> {
    const { body, shut } = (await this.read(client, [entry]))(entry.index)
    if (shut !== undefined) throw shut
    return body
  }

  #open(text: string, index: number, keys: ReadonlyMap<string, StoredSubjectKey>): ReadPayload {
    const ids = sealedKeys(text)
    if (ids === undefined) return { body: text }
    const rows = ids.flatMap((id) => keys.get(id) ?? [])
    if (rows.length < ids.length) return nothing
    const { ledger } = this
    try {
      const opening = rows.map((row) => unwrapped(row, ledger, this.#key))
      return { body: openPayload(text, opening, { ledger, index }) }
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      return { body: null, shut: error }
    }
  }
}

function textOf({ payload }: StoredEntry): string | undefined {
  return typeof payload === 'string' ? undefined : payload.body
}
