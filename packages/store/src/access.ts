import {
  type ApprovalId,
  approvalId,
  Fault,
  instantText,
  roleOrGroup,
  type Instant,
  type PersonId,
  type Voter,
} from '@bailiwick/core'
import {
  createKey,
  listKeys,
  revokeKey,
  rotateKey,
  type ListedKey,
  type NewKey,
  type NewKeyOptions,
  type RotatedKey,
  type RotationOptions,
} from './api-keys.ts'
import { unlessEnded } from './ended.ts'
import { Attempts } from './identity/attempts.ts'
import { Credentials } from './identity/credentials.ts'
import { newToken, personId, sha256 } from './identity/secrets.ts'
import { sessionLifetimesDefault, Sessions, type SessionLifetimes } from './identity/sessions.ts'
import { SignIns, type SecondFactor, type SignInResult } from './identity/sign-ins.ts'
import { laterInstant } from './log/later-instant.ts'
import { readRestingOn } from './log/read-approvals.ts'
import { KeyLookup, type Admission } from './key-lookup.ts'
import type { Ledger } from './ledger.ts'
import { unknownPerson, type ChangedBy } from './operations/access.ts'
import { fromSession, type Asking } from './operations/from-session.ts'
import { removeOperation } from './operations/passkey.ts'
import {
  ownRole,
  removePersonOperation,
  setPersonOperation,
  vouchedPersonOperation,
} from './operations/person.ts'

/** How often a removal is tried while what others do makes something more of the person's word. */
const removalsMax = 10
const signInLinkMs = 24 * 60 * 60 * 1000

/** A person as listed. */
export interface ListedPerson extends Voter {
  readonly createdAt: string
  /** Who says which roles the person has. */
  readonly rolesFrom: 'local' | 'provider'
  readonly hasPassword: boolean
  readonly hasTotp: boolean
  readonly sessions: number
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
    this.#keys = new KeyLookup(ledger.pool, () => ledger.now(), ledger.databaseClock)
    const lifetimes = options.lifetimes ?? sessionLifetimesDefault
    this.sessions = new Sessions(ledger, lifetimes, options.demandsSecondFactor)
    this.credentials = new Credentials(ledger)
    this.attempts = new Attempts(ledger)
    const factors = [...this.credentials.factors(), ...(options.secondFactors ?? [])]
    this.signIns = new SignIns(ledger, this.sessions, factors)
  }

  /** Makes an API key bound to an agent, which is shown this once. @throws Fault `bad_input` for what is no agent */
  createKey(agent: string, options: NewKeyOptions = {}): Promise<NewKey> {
    return createKey(this.#ledger, agent, options)
  }

  /**
   * Makes a key that takes the place of another, which stays good for a while.
   *
   * @throws Fault `not_found`; `conflict` where the key is no longer good; `bad_input` for an overlap over 90 days
   */
  rotateKey(id: string, options: RotationOptions): Promise<RotatedKey> {
    return rotateKey(this.#ledger, id, options)
  }

  /** Makes a key useless from the next request on. @throws Fault `not_found` */
  revokeKey(id: string, changedBy: ChangedBy = {}): Promise<void> {
    return revokeKey(this.#ledger, id, changedBy)
  }

  /** All keys, also those that are no longer good, the oldest first. */
  listKeys(): Promise<ListedKey[]> {
    return listKeys(this.#ledger.pool)
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
  async setPerson(id: string, roles: readonly string[], { by, session }: ChangedBy = {}): Promise<Voter> {
    const person = personId(id)
    refuseNoRole(roles)
    await this.#ledger.changePerson(fromSession(setPersonOperation({ person, roles, by }), session))
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

  /**
   * Removes a person with all that lets them in, and ends what others may do on the person's word: delegations in both
   * directions, standing grants that rest on a vote of the person's, and approvals with such a vote that wait or have not been
   * used, which are withdrawn. What the person did stays in the log.
   *
   * @returns the approvals that were withdrawn
   * @throws Fault `not_found`, `not_authenticated` for a session that has ended, or `conflict` for who would remove themself
   */
  async removePerson(id: string, { by, session }: ChangedBy = {}): Promise<readonly ApprovalId[]> {
    const person = await this.known(id)
    if (by === person) throw ownRole()
    const reason = 'The person was removed.'
    // First: whoever has no role votes and gives nothing more, by whatever way, and what a crash leaves is somebody who is out,
    // and never a delegation to, or a grant by, somebody of the same name. So nobody holds off their own removal.
    await this.setPerson(person, [], { by, session })
    await this.endSessions(person, { by })
    await this.#ledger.delegations.revokeAllOf(person, reason)
    const withdrawn: ApprovalId[] = []
    for (let left = removalsMax; ; left--) {
      await this.#ledger.grants.revokeAllOf(person, reason)
      withdrawn.push(...(await this.#withdrawVotedOn(person, by)))
      const removal = this.#ledger.changePerson(removePersonOperation(person, by))
      // What rests on the person's word since then keeps the person here, and is ended first.
      if (left > 1 && !(await unlessEnded(removal))) continue
      await removal
      return withdrawn
    }
  }

  async #withdrawVotedOn(person: PersonId, by = 'operator'): Promise<readonly ApprovalId[]> {
    const { pool, name } = this.#ledger
    const reason = 'Somebody who had voted on it was removed.'
    const resting = await readRestingOn(pool, name, [person])
    const ids = resting.map((index) => approvalId(index))
    const isDone = await Promise.all(
      ids.map((id) => unlessEnded(this.#ledger.cancel(id, { by, reason, whileUsable: true }))),
    )
    return ids.filter((_id, at) => isDone[at] === true)
  }

  /**
   * Removes all that a person signs in with: password, authenticator app, recovery codes, passkeys; and ends every session,
   * sign-in link and delegation that the person has given. For who lost it, or where somebody else may have it.
   *
   * @throws Fault `not_found`, or `not_authenticated` for a session that has ended
   */
  async reset(id: string, { by, session }: ChangedBy = {}): Promise<PersonId> {
    const person = await this.known(id)
    // Sessions end first, so that a crash leaves nobody in. Whoever gets in meanwhile by what is still there may add another
    // way in: that goes as well, until nothing is left by which anybody could. Who resets themself has no session after that.
    let left: readonly string[]
    let from = session
    do {
      await this.endSessions(person, { by, session: from })
      from = undefined
      await this.credentials.reset(person, { by })
      left = await this.#passkeysOf(person)
      for (const passkey of left) await this.#removePasskey(person, passkey, by)
    } while (left.length > 0)
    await this.#ledger.delegations.revokeAllOf(person, 'What lets the person in was reset.', 'given')
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
  async endSessions(id: string, { by, session }: ChangedBy = {}): Promise<void> {
    const person = await this.known(id)
    await this.#ledger.changeAccess(
      { kind: 'access', event: 'sessions_revoked', subject: person, grants: [], by },
      { signedOut: [{ id: person, links: true }] },
      undefined,
      session,
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
        (select count(*) from session s where s.person = p.id and s.expires_at > ${laterInstant('$1', '$2')}) as sessions
      from person p order by p.id`,
      [now, this.#ledger.databaseClock],
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
  async createSignInToken(id: string, { by, session }: ChangedBy = {}): Promise<string> {
    const person = personId(id)
    const token = newToken()
    const expires = instantText((this.#ledger.now() + signInLinkMs) as Instant)
    await this.#ledger.changeAccess(
      { kind: 'access', event: 'sign_in_link_created', subject: person, grants: [], by },
      { linksMade: [{ token_sha256: sha256(token).toString('hex'), person, expires_at: expires }] },
      { person },
      session,
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
      where l.token_sha256 = $1 and l.used_at is null and l.expires_at > ${laterInstant('$2', '$3')} and p.id = l.person
      returning l.person, coalesce((select epoch from sign_out s where s.person = l.person), 0) as epoch`,
      [sha256(token), instantText(this.#ledger.now()), this.#ledger.databaseClock],
    )
    const row = used.rows[0]
    return row && (await this.signIns.beginAt(row.person, 'link', client, Number(row.epoch)))
  }

  /** The person of a session with the roles as they are now, or undefined: also where a second factor is missing. */
  async personOf(session: string): Promise<Asking | undefined> {
    const known = await this.sessions.known(session)
    return known?.isPartial === false ? { ...known.voter, session: known.id } : undefined
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
}

function refuseNoRole(roles: readonly string[]): void {
  const wrong = roles.find((role) => !roleOrGroup.test(role))
  if (wrong === undefined) return
  throw new Fault('bad_input', `\`${wrong}\` is no role`, {
    fix: 'Use lower-case letters, digits and hyphens; a group as group:NAME.',
  })
}
