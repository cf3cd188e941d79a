import { hash, timingSafeEqual } from 'node:crypto'
import { instantText, type Instant } from '@bailiwick/core'
import type pg from 'pg'

const hourMs = 60 * 60 * 1000
/** How many keys are remembered as noted. */
const notedMax = 100_000
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
  readonly #now: () => Instant
  /** The hour in which a use of each key was noted last. */
  readonly #noted = new Map<string, number>()
  /** By the key as it was presented. */
  #asked = new Map<string, Asked>()
  #busy = false

  constructor(pool: pg.Pool, now: () => Instant) {
    this.#pool = pool
    this.#now = now
  }

  /** The agent of a key, or undefined: unknown, revoked, expired and malformed keys look alike. Rejects where the database fails. */
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
        const used = new Set<string>()
        for (const { id, secret, resolve } of asked) {
          const agent = agentIn(rows.get(id), secret)
          if (agent !== undefined) used.add(id)
          resolve(agent)
        }
        this.#note(used)
      } catch (error) {
        for (const { reject } of asked) reject(error)
      }
    }
    this.#busy = false
  }

  async #read(ids: readonly string[]): Promise<ReadonlyMap<string, KeyRow>> {
    const { rows } = await this.#pool.query<KeyRow & { id: string }>({
      name: 'keys_by_id',
      text: `select id, agent, secret_sha256 from api_key
        where id = any($1) and revoked_at is null and (expires_at is null or expires_at > $2)`,
      values: [ids, instantText(this.#now())],
    })
    return new Map(rows.map((row) => [row.id, row]))
  }

  // To the hour, so that hardly any request writes. Nobody waits for it, and nothing depends on it.
  #note(used: ReadonlySet<string>): void {
    const hour = Math.floor(this.#now() / hourMs)
    const fresh = [...used].filter((id) => this.#noted.get(id) !== hour)
    if (fresh.length === 0) return
    if (this.#noted.size > notedMax) this.#noted.clear()
    for (const id of fresh) this.#noted.set(id, hour)
    const at = instantText((hour * hourMs) as Instant)
    this.#pool
      .query(
        'update api_key set last_used_at = $2 where id = any($1) and (last_used_at is null or last_used_at < $2)',
        [fresh, at],
      )
      .catch(() => fresh.forEach((id) => this.#noted.delete(id)))
  }
}

/** What is kept of a key that has not been revoked and not ended. */
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
