import { randomBytes } from 'node:crypto'
import { Fault, instantText, type Instant, type PersonId, type Voter } from '@bailiwick/core'
import type { Ledger } from '../ledger.ts'
import { laterInstant } from '../log/later-instant.ts'
import type { ChangedBy } from '../operations/access.ts'
import { openSessionOperation } from '../operations/open-session.ts'
import { newToken, sha256 } from './secrets.ts'

/** How long a session lasts. */
export interface SessionLifetimes {
  /** From signing in, whatever happens, in milliseconds. */
  readonly absoluteMs: number
  /** Without a request. */
  readonly idleMs: number
}

/** Half a day, and two hours without a request. */
export const sessionLifetimesDefault: SessionLifetimes = {
  absoluteMs: 12 * 60 * 60 * 1000,
  idleMs: 2 * 60 * 60 * 1000,
}

/** How precisely it is known when a session was used last: a request writes no more often. */
const seenMs = 60 * 1000

const later = laterInstant('$1', '$2')
/** Whether a session `s` goes on: by its age, and by when it was used last. */
const lasting = `s.expires_at > ${later} and s.seen_at + $3::float8 * interval '1 millisecond' > ${later}`
/** When a session is used, by one clock for all processes where there is one. */
const seenNow = `case when $2 then clock_timestamp() else $1::timestamptz end`

/** A person who has proven everything that a session asks for. */
export interface Proven {
  readonly person: PersonId
  /** What the person proved, such as `password+totp`. */
  readonly method: string
  /** How often all sessions of the person had been ended when the sign-in began. */
  readonly epoch: number
  /** What the browser says of itself. */
  readonly client: string
  /** The session that this one goes on from: as old, and lasting no longer. */
  readonly continued?: Pick<KnownSession, 'createdAt' | 'expiresAt'> | undefined
}

/** A session that was opened. The token is shown this once; only its hash is kept. */
export interface OpenedSession {
  readonly session: string
  readonly id: string
  readonly voter: Voter
  readonly maxAgeSeconds: number
}

/** A session as the asker's own requests know it. */
export interface KnownSession {
  readonly id: string
  /** How often all sessions of the person have been ended so far; the next time ends this one. */
  readonly epoch: number
  readonly voter: Voter
  readonly method: string
  /** Whether a second factor is demanded that its person has still to set up: until then it is good for nothing else. */
  readonly isPartial: boolean
  readonly createdAt: string
  readonly expiresAt: string
}

/** A session as listed: never its token. */
export interface ListedSession {
  readonly id: string
  readonly person: string
  readonly method: string
  readonly client: string
  readonly createdAt: string
  /** To the minute. */
  readonly seenAt: string
  readonly expiresAt: string
}

interface SessionRow {
  readonly id: string
  readonly person: PersonId
  readonly method: string
  readonly client: string
  readonly created_at: Date
  readonly seen_at: Date
  readonly expires_at: Date
}

/** What people's browsers are known by, once they have signed in. */
export class Sessions {
  readonly #ledger: Ledger
  readonly #lifetimes: SessionLifetimes
  readonly #demandsSecondFactor: boolean

  /** @param demandsSecondFactor whether a password alone is not enough */
  constructor(
    ledger: Ledger,
    lifetimes: SessionLifetimes = sessionLifetimesDefault,
    demandsSecondFactor = false,
  ) {
    this.#ledger = ledger
    this.#lifetimes = lifetimes
    this.#demandsSecondFactor = demandsSecondFactor
  }

  /**
   * Opens a session under a new token, in the transaction that records the sign-in.
   *
   * @throws Fault `not_authenticated` where all of the person's sessions were ended since the sign-in began, or the person
   *   was removed; then nothing is recorded
   */
  async open({ person, method, epoch, client, continued }: Proven): Promise<OpenedSession> {
    const session = newToken()
    const id = randomBytes(8).toString('hex')
    const now = this.#ledger.now()
    const expires = continued?.expiresAt ?? instantText((now + this.#lifetimes.absoluteMs) as Instant)
    const row = {
      id,
      token_sha256: sha256(session).toString('hex'),
      person,
      method,
      epoch,
      client: clientText(client),
      created_at: continued?.createdAt ?? null,
      expires_at: expires,
    }
    await this.#ledger.changePerson(openSessionOperation(row))
    const voter = { id: person, roles: await this.#rolesOf(person) }
    return { session, id, voter, maxAgeSeconds: Math.floor((Date.parse(expires) - now) / 1000) }
  }

  /** The session of a token with its person's roles as they are now, or undefined where it has ended. Counts as a use. */
  async known(session: string): Promise<KnownSession | undefined> {
    const { rows } = await this.#ledger.pool.query<
      SessionRow & { roles: string[]; epoch: string; is_stale: boolean }
    >({
      name: 'session_by_token',
      text: `select s.id, s.method, s.created_at, s.seen_at, s.expires_at, p.id as person, p.roles,
          coalesce(o.epoch, 0) as epoch, ${seenNow} - s.seen_at >= ${seenMs} * interval '1 millisecond' as is_stale
        from session s join person p on p.id = s.person left join sign_out o on o.person = s.person
        where s.token_sha256 = $4 and ${lasting}`,
      values: [...this.#instant(), sha256(session)],
    })
    const row = rows[0]
    if (row === undefined) return undefined
    if (row.is_stale) {
      await this.#ledger.pool.query(
        `update session set seen_at = greatest(seen_at, ${seenNow}) where id = $3`,
        [...this.#instant().slice(0, 2), row.id],
      )
    }
    return {
      id: row.id,
      epoch: Number(row.epoch),
      voter: { id: row.person, roles: row.roles },
      method: row.method,
      isPartial: this.#demandsSecondFactor && row.method === 'password',
      createdAt: row.created_at.toISOString(),
      expiresAt: row.expires_at.toISOString(),
    }
  }

  /** Whether a session goes on. Asking is no use of it. */
  async goesOn(id: string): Promise<boolean> {
    const { rowCount } = await this.#ledger.pool.query(
      `select 1 from session s where s.id = $4 and ${lasting}`,
      [...this.#instant(), id],
    )
    return rowCount === 1
  }

  /** The sessions that go on, newest first; of one person, or of all. */
  async list(person?: PersonId): Promise<ListedSession[]> {
    const { rows } = await this.#ledger.pool.query<SessionRow>(
      `select id, person, method, client, created_at, seen_at, expires_at from session s
      where ($4::text is null or person = $4) and ${lasting}
      order by created_at desc, id limit 1000`,
      [...this.#instant(), person ?? null],
    )
    return rows.map((row) => ({
      id: row.id,
      person: row.person,
      method: row.method,
      client: row.client,
      createdAt: row.created_at.toISOString(),
      seenAt: row.seen_at.toISOString(),
      expiresAt: row.expires_at.toISOString(),
    }))
  }

  /**
   * Ends one session, in the transaction that records it.
   *
   * @param of only where it is this person's
   * @param by who ends it
   * @throws Fault `not_found`
   */
  async end(id: string, { of, by, session }: { readonly of?: PersonId } & ChangedBy = {}): Promise<void> {
    const { rows } = await this.#ledger.pool.query<{ person: string }>(
      'select person from session where id = $1 and ($2::text is null or person = $2)',
      [id, of ?? null],
    )
    const row = rows[0]
    if (row === undefined) {
      throw new Fault('not_found', `no session \`${id}\``, { fix: 'It may have ended; list sessions again.' })
    }
    await this.#ledger.changeAccess(
      {
        kind: 'access',
        event: 'session_ended',
        subject: row.person,
        grants: [id],
        by: by === row.person ? undefined : by,
      },
      { sessionsEnded: [{ id }] },
      undefined,
      session,
    )
  }

  /** Ends the session of a token, as its person signs out. Nothing where it has ended already. */
  async signOut(session: string): Promise<void> {
    const { rows } = await this.#ledger.pool.query<{ id: string; person: string }>(
      'select id, person from session where token_sha256 = $1',
      [sha256(session)],
    )
    for (const { id, person } of rows) {
      await this.#ledger.changeAccess(
        { kind: 'access', event: 'signed_out', subject: person, grants: [] },
        { sessionsEnded: [{ id }] },
      )
    }
  }

  async #rolesOf(person: PersonId): Promise<readonly string[]> {
    const { rows } = await this.#ledger.pool.query<{ roles: string[] }>(
      'select roles from person where id = $1',
      [person],
    )
    return rows[0]?.roles ?? []
  }

  /** What the first three parameters of `lasting` are. */
  #instant(): readonly [string, boolean, number] {
    const { now, databaseClock } = this.#ledger
    return [instantText(now()), databaseClock, this.#lifetimes.idleMs]
  }
}

const clientLengthMax = 200

// Shown to people, and no more than a hint.
function clientText(client: string): string {
  return client.replaceAll(/[^\P{C} ]/gu, '').slice(0, clientLengthMax)
}
