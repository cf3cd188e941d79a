import { instantText, type PersonId } from '@bailiwick/core'
import type { Ledger } from '../ledger.ts'
import { laterInstant } from '../log/later-instant.ts'
import type { Changed } from '../operations/access.ts'
import { newToken, sha256 } from './secrets.ts'
import type { KnownSession, OpenedSession, Sessions } from './sessions.ts'

/** What a person can sign in with first. */
export type FirstFactor = 'link' | 'password' | 'passkey' | 'provider'

/**
 * A kind of second factor. `SignIns` asks each whether a person has set it up; whoever has any is asked for one of them
 * after the first factor. How a proof is checked is the factor's own business.
 */
export interface SecondFactor {
  /** Told to the page that signs people in, and recorded: `totp`, `recovery`, `passkey`. */
  readonly name: string
  /** After which first factors it is asked for; absent: after any. */
  readonly after?: readonly FirstFactor[] | undefined
  /** Whether the person can prove it now. */
  isSetUp(person: PersonId): Promise<boolean>
}

/** What proving a first factor comes to. */
export type SignInResult =
  | ({ readonly kind: 'signed_in' } & OpenedSession)
  | {
      readonly kind: 'second_factor'
      /** Names the sign-in that is under way. A secret of the page that asks. */
      readonly step: string
      /** One of these is to be proven. */
      readonly factors: readonly string[]
      readonly expiresAt: string
    }

/** A sign-in under way, whose first factor is proven. */
export interface SignInStep {
  readonly token: string
  readonly person: PersonId
  readonly method: string
  readonly epoch: number
}

const stepMs = 5 * 60 * 1000
/** How often a second factor may be tried before signing in begins anew. */
const stepTriesMax = 5

/**
 * How people sign in: a first factor, then a second one where the person has one, then a session.
 *
 * For whoever adds a factor:
 * - As a **first** factor: take `epochOf(person)`; then check the proof; then
 *   `beginAt(person, 'password', client, epoch)`. It opens the session, or says that a second factor is needed. Whatever
 *   ends the person's sessions after the epoch was taken ends the sign-in too. A factor that is two in one (a passkey
 *   with user verification) opens the session itself, and asks for no second one.
 * - As a **second** factor: implement `SecondFactor` and hand it to `Access`. At its endpoint, `takeStep(step)` first: it
 *   counts a try, and says whose proof is to be checked, or undefined where the step is unknown, too old or used up. Then
 *   check the proof; then `complete(step, name, client)`.
 */
export class SignIns {
  readonly #ledger: Ledger
  readonly #sessions: Sessions
  readonly #factors: readonly SecondFactor[]

  constructor(ledger: Ledger, sessions: Sessions, factors: readonly SecondFactor[]) {
    this.#ledger = ledger
    this.#sessions = sessions
    this.#factors = factors
  }

  /** Goes on after a first factor that was proven just now. */
  async begin(person: PersonId, factor: FirstFactor, client: string): Promise<SignInResult> {
    return await this.beginAt(person, factor, client, await this.epochOf(person))
  }

  /**
   * The same, as of an epoch that was read before the proof was checked: whatever ends the person's sessions in between
   * ends this sign-in too.
   */
  async beginAt(person: PersonId, factor: FirstFactor, client: string, epoch: number): Promise<SignInResult> {
    const factors = await this.#factorsOf(person, factor)
    if (factors.length === 0) return await this.#opened(person, factor, epoch, client)
    const step = newToken()
    const { now, databaseClock } = this.#ledger
    // Counted from the instant by which it ends, or a process whose clock is behind could not ask for a second factor.
    const { rows } = await this.#ledger.pool.query<{ expires_at: Date }>(
      `with old as (delete from sign_in_step where expires_at < $5)
      insert into sign_in_step (token_sha256, person, method, epoch, tries, expires_at)
      values ($1, $2, $3, $4, 0, ${laterInstant('$5', '$6')} + ${stepMs} * interval '1 millisecond')
      returning expires_at`,
      [sha256(step), person, factor, epoch, instantText(now()), databaseClock],
    )
    const expiresAt = rows[0]?.expires_at.toISOString() ?? instantText(now())
    return { kind: 'second_factor', step, factors, expiresAt }
  }

  /**
   * A new session in place of one that ended because its person changed what lets them in. It is as old as that one, and
   * lasts no longer: changing something again and again is no signing in.
   *
   * @param change what the change came to
   * @param factor a second factor that the change has proven, where the session was short of one
   * @throws Fault `not_authenticated` where anything else has ended the person's sessions since that change
   */
  async continueFrom(
    ended: KnownSession,
    { epoch }: Changed,
    client: string,
    factor?: string,
  ): Promise<OpenedSession> {
    const { id: person } = ended.voter
    const method = ended.isPartial && factor !== undefined ? `${ended.method}+${factor}` : ended.method
    return await this.#sessions.open({ person, method, epoch, client, continued: ended })
  }

  /** Whose sign-in is under way; undefined where the step is unknown, too old or used up. Looking is no try. */
  async personOfStep(token: string): Promise<PersonId | undefined> {
    const { rows } = await this.#ledger.pool.query<{ person: PersonId }>(
      `select person from sign_in_step
      where token_sha256 = $1 and tries < ${stepTriesMax} and expires_at > ${laterInstant('$2', '$3')}`,
      [sha256(token), instantText(this.#ledger.now()), this.#ledger.databaseClock],
    )
    return rows[0]?.person
  }

  /** Counts a try of a second factor. Undefined where there is none left. */
  async takeStep(token: string): Promise<SignInStep | undefined> {
    const { rows } = await this.#ledger.pool.query<{ person: PersonId; method: string; epoch: string }>(
      `update sign_in_step set tries = tries + 1
      where token_sha256 = $1 and tries < ${stepTriesMax} and expires_at > ${laterInstant('$2', '$3')}
      returning person, method, epoch`,
      [sha256(token), instantText(this.#ledger.now()), this.#ledger.databaseClock],
    )
    const [row] = rows
    return row && { token, person: row.person, method: row.method, epoch: Number(row.epoch) }
  }

  /** Opens the session after the second factor was proven; undefined where somebody was faster with the same step. */
  async complete(step: SignInStep, factor: string, client: string): Promise<SignInResult | undefined> {
    const { rowCount } = await this.#ledger.pool.query('delete from sign_in_step where token_sha256 = $1', [
      sha256(step.token),
    ])
    if (rowCount !== 1) return undefined
    return await this.#opened(step.person, `${step.method}+${factor}`, step.epoch, client)
  }

  /** Whether whoever signs in with a password is asked for something else as well. */
  async asksForSecondFactor(person: PersonId): Promise<boolean> {
    return (await this.#factorsOf(person, 'password')).length > 0
  }

  // The second factors that a person has set up.
  async #factorsOf(person: PersonId, first: FirstFactor): Promise<readonly string[]> {
    const asked = this.#factors.filter(({ after }) => after?.includes(first) ?? true)
    const set = await Promise.all(asked.map((factor) => factor.isSetUp(person)))
    return asked.filter((_factor, at) => set[at]).map(({ name }) => name)
  }

  /** When a sign-in begins of which nobody knows yet whose it is: milliseconds, by the database's clock. */
  async now(): Promise<number> {
    const { rows } = await this.#ledger.pool.query<{ now: number }>(
      'select (extract(epoch from clock_timestamp()) * 1000)::float8 as now',
    )
    const [row] = rows
    if (row === undefined) throw new Error('the database says no time')
    return row.now
  }

  /** How often all of a person's sessions have been ended. Read it before a proof is checked. */
  async epochOf(person: string): Promise<number> {
    const { rows } = await this.#ledger.pool.query<{ epoch: string }>(
      'select epoch from sign_out where person = $1',
      [person],
    )
    return Number(rows[0]?.epoch ?? 0)
  }

  async #opened(person: PersonId, method: string, epoch: number, client: string): Promise<SignInResult> {
    return { kind: 'signed_in', ...(await this.#sessions.open({ person, method, epoch, client })) }
  }
}
