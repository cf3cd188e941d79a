import { hash, randomBytes } from 'node:crypto'
import { Fault, instantText, nameLengthMax, type Instant, type PersonId, type Voter } from '@bailiwick/core'
import { KeyLookup } from './key-lookup.ts'
import type { Ledger } from './ledger.ts'

const signInLinkMs = 24 * 60 * 60 * 1000
const sessionMs = 12 * 60 * 60 * 1000

/** A key as listed: never its secret. */
export interface ListedKey {
  readonly id: string
  readonly agent: string
  readonly createdAt: string
  readonly revokedAt: string | null
}

/**
 * Who may use a ledger's service: agents by API key, people by session. Every grant is a record of the
 * log, in the transaction that makes it; a crash before the secret is handed out leaves a grant that nobody holds.
 */
export class Access {
  readonly #ledger: Ledger
  readonly #keys: KeyLookup

  constructor(ledger: Ledger) {
    this.#ledger = ledger
    this.#keys = new KeyLookup(ledger.pool)
  }

  /** Makes an API key bound to an agent. The key is shown this once; only its hash is kept. */
  async createKey(
    agent: string,
  ): Promise<{ readonly id: string; readonly key: string; readonly agent: string }> {
    if (!/^[^\s\p{C}]+$/u.test(agent) || agent.length > nameLengthMax) {
      throw new Fault('bad_input', `\`${agent}\` is no agent id`, {
        fix: `Use 1 to ${nameLengthMax} characters without white space, as in the policy's agent_id.`,
      })
    }
    const id = randomBytes(8).toString('hex')
    const secret = randomBytes(32).toString('base64url')
    await this.#ledger.changeAccess(
      { kind: 'access', event: 'key_created', subject: id, grants: [agent] },
      { keysMade: [{ id, agent, secret_sha256: sha256(secret).toString('hex') }] },
    )
    return { id, key: `bw_${id}_${secret}`, agent }
  }

  /** Makes a key useless from the next request on. @throws Fault `not_found` */
  async revokeKey(id: string): Promise<void> {
    const { rows } = await this.#ledger.pool.query<{ agent: string }>(
      'select agent from api_key where id = $1',
      [id],
    )
    const row = rows[0]
    if (!row) throw new Fault('not_found', `no key \`${id}\``, { fix: 'See `bailiwick keys list`.' })
    await this.#ledger.changeAccess(
      { kind: 'access', event: 'key_revoked', subject: id, grants: [row.agent] },
      { keysRevoked: [{ id }] },
    )
  }

  async listKeys(): Promise<ListedKey[]> {
    const { rows } = await this.#ledger.pool.query<{
      id: string
      agent: string
      created_at: Date
      revoked_at: Date | null
    }>('select id, agent, created_at, revoked_at from api_key order by created_at, id')
    return rows.map((row) => ({
      id: row.id,
      agent: row.agent,
      createdAt: row.created_at.toISOString(),
      revokedAt: row.revoked_at?.toISOString() ?? null,
    }))
  }

  /** The agent that a key speaks for now, or undefined: unknown, revoked and malformed keys look alike. */
  agentOf(key: string): Promise<string | undefined> {
    return this.#keys.agentOf(key)
  }

  /** Adds a person, or replaces a person's roles. */
  async setPerson(id: string, roles: readonly string[]): Promise<Voter> {
    const person = personId(id)
    const wrong = roles.find((role) => !/^[a-z0-9-]{1,64}$/.test(role))
    if (wrong !== undefined) {
      throw new Fault('bad_input', `\`${wrong}\` is no role`, {
        fix: 'Use lower-case letters, digits and hyphens.',
      })
    }
    const known = (await this.people()).some((other) => other.id === person)
    const event = known ? 'roles_changed' : 'person_created'
    await this.#ledger.changeAccess(
      { kind: 'access', event, subject: person, grants: [...roles] },
      { peopleSet: [{ id: person, roles }] },
    )
    return { id: person, roles }
  }

  /** Removes a person with all sessions and sign-in links. What the person did stays in the log. @throws Fault `not_found` */
  async removePerson(id: string): Promise<void> {
    const person = await this.#known(id)
    await this.#ledger.changeAccess(
      { kind: 'access', event: 'person_removed', subject: person, grants: [] },
      { peopleRemoved: [{ id: person }] },
    )
  }

  /** Ends every session of a person, and every sign-in link that is not used. @throws Fault `not_found` */
  async endSessions(id: string): Promise<void> {
    const person = await this.#known(id)
    await this.#ledger.changeAccess(
      { kind: 'access', event: 'sessions_revoked', subject: person, grants: [] },
      { signedOut: [{ id: person }] },
    )
  }

  async people(): Promise<Voter[]> {
    const { rows } = await this.#ledger.pool.query<{ id: PersonId; roles: string[] }>(
      'select id, roles from person order by id',
    )
    return rows
  }

  /** A token that signs the person in, once, within a day. */
  async createSignInToken(id: string): Promise<string> {
    const person = await this.#known(id)
    const token = randomBytes(32).toString('base64url')
    await this.#ledger.note({ kind: 'access', event: 'sign_in_link_created', subject: person, grants: [] })
    await this.#ledger.pool.query(
      'insert into sign_in_link (token_sha256, person, expires_at) values ($1, $2, $3)',
      [sha256(token), person, instantText((this.#ledger.now() + signInLinkMs) as Instant)],
    )
    return token
  }

  /** Uses up a sign-in token and opens a session; undefined where the token is unknown, used or too old. */
  async signIn(
    token: string,
  ): Promise<
    { readonly session: string; readonly voter: Voter; readonly maxAgeSeconds: number } | undefined
  > {
    const used = await this.#ledger.pool.query<{ person: PersonId; roles: string[] }>(
      `update sign_in_link l set used_at = $2 from person p
      where l.token_sha256 = $1 and l.used_at is null and l.expires_at > $2 and p.id = l.person
      returning l.person, p.roles`,
      [sha256(token), this.#nowText()],
    )
    const row = used.rows[0]
    if (!row) return undefined
    await this.#ledger.note({ kind: 'access', event: 'signed_in', subject: row.person, grants: [] })
    const session = randomBytes(32).toString('base64url')
    await this.#ledger.pool.query(
      'insert into session (token_sha256, person, created_at, expires_at) values ($1, $2, $3, $4)',
      [
        sha256(session),
        row.person,
        this.#nowText(),
        instantText((this.#ledger.now() + sessionMs) as Instant),
      ],
    )
    return { session, voter: { id: row.person, roles: row.roles }, maxAgeSeconds: sessionMs / 1000 }
  }

  /** The person of a session with the roles as they are now, or undefined. */
  async personOf(session: string): Promise<Voter | undefined> {
    const { rows } = await this.#ledger.pool.query<{ id: PersonId; roles: string[] }>({
      name: 'person_of_session',
      text: `select p.id, p.roles from session s join person p on p.id = s.person
        where s.token_sha256 = $1 and s.expires_at > $2`,
      values: [sha256(session), this.#nowText()],
    })
    return rows[0]
  }

  /** Ends a session. A crash before the record leaves a session that ended without one, never one that goes on. */
  async signOut(session: string): Promise<void> {
    const { rows } = await this.#ledger.pool.query<{ person: string }>(
      'delete from session where token_sha256 = $1 returning person',
      [sha256(session)],
    )
    for (const { person } of rows) {
      await this.#ledger.note({ kind: 'access', event: 'signed_out', subject: person, grants: [] })
    }
  }

  async #known(id: string): Promise<PersonId> {
    const person = personId(id)
    const known = await this.#ledger.pool.query('select 1 from person where id = $1', [person])
    if (known.rowCount !== 0) return person
    throw new Fault('not_found', `no person \`${person}\``, {
      fix: 'Add the person with `bailiwick people add`.',
    })
  }

  #nowText(): string {
    return instantText(this.#ledger.now())
  }
}

function sha256(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}

function personId(text: string): PersonId {
  const id = text.trim().toLowerCase()
  if (/^[^\s\p{C}@]+@[^\s\p{C}@]+$/u.test(id) && id.length <= nameLengthMax) return id as PersonId
  throw new Fault('bad_input', `\`${text}\` is no e-mail address`, {
    fix: 'Name people by their e-mail address.',
  })
}
