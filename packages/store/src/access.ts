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
import { Attempts } from './identity/attempts.ts'
import { Credentials } from './identity/credentials.ts'
import { newToken, personId, sha256 } from './identity/secrets.ts'
import { sessionLifetimesDefault, Sessions, type SessionLifetimes } from './identity/sessions.ts'
import { SignIns, type SecondFactor, type SignInResult } from './identity/sign-ins.ts'
import { KeyLookup } from './key-lookup.ts'
import type { Ledger } from './ledger.ts'
import { removeOperation } from './operations/passkey.ts'

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
    this.sessions = new Sessions(ledger, options.lifetimes ?? sessionLifetimesDefault)
    this.credentials = new Credentials(ledger)
    this.attempts = new Attempts(ledger)
    const factors = [...(options.secondFactors ?? []), ...this.credentials.factors()]
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
      'select id, agent, created_at, expires_at, revoked_at, last_used_at, replaces from api_key order by created_at, id',
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

  /** Adds a person, or replaces a person's roles. Where these change, every session of the person ends. */
  async setPerson(id: string, roles: readonly string[], { by }: By = {}): Promise<Voter> {
    return await this.#setPerson(personId(id), roles, { by, rolesFrom: 'local', providerSubject: null })
  }

  /**
   * Adds a person whom an identity provider vouches for, or takes over the roles that it says, where it is the one that
   * says them. People who were added here keep the roles that they have here. Undefined where that leaves no role: who
   * had some through the provider loses them and every session, and nobody is added.
   *
   * @param subject issuer and subject at the provider
   * @throws Fault `not_permitted` where the address belongs to another account of the provider
   */
  async setPersonOfProvider(
    id: string,
    roles: readonly string[],
    subject: string,
  ): Promise<Voter | undefined> {
    const person = personId(id)
    const { rows } = await this.#ledger.pool.query<PersonOrigin>(
      'select roles, roles_from, provider_subject from person where id = $1',
      [person],
    )
    const known = rows[0]
    if ((known?.provider_subject ?? subject) !== subject) {
      throw new Fault('not_permitted', 'the address belongs to another account of the identity provider', {
        fix: 'Ask an administrator to remove the person who had the address before.',
      })
    }
    const rolesFrom = known?.roles_from ?? 'provider'
    const rolesNow = known !== undefined && rolesFrom === 'local' ? known.roles : roles
    if (known === undefined && rolesNow.length === 0) return undefined
    if (known?.provider_subject !== subject || !sameRoles(known.roles, rolesNow)) {
      await this.#setPerson(person, rolesNow, { rolesFrom, providerSubject: subject })
    }
    return rolesNow.length === 0 ? undefined : { id: person, roles: rolesNow }
  }

  /** Removes a person with all that lets them in. What the person did stays in the log. @throws Fault `not_found` */
  async removePerson(id: string, { by }: By = {}): Promise<void> {
    const person = await this.known(id)
    // First: what a crash leaves is a person who stands in for nobody, and never a delegation to somebody of the same name.
    for (const { id: delegation } of await this.#ledger.delegations.list(person)) {
      await this.#ledger.delegations
        .revoke(delegation, { by: 'operator', reason: 'The person was removed.' })
        .catch((error: unknown) => {
          if (!(error instanceof Fault) || error.code !== 'conflict') throw error
        })
    }
    await this.#ledger.changeAccess(
      { kind: 'access', event: 'person_removed', subject: person, grants: [], by },
      { peopleRemoved: [{ id: person }], signedOut: [{ id: person, links: true }] },
    )
  }

  /**
   * Removes all that a person signs in with: password, authenticator app, recovery codes, passkeys; and ends every session
   * and sign-in link. For who lost it, or where somebody else may have it. @throws Fault `not_found`
   */
  async reset(id: string, { by }: By = {}): Promise<PersonId> {
    const person = await this.known(id)
    // Sessions end first, so that a crash leaves nobody in, and nobody adds another way in meanwhile; and again at last.
    await this.endSessions(person, { by })
    await this.credentials.reset(person, { by })
    const { rows } = await this.#ledger.pool.query<{ id: string }>(
      'select id from passkey where ledger = $1 and person = $2 and removed is null',
      [this.#ledger.name, person],
    )
    for (const passkey of rows) {
      await this.#ledger.changePasskeys(removeOperation(person, passkey.id, by)).catch((error: unknown) => {
        // Removed by its person in the meantime.
        if (!(error instanceof Fault) || error.code !== 'not_found') throw error
      })
    }
    await this.endSessions(person, { by })
    return person
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

  /** A token that signs the person in, once, within a day. */
  async createSignInToken(id: string, { by }: By = {}): Promise<string> {
    const person = await this.known(id)
    const token = newToken()
    await this.#ledger.note({
      kind: 'access',
      event: 'sign_in_link_created',
      subject: person,
      grants: [],
      by,
    })
    await this.#ledger.pool.query(
      'insert into sign_in_link (token_sha256, person, expires_at) values ($1, $2, $3)',
      [sha256(token), person, instantText((this.#ledger.now() + signInLinkMs) as Instant)],
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

  /** The person of a session with the roles as they are now, or undefined. */
  async personOf(session: string): Promise<Voter | undefined> {
    return (await this.sessions.known(session))?.voter
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
    throw new Fault('not_found', `no person \`${person}\``, {
      fix: 'Add the person with `bailiwick people add`.',
    })
  }

  async #setPerson(
    person: PersonId,
    roles: readonly string[],
    origin: By & { readonly rolesFrom: 'local' | 'provider'; readonly providerSubject: string | null },
  ): Promise<Voter> {
    const wrong = roles.find((role) => !roleOrGroup.test(role))
    if (wrong !== undefined) {
      throw new Fault('bad_input', `\`${wrong}\` is no role`, {
        fix: 'Use lower-case letters, digits and hyphens; a group as group:NAME.',
      })
    }
    const known = (await this.people()).find((other) => other.id === person)
    const changed = known !== undefined && !sameRoles(known.roles, roles)
    const { by, rolesFrom, providerSubject } = origin
    await this.#ledger.changeAccess(
      {
        kind: 'access',
        event: known === undefined ? 'person_created' : 'roles_changed',
        subject: person,
        grants: [...roles],
        by,
      },
      {
        peopleSet: [{ id: person, roles, roles_from: rolesFrom, provider_subject: providerSubject }],
        signedOut: changed ? [{ id: person, links: false }] : [],
      },
    )
    return { id: person, roles }
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

interface PersonOrigin {
  readonly roles: readonly string[]
  readonly roles_from: 'local' | 'provider'
  readonly provider_subject: string | null
}

function sameRoles(one: readonly string[], other: readonly string[]): boolean {
  const [a, b] = [new Set(one), new Set(other)]
  return a.size === b.size && [...a].every((role) => b.has(role))
}

function noKey(id: string): Fault {
  return new Fault('not_found', `no key \`${id}\``, { fix: 'See `bailiwick keys list`.' })
}
