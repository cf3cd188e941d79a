import { hash, timingSafeEqual } from 'node:crypto'
import { instantText, type Instant } from '@bailiwick/core'
import type pg from 'pg'
import { noAdmission } from './log/admission.ts'

const hourMs = 60 * 60 * 1000
/** How many keys are remembered as noted. */
const notedMax = 100_000
const rememberedMax = 100_000
const keyPattern = /^bw_([0-9a-f]{16})_([A-Za-z0-9_-]{43})$/

/** An agent that was let in by its key. */
export interface Admission {
  readonly agent: string
  /**
   * Where the key was remembered: the count of key changes at which it was good. What the agent asks for has to be
   * recorded at this very count (`Ledger.decide`), or the key to be looked up. Undefined: it was looked up just now.
   */
  readonly keysAsOf?: number | undefined
}

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
 * question is seen by its answer, whichever process revoked. Questions of one turn of the event loop go together; those
 * that come while a query is under way wait for it and go together in the next one.
 *
 * What is remembered from one query to the next lets nobody in by itself: it is good for what is recorded at the same
 * count of key changes, which the statement that records it demands.
 */
export class KeyLookup {
  readonly #pool: pg.Pool
  readonly #now: () => Instant
  /** The hour in which a use of each key was noted last. */
  readonly #noted = new Map<string, number>()
  /** By the key as it was presented. */
  #asked = new Map<string, Asked>()
  #busy = false
  /** Keys that were good at `#asOf`, by id. */
  readonly #remembered = new Map<string, KeyRow>()
  #asOf = noAdmission
  /** What was asked in this turn of the event loop of keys that are remembered, by the key as it was presented. */
  readonly #turn = new Map<string, Promise<Admission | undefined>>()

  constructor(pool: pg.Pool, now: () => Instant) {
    this.#pool = pool
    this.#now = now
  }

  /**
   * Like `agentOf`, and without a query where the key is remembered: for callers whose wish is recorded at
   * `keysAsOf`, or not at all.
   *
   * @param mayRemember false where another process would record it
   */
  admissionOf(key: string, mayRemember: boolean): Promise<Admission | undefined> {
    const known = this.#turn.get(key)
    if (known !== undefined) return known
    const [, id = '', secret = ''] = keyPattern.exec(key) ?? []
    const row = mayRemember ? this.#remembered.get(id) : undefined
    if (row === undefined || hasEnded(row, this.#now())) {
      return this.agentOf(key).then((agent) => (agent === undefined ? undefined : { agent }))
    }
    const keysAsOf = this.#asOf
    // Those who ask in one turn go on together, and their wishes into one batch.
    const admission = new Promise<Admission | undefined>((resolve) => {
      setImmediate(() => {
        this.#turn.clear()
        const agent = agentIn(row, secret)
        if (agent !== undefined && this.#noted.get(id) !== this.#hour()) this.#note(new Set([id]))
        resolve(agent === undefined ? undefined : { agent, keysAsOf })
      })
    })
    this.#turn.set(key, admission)
    return admission
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
    const { rows } = await this.#pool.query<KeyRow & { id: string | null; epoch: string }>({
      name: 'keys_by_id',
      // One statement: the keys and the count are of one moment.
      text: `select e.epoch, k.id, k.agent, k.secret_sha256, k.expires_at from key_epoch e left join api_key k
        on k.id = any($1) and k.revoked_at is null and (k.expires_at is null or k.expires_at > $2)`,
      values: [ids, instantText(this.#now())],
    })
    const found = new Map<string, KeyRow>()
    for (const row of rows) if (row.id !== null) found.set(row.id, row)
    this.#remember(found, Number(rows[0]?.epoch ?? noAdmission))
    return found
  }

  #remember(found: ReadonlyMap<string, KeyRow>, epoch: number): void {
    if (epoch !== this.#asOf || this.#remembered.size > rememberedMax) this.#remembered.clear()
    this.#asOf = epoch
    if (epoch === noAdmission) return
    for (const [id, row] of found) this.#remembered.set(id, row)
  }

  #hour(): number {
    return Math.floor(this.#now() / hourMs)
  }

  // To the hour, so that hardly any request writes. Nobody waits for it, and nothing depends on it.
  #note(used: ReadonlySet<string>): void {
    const hour = this.#hour()
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
  readonly expires_at: Date | null
}

function hasEnded({ expires_at: end }: KeyRow, now: Instant): boolean {
  return end !== null && end.getTime() <= now
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
