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
 * log, written before the secret is handed out: a crash in between leaves a grant that nobody holds.
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
    await this.#ledger.note({ kind: 'access', event: 'key_created', subject: id, grants: [agent] })
    await this.#ledger.pool.query(
      'insert into api_key (id, agent, secret_sha256, created_at) values ($1, $2, $3, $4)',
      [id, agent, sha256(secret), this.#nowText()],
    )
    return { id, key: `bw_${id}_${secret}`, agent }
  }

  /** Makes a key useless from the next request on. @throws Fault `not_found` */
  async revokeKey(id: string): Promise<void> {
    const { rows } = await this.#ledger.pool.query<{ agent: string }>(
      'update api_key set revoked_at = coalesce(revoked_at, $2) where id = $1 returning agent',
      [id, this.#nowText()],
    )
    const row = rows[0]
    if (!row) throw new Fault('not_found', `no key \`${id}\``, { fix: 'See `bailiwick keys list`.' })
    await this.#ledger.note({ kind: 'access', event: 'key_revoked', subject: id, grants: [row.agent] })
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
    await this.#ledger.note({ kind: 'access', event: 'person_created', subject: person, grants: [...roles] })
    await this.#ledger.pool.query(
      `insert into person (id, roles, created_at) values ($1, $2, $3)
      on conflict (id) do update set roles = excluded.roles`,
      [person, roles, this.#nowText()],
    )
    return { id: person, roles }
  }

  async people(): Promise<Voter[]> {
    const { rows } = await this.#ledger.pool.query<{ id: PersonId; roles: string[] }>(
      'select id, roles from person order by id',
    )
    return rows
  }

  /** A token that signs the person in, once, within a day. */
  async createSignInToken(id: string): Promise<string> {
    const person = personId(id)
    const known = await this.#ledger.pool.query('select 1 from person where id = $1', [person])
    if (known.rowCount === 0) {
      throw new Fault('not_found', `no person \`${person}\``, {
        fix: 'Add the person with `bailiwick people add`.',
      })
    }
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

  async signOut(session: string): Promise<void> {
    await this.#ledger.pool.query('delete from session where token_sha256 = $1', [sha256(session)])
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
