import { hash, timingSafeEqual } from 'node:crypto'
import { instantText, type Instant } from '@bailiwick/core'
import type pg from 'pg'
import type { AdmittingKey } from './log/admission.ts'
import { laterInstant } from './log/later-instant.ts'

const hourMs = 60 * 60 * 1000
/** How many keys are remembered as noted. */
const notedMax = 100_000
const rememberedMax = 100_000
const keyPattern = /^bw_([0-9a-f]{16})_([A-Za-z0-9_-]{43})$/

/** An agent that was let in by its key. */
export interface Admission {
  readonly agent: string
  /**
   * Where the key was remembered: what it was. What the agent asks for has to be recorded while it is just that, and good
   * (`Ledger.decide`), or the key to be looked up. Undefined: it was looked up just now.
   */
  readonly key?: AdmittingKey | undefined
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
 * What is remembered from one query to the next lets nobody in by itself: it is for what is recorded, and the statement
 * that records it demands that the key is still the same, and good.
 */
export class KeyLookup {
  readonly #pool: pg.Pool
  readonly #now: () => Instant
  readonly #byDatabase: boolean
  /** The hour in which a use of each key was noted last. */
  readonly #noted = new Map<string, number>()
  /** By the key as it was presented. */
  #asked = new Map<string, Asked>()
  #busy = false
  /** Keys as they were when they were read last, by id. */
  readonly #remembered = new Map<string, AdmittingKey>()
  /** What was asked in this turn of the event loop of keys that are remembered, by the key as it was presented. */
  readonly #turn = new Map<string, Promise<Admission | undefined>>()

  /** @param byDatabase whether a key ends by the database's clock, too */
  constructor(pool: pg.Pool, now: () => Instant, byDatabase: boolean) {
    this.#pool = pool
    this.#now = now
    this.#byDatabase = byDatabase
  }

  /**
   * Like `agentOf`, and without a query where the key is remembered: for callers whose wish is recorded while `key` is
   * good, or not at all.
   *
   * @param mayRemember false where another process would record it
   */
  admissionOf(key: string, mayRemember: boolean): Promise<Admission | undefined> {
    const known = this.#turn.get(key)
    if (known !== undefined) return known
    const [, id = '', secret = ''] = keyPattern.exec(key) ?? []
    const row = mayRemember ? this.#remembered.get(id) : undefined
    if (row === undefined || !isSecret(secret, row)) {
      return this.agentOf(key).then((agent) => (agent === undefined ? undefined : { agent }))
    }
    const admitted = { agent: row.agent, key: row }
    // Those who ask in one turn go on together, and their wishes into one batch.
    const admission = new Promise<Admission | undefined>((resolve) => {
      setImmediate(() => {
        this.#turn.clear()
        if (this.#noted.get(id) !== this.#hour()) this.#note(new Set([id]))
        resolve(admitted)
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
          const row = rows.get(id)
          const isGood = row !== undefined && isSecret(secret, row)
          if (isGood) {
            used.add(id)
            this.#remember(row)
          }
          resolve(isGood ? row.agent : undefined)
        }
        this.#note(used)
      } catch (error) {
        for (const { reject } of asked) reject(error)
      }
    }
    this.#busy = false
  }

  async #read(ids: readonly string[]): Promise<ReadonlyMap<string, AdmittingKey>> {
    const byDatabase = this.#byDatabase
    const { rows } = await this.#pool.query<Omit<AdmittingKey, 'byDatabase'>>({
      name: 'keys_by_id',
      text: `select id, agent, encode(secret_sha256, 'hex') as secret from api_key
        where id = any($1) and revoked_at is null and (expires_at is null or expires_at > ${laterInstant('$2', '$3')})`,
      values: [ids, instantText(this.#now()), byDatabase],
    })
    const found = new Map(rows.map((row) => [row.id, { ...row, byDatabase }]))
    // What is not as it was is forgotten: else who goes on with the old secret would make every batch miss.
    for (const id of ids) if (!isSame(this.#remembered.get(id), found.get(id))) this.#remembered.delete(id)
    return found
  }

  // One object for a key for as long as it is the same: batches tell keys apart by it.
  #remember(key: AdmittingKey): void {
    if (isSame(this.#remembered.get(key.id), key)) return
    if (this.#remembered.size >= rememberedMax) this.#remembered.clear()
    this.#remembered.set(key.id, key)
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

function isSame(one: AdmittingKey | undefined, other: AdmittingKey | undefined): boolean {
  return one !== undefined && one.agent === other?.agent && one.secret === other.secret
}

// A hash of another length is that of no secret.
function isSecret(secret: string, { secret: kept }: AdmittingKey): boolean {
  const given = hash('sha256', secret, 'hex')
  return given.length === kept.length && timingSafeEqual(Buffer.from(given), Buffer.from(kept))
}

function question(id: string, secret: string): Asked {
  let settle: Pick<Asked, 'resolve' | 'reject'> | undefined
  const promise = new Promise<string | undefined>((resolve, reject) => {
    settle = { resolve, reject }
  })
  const { resolve, reject } = settle as Pick<Asked, 'resolve' | 'reject'>
  return { id, secret, promise, resolve, reject }
}
