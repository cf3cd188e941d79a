import { hash, timingSafeEqual } from 'node:crypto'
import type pg from 'pg'

const keyPattern = /^bw_([0-9a-f]{16})_([A-Za-z0-9_-]{43})$/

/** What callers that present one key wait for. */
interface Asked {
  readonly id: string
  readonly secret: string
  readonly promise: Promise<string | undefined>
  readonly resolve: (agent: string | undefined) => void
  readonly reject: (error: unknown) => void
}

/**
 * Finds out for whom API keys speak, many questions with one query.
 *
 * A query is sent only after every question that it answers was asked, so a revocation that was committed before a
 * question is seen by its answer, whichever process revoked. Nothing is remembered from one query to the next. Questions
 * of one turn of the event loop go together; those that come while a query is under way wait for it and go together in
 * the next one.
 */
export class KeyLookup {
  readonly #pool: pg.Pool
  /** By the key as it was presented. */
  #asked = new Map<string, Asked>()
  #busy = false

  constructor(pool: pg.Pool) {
    this.#pool = pool
  }

  /** The agent of a key, or undefined: unknown, revoked and malformed keys look alike. Rejects where the database fails. */
  agentOf(key: string): Promise<string | undefined> {
    const known = this.#asked.get(key)
    if (known !== undefined) return known.promise
    const [, id, secret] = keyPattern.exec(key) ?? []
    if (id === undefined || secret === undefined) return Promise.resolve(undefined)
    const asked = question(id, secret)
    this.#asked.set(key, asked)
    if (!this.#busy) {
      this.#busy = true
      // After whatever else this turn has read from its sockets.
      void this.#answerAll()
    }
    return asked.promise
  }

  async #answerAll(): Promise<void> {
    while (this.#asked.size > 0) {
      await new Promise((resolve) => setImmediate(resolve))
      const asked = [...this.#asked.values()]
      this.#asked = new Map()
      try {
        const rows = await this.#read([...new Set(asked.map(({ id }) => id))])
        for (const { id, secret, resolve } of asked) resolve(agentIn(rows.get(id), secret))
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

/** What is kept of a key that has not been revoked. */
interface KeyRow {
  readonly agent: string
  readonly secret_sha256: Buffer
}

function agentIn(row: KeyRow | undefined, secret: string): string | undefined {
  if (row === undefined) return undefined
  return timingSafeEqual(row.secret_sha256, hash('sha256', secret, 'buffer')) ? row.agent : undefined
}

function question(id: string, secret: string): Asked {
  let settle: Pick<Asked, 'resolve' | 'reject'> | undefined
  const promise = new Promise<string | undefined>((resolve, reject) => {
    settle = { resolve, reject }
  })
  const { resolve, reject } = settle as Pick<Asked, 'resolve' | 'reject'>
  return { id, secret, promise, resolve, reject }
}
