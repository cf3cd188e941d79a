import { randomBytes } from 'node:crypto'
import {
  Fault,
  instantText,
  nameLengthMax,
  roleOrGroup,
  type Instant,
  type PersonId,
  type Voter,
} from '@bailiwick/core'
import { unlessEnded } from './ended.ts'
import { Attempts } from './identity/attempts.ts'
import { Credentials } from './identity/credentials.ts'
import { newToken, personId, sha256 } from './identity/secrets.ts'
import { sessionLifetimesDefault, Sessions, type SessionLifetimes } from './identity/sessions.ts'
import { SignIns, type SecondFactor, type SignInResult } from './identity/sign-ins.ts'
import { KeyLookup, type Admission } from './key-lookup.ts'
import type { Ledger } from './ledger.ts'
import { unknownPerson } from './operations/access.ts'
import { removeOperation } from './operations/passkey.ts'
import { setPersonOperation, vouchedPersonOperation } from './operations/person.ts'

const signInLinkMs = 24 * 60 * 60 * 1000
const dayMs = 24 * 60 * 60 * 1000
const overlapMaxMs = 90 * dayMs

/** A key as listed: never its secret. */
export interface ListedKey {
  readonly id: string
  /** What the key begins with; enough to find it where it is used. */
  readonly prefix: string
  readonly agent: string
  readonly createdAt: string
  readonly expiresAt: string | null
  readonly revokedAt: string | null
  /** To the hour. */
  readonly lastUsedAt: string | null
  /** The id of the key whose place it took. */
  readonly replaces: string | null
}

/** A key that was made. It is shown this once; only its hash is kept. */
export interface NewKey {
  readonly id: string
  readonly key: string
  readonly agent: string
  readonly expiresAt: string | null
}

/** A person as listed. */
export interface ListedPerson extends Voter {
  readonly createdAt: string
  /** Who says which roles the person has. */
  readonly rolesFrom: 'local' | 'provider'
  readonly hasPassword: boolean
  readonly hasTotp: boolean
  readonly sessions: number
}

/** Who makes a change; absent where the subject itself does. */
interface By {
  readonly by?: string | undefined
}

/** How people get in. */
export interface AccessOptions {
  readonly lifetimes?: SessionLifetimes | undefined
  /** Beside those that local accounts have. */
  readonly secondFactors?: readonly SecondFactor[] | undefined
  /** Whether who signs in with a password and has no second factor may only set one up. */
  readonly demandsSecondFactor?: boolean | undefined
}

/**
 * Who may use a ledger's service: agents by API key, people by session. Every grant is a record of the
 * log, in the transaction that makes it; a crash before the secret is handed out leaves a grant that nobody holds.
 */
export class Access {
  readonly #ledger: Ledger
  readonly #keys: KeyLookup
  /** Open, listed and ended sessions. */
  readonly sessions: Sessions
  /** The way from a first factor to a session. */
  readonly signIns: SignIns
  /** Passwords, authenticator apps and recovery codes. */
  readonly credentials: Credentials
  /** Tries that failed. */
  readonly attempts: Attempts

  constructor(ledger: Ledger, options: AccessOptions = {}) {
    this.#ledger = ledger
    this.#keys = new KeyLookup(ledger.pool, () => ledger.now())
    const lifetimes = options.lifetimes ?? sessionLifetimesDefault
    this.sessions = new Sessions(ledger, lifetimes, options.demandsSecondFactor)
    this.credentials = new Credentials(ledger)
    this.attempts = new Attempts(ledger)
    const factors = [...this.credentials.factors(), ...(options.secondFactors ?? [])]
    this.signIns = new SignIns(ledger, this.sessions, factors)
  }

  /**
   * Makes an API key bound to an agent. The key is shown this once; only its hash is kept.
   *
   * @param lifetimeMs how long it is good for; for ever, unless given
   * @throws Fault `bad_input` for what is no agent
   */
  async createKey(
    agent: string,
    { lifetimeMs, by }: By & { lifetimeMs?: number | undefined } = {},
  ): Promise<NewKey> {
    if (!/^[^\s\p{C}]+$/u.test(agent) || agent.length > nameLengthMax) {
      throw new Fault('bad_input', `\`${agent}\` is no agent id`, {
        fix: `Use 1 to ${nameLengthMax} characters without white space, as in the policy's agent_id.`,
      })
    }
    const { row, key } = this.#newKey(agent, lifetimeMs, null)
    const until = row.expires_at ?? undefined
    await this.#ledger.changeAccess(
      { kind: 'access', event: 'key_created', subject: row.id, grants: [agent], by, until },
      { keysMade: [row] },
    )
    return { id: row.id, key, agent, expiresAt: row.expires_at }
  }

  /**
   * Makes a key that takes the place of another, which stays good for as long as `overlapMs` says, so that the agent can
   * change over without a gap. Both in one transaction.
   *
   * @throws Fault `not_found`; `conflict` where the key is no longer good; `bad_input` for an overlap over 90 days
   */
  async rotateKey(
    id: string,
    {
      overlapMs,
      lifetimeMs,
      by,
    }: By & { readonly overlapMs: number; readonly lifetimeMs?: number | undefined },
  ): Promise<NewKey & { readonly replaces: string; readonly oldEndsAt: string }> {
    if (!(overlapMs >= 0 && overlapMs <= overlapMaxMs)) {
      throw new Fault('bad_input', 'the overlap is not between nothing and 90 days', {
        fix: 'Give a shorter one, such as 24h.',
      })
    }
    const old = (await this.listKeys()).find((key) => key.id === id)
    if (old === undefined) throw noKey(id)
    const now = this.#ledger.now()
    if (old.revokedAt !== null || (old.expiresAt !== null && Date.parse(old.expiresAt) <= now)) {
      throw new Fault('conflict', `the key \`${id}\` is no longer good`, {
        fix: 'Make a new one with `bailiwick keys create`.',
      })
    }
    const ends = now + overlapMs
    const oldEndsAt = instantText(
      (old.expiresAt === null ? ends : Math.min(ends, Date.parse(old.expiresAt))) as Instant,
    )
    const { row, key } = this.#newKey(old.agent, lifetimeMs, id)
    await this.#ledger.changeAccess(
      {
        kind: 'access',
        event: 'key_rotated',
        subject: id,
        grants: [old.agent, row.id],
        by,
        until: oldEndsAt,
      },
      { keysMade: [row], keysEnding: [{ id, expires_at: oldEndsAt }] },
    )
    return { id: row.id, key, agent: old.agent, expiresAt: row.expires_at, replaces: id, oldEndsAt }
  }

  /** Makes a key useless from the next request on. @throws Fault `not_found` */
  async revokeKey(id: string, { by }: By = {}): Promise<void> {
    const { rows } = await this.#ledger.pool.query<{ agent: string }>(
      'select agent from api_key where id = $1',
      [id],
    )
    const row = rows[0]
    if (!row) throw noKey(id)
    await this.#ledger.changeAccess(
      { kind: 'access', event: 'key_revoked', subject: id, grants: [row.agent], by },
      { keysRevoked: [{ id }] },
    )
  }

  async listKeys(): Promise<ListedKey[]> {
    const { rows } = await this.#ledger.pool.query<{
      id: string
      agent: string
      created_at: Date
      expires_at: Date | null
      revoked_at: Date | null
      last_used_at: Date | null
      replaces: string | null
    }>(
      // Whoever writes `infinity` by hand means what it says: never, or at once.
      `select id, agent, created_at, revoked_at, last_used_at, replaces,
        case when expires_at = '-infinity' then created_at else nullif(expires_at, 'infinity') end as expires_at
      from api_key order by created_at, id`,
    )
    return rows.map((row) => ({
      id: row.id,
      prefix: `bw_${row.id}_`,
      agent: row.agent,
      createdAt: row.created_at.toISOString(),
      expiresAt: row.expires_at?.toISOString() ?? null,
      revokedAt: row.revoked_at?.toISOString() ?? null,
      lastUsedAt: row.last_used_at?.toISOString() ?? null,
      replaces: row.replaces,
    }))
  }

  /** The agent that a key speaks for now, or undefined: unknown, revoked, expired and malformed keys look alike. */
  agentOf(key: string): Promise<string | undefined> {
    return this.#keys.agentOf(key)
  }

  /**
   * The same for whom the ledger is about to record something: without a query where the key is remembered and this
   * process writes by itself. What comes of it is for `Ledger.decide` alone.
   */
  admissionOf(key: string): Promise<Admission | undefined> {
    return this.#keys.admissionOf(key, this.#ledger.role !== 'follower')
  }

  /** Adds a person, or replaces a person's roles. Where these change, every session of the person ends. */
  async setPerson(id: string, roles: readonly string[], { by }: By = {}): Promise<Voter> {
    const person = personId(id)
    refuseNoRole(roles)
    await this.#ledger.changePerson(setPersonOperation({ person, roles, by }))
    return { id: person, roles }
  }

  /**
   * Adds a person whom an identity provider vouches for, or takes over the roles that it says, where it is the one that
   * says them. People who were added here keep the roles that they have here. Undefined where that leaves no role: who
   * had some through the provider loses them and every session, and nobody is added.
   *
   * @param vouched `subject`: issuer and subject at the provider; `since`: `signIns.now()` when the sign-in began
   * @returns the person, and the epoch with which the sign-in goes on
   * @throws Fault `not_permitted` where the address belongs to another account of the provider, `not_authenticated` where
   *   the person was removed, or all sessions of the person were ended, since the sign-in began
   */
  async setPersonOfProvider(
    id: string,
    vouched: { readonly roles: readonly string[]; readonly subject: string; readonly since: number },
  ): Promise<{ readonly voter: Voter; readonly epoch: number } | undefined> {
    const person = personId(id)
    refuseNoRole(vouched.roles)
    const operation = vouchedPersonOperation({ ...vouched, person })
    const { roles, epoch } = await this.#ledger.changePerson(operation)
    return roles.length === 0 ? undefined : { voter: { id: person, roles }, epoch }
  }

  /** Removes a person with all that lets them in. What the person did stays in the log. @throws Fault `not_found` */
  async removePerson(id: string, { by }: By = {}): Promise<void> {
    const person = await this.known(id)
    const { delegations, grants } = this.#ledger
    // First: what a crash leaves is a person who stands in for nobody, and never a delegation to somebody of the same name.
    const reason = 'The person was removed.'
    for (const { id: delegation } of await delegations.list(person)) {
      await unlessEnded(delegations.revoke(delegation, { by: 'operator', reason }))
    }
    await grants.revokeAllOf(person, reason)
    await this.#ledger.changeAccess(
      { kind: 'access', event: 'person_removed', subject: person, grants: [], by },
      { peopleRemoved: [{ id: person }], signedOut: [{ id: person, links: true }] },
    )
    // What the person has granted in between.
    await grants.revokeAllOf(person, reason)
  }

  /**
   * Removes all that a person signs in with: password, authenticator app, recovery codes, passkeys; and ends every session
   * and sign-in link. For who lost it, or where somebody else may have it. @throws Fault `not_found`
   */
  async reset(id: string, { by }: By = {}): Promise<PersonId> {
    const person = await this.known(id)
    // Sessions end first, so that a crash leaves nobody in. Whoever gets in meanwhile by what is still there may add another
    // way in: that goes as well, until nothing is left by which anybody could.
    let left: readonly string[]
    do {
      await this.endSessions(person, { by })
      await this.credentials.reset(person, { by })
      left = await this.#passkeysOf(person)
      for (const passkey of left) await this.#removePasskey(person, passkey, by)
    } while (left.length > 0)
    return person
  }

  async #passkeysOf(person: PersonId): Promise<readonly string[]> {
    const { rows } = await this.#ledger.pool.query<{ id: string }>(
      'select id from passkey where ledger = $1 and person = $2 and removed is null',
      [this.#ledger.name, person],
    )
    return rows.map(({ id }) => id)
  }

  async #removePasskey(person: PersonId, id: string, by: string | undefined): Promise<void> {
    try {
      await this.#ledger.changePasskeys(removeOperation(person, id, by))
    } catch (error) {
      // Removed by its person in the meantime.
      if (!(error instanceof Fault) || error.code !== 'not_found') throw error
    }
  }

  /** Ends every session of a person, and every sign-in link that is not used. @throws Fault `not_found` */
  async endSessions(id: string, { by }: By = {}): Promise<void> {
    const person = await this.known(id)
    await this.#ledger.changeAccess(
      { kind: 'access', event: 'sessions_revoked', subject: person, grants: [], by },
      { signedOut: [{ id: person, links: true }] },
    )
  }

  async people(): Promise<Voter[]> {
    const { rows } = await this.#ledger.pool.query<{ id: PersonId; roles: string[] }>(
      'select id, roles from person order by id',
    )
    return rows
  }

  /** People with what there is to say of them, by address. */
  async listPeople(): Promise<ListedPerson[]> {
    const now = instantText(this.#ledger.now())
    const { rows } = await this.#ledger.pool.query<{
      id: PersonId
      roles: string[]
      created_at: Date
      roles_from: 'local' | 'provider'
      has_password: boolean
      has_totp: boolean
      sessions: string
    }>(
      `select p.id, p.roles, p.created_at, p.roles_from,
        exists (select from credential c where c.person = p.id and c.kind = 'password') as has_password,
        exists (select from credential c where c.person = p.id and c.kind = 'totp' and c.is_usable) as has_totp,
        (select count(*) from session s where s.person = p.id and s.expires_at > $1) as sessions
      from person p order by p.id`,
      [now],
    )
    return rows.map((row) => ({
      id: row.id,
      roles: row.roles,
      createdAt: row.created_at.toISOString(),
      rolesFrom: row.roles_from,
      hasPassword: row.has_password,
      hasTotp: row.has_totp,
      sessions: Number(row.sessions),
    }))
  }

  /** A token that signs the person in, once, within a day. @throws Fault `not_found` */
  async createSignInToken(id: string, { by }: By = {}): Promise<string> {
    const person = personId(id)
    const token = newToken()
    const expires = instantText((this.#ledger.now() + signInLinkMs) as Instant)
    await this.#ledger.changeAccess(
      { kind: 'access', event: 'sign_in_link_created', subject: person, grants: [], by },
      { linksMade: [{ token_sha256: sha256(token).toString('hex'), person, expires_at: expires }] },
      { person },
    )
    return token
  }

  /**
   * Uses up a sign-in token. A person who has a second factor is asked for it; anybody else has a session.
   *
   * @returns undefined where the token is unknown, used or too old
   */
  async signIn(token: string, client = ''): Promise<SignInResult | undefined> {
    const used = await this.#ledger.pool.query<{ person: PersonId; epoch: string }>(
      `update sign_in_link l set used_at = $2 from person p
      where l.token_sha256 = $1 and l.used_at is null and l.expires_at > $2 and p.id = l.person
      returning l.person, coalesce((select epoch from sign_out s where s.person = l.person), 0) as epoch`,
      [sha256(token), instantText(this.#ledger.now())],
    )
    const row = used.rows[0]
    return row && (await this.signIns.beginAt(row.person, 'link', client, Number(row.epoch)))
  }

  /** The person of a session with the roles as they are now, or undefined: also where a second factor is missing. */
  async personOf(session: string): Promise<Voter | undefined> {
    const known = await this.sessions.known(session)
    return known?.isPartial === false ? known.voter : undefined
  }

  /** Ends a session, in the transaction that records it. */
  async signOut(session: string): Promise<void> {
    await this.sessions.signOut(session)
  }

  /** The id of a person who is known. @throws Fault `not_found`; `bad_input` for what is no address */
  async known(id: string): Promise<PersonId> {
    const person = personId(id)
    const known = await this.#ledger.pool.query('select 1 from person where id = $1', [person])
    if (known.rowCount !== 0) return person
    throw unknownPerson(person)
  }

  #newKey(agent: string, lifetimeMs: number | undefined, replaces: string | null) {
    const id = randomBytes(8).toString('hex')
    const secret = newToken()
    const expires_at =
      lifetimeMs === undefined ? null : instantText((this.#ledger.now() + lifetimeMs) as Instant)
    const row = { id, agent, secret_sha256: sha256(secret).toString('hex'), expires_at, replaces }
    return { row, key: `bw_${id}_${secret}` }
  }
}

function refuseNoRole(roles: readonly string[]): void {
  const wrong = roles.find((role) => !roleOrGroup.test(role))
  if (wrong === undefined) return
  throw new Fault('bad_input', `\`${wrong}\` is no role`, {
    fix: 'Use lower-case letters, digits and hyphens; a group as group:NAME.',
  })
}

function noKey(id: string): Fault {
  return new Fault('not_found', `no key \`${id}\``, { fix: 'See `bailiwick keys list`.' })
}
