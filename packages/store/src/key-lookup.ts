import type pg from 'pg'

/** What is kept of a key that has not been revoked. */
export interface KeyRow {
  readonly agent: string
  readonly secret_sha256: Buffer
}

interface Asked {
  readonly id: string
  readonly resolve: (row: KeyRow | undefined) => void
  readonly reject: (error: unknown) => void
}

/**
 * Looks keys up in the database, many questions in one query.
 *
 * A query is sent only after every question that it answers was asked, so a revocation that was committed before a
 * question is seen by its answer, whichever process revoked. Nothing is remembered from one query to the next. Questions
 * of one turn of the event loop go together; those that come while a query is under way wait for it and go together in
 * the next one.
 */
export class KeyLookup {
  readonly #pool: pg.Pool
  #asked: Asked[] = []
  #busy = false

  constructor(pool: pg.Pool) {
    this.#pool = pool
  }

  /** The row of a key that may be used, or undefined. Rejects where the database fails. */
  find(id: string): Promise<KeyRow | undefined> {
    return new Promise((resolve, reject) => {
      this.#asked.push({ id, resolve, reject })
      if (this.#busy) return
      this.#busy = true
      // After whatever else this turn has read from its sockets.
      setImmediate(() => void this.#answerAll())
    })
  }

  async #answerAll(): Promise<void> {
    while (this.#asked.length > 0) {
      const asked = this.#asked
      this.#asked = []
      try {
        const rows = await this.#read([...new Set(asked.map(({ id }) => id))])
        for (const { id, resolve } of asked) resolve(rows.get(id))
      } catch (error) {
        for (const { reject } of asked) reject(error)
      }
    }
    this.#busy = false
  }

  async #read(ids: readonly string[]): Promise<ReadonlyMap<string, KeyRow>> {
    const { rows } = await this.#pool.query<KeyRow & { id: string }>({
      name: 'keys_by_id',
      text: 'select id, agent, secret_sha256 from api_key where id = any($1) and revoked_at is null',
      values: [ids],
    })
    return new Map(rows.map((row) => [row.id, row]))
  }
}
