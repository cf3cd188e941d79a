import { openPayload, sealedKeys, type StoredEntry } from '@bailiwick/core'
import type { Queryable } from '../log/batches.ts'
import { keyMissing } from './key-missing.ts'
import type { PayloadKey } from './payload-key.ts'
import { keyIdsOf, readSubjectKeys, unwrapped, type StoredSubjectKey } from './subject-keys.ts'

/** What can be read of an entry's payload. */
export interface ReadPayload {
  /** Canonical JSON; null where there is none, it was erased, or a key that it was sealed with was destroyed. */
  readonly body: string | null
  /** Why it cannot be read here, although it is there: the id of the master key. */
  readonly lockedBy?: string | undefined
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

  /** What can be read of these entries, by index; of others, nothing. Asks the database only where one of them is sealed. */
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

  /** One entry's payload as text. @throws Fault `payload_key_missing` where it cannot be read here; null where it is gone */
  async text(client: Queryable, entry: StoredEntry): Promise<string | null> {
    const { body, lockedBy } = (await this.read(client, [entry]))(entry.index)
    if (lockedBy !== undefined) throw keyMissing(lockedBy, this.#key)
    return body
  }

  #open(text: string, index: number, keys: ReadonlyMap<string, StoredSubjectKey>): ReadPayload {
    const ids = sealedKeys(text)
    if (ids === undefined) return { body: text }
    const rows = ids.flatMap((id) => keys.get(id) ?? [])
    if (rows.length < ids.length) return nothing
    const locked = rows.find(({ master }) => master !== this.#key?.id)
    if (locked !== undefined) return { body: null, lockedBy: locked.master }
    const { ledger } = this
    const opening = rows.map((row) => unwrapped(row, ledger, this.#key))
    return { body: openPayload(text, opening, { ledger, index }) }
  }
}

function textOf({ payload }: StoredEntry): string | undefined {
  return typeof payload === 'string' ? undefined : payload.body
}
