import { randomBytes } from 'node:crypto'
import {
  checkAssertion,
  checkRegistration,
  countsOn,
  Fault,
  instantText,
  type Assertion,
  type Attestation,
  type PersonId,
} from '@bailiwick/core'
import type { Access } from './access.ts'
import type { SignInResult } from './identity/sign-ins.ts'
import type { Ledger } from './ledger.ts'
import { readPasskeys, type StoredPasskey } from './log/passkeys.ts'
import { registerOperation, removeOperation } from './operations/passkey.ts'
import { PasskeyChallenges, type GivenChallenge } from './passkey-challenges.ts'
import { relyingPartyOf, type RelyingParty } from './relying-party.ts'

/** A passkey as its owner sees it. */
export interface ListedPasskey {
  readonly id: string
  readonly name: string
  readonly transports: readonly string[]
  readonly createdAt: string
  readonly usedAt: string | null
  /** Whether it is bound to the console's address as it is now; one that is not signs nothing there. */
  readonly usable: boolean
  /** The record that registered it. */
  readonly index: number
}

/** What a browser needs to make a passkey for a person. */
export interface RegistrationChallenge extends GivenChallenge {
  readonly party: RelyingParty
  /** What the authenticator calls the person, base64url. */
  readonly userHandle: string
  /** The ids of those that the person has. */
  readonly known: readonly string[]
}

/** What a person's browser brings back from the authenticator that made a passkey. */
export interface NewPasskeyAnswer extends Attestation {
  /** What the person calls it. */
  readonly name: string
  readonly transports: readonly string[]
}

/** What an authenticator answered at sign-in. */
export interface SignInAssertion extends Assertion {
  /** What it calls the person, base64url, where it said so. */
  readonly userHandle?: string | undefined
}

/** People's passkeys: registering and removing them, which the log records, and signing in with one. */
export class Passkeys {
  readonly #ledger: Ledger
  readonly #access: Pick<Access, 'sessions' | 'signIns'>
  readonly #consoleUrl: string
  readonly #challenges: PasskeyChallenges

  constructor(ledger: Ledger, access: Pick<Access, 'sessions' | 'signIns'>, consoleUrl: string) {
    this.#ledger = ledger
    this.#access = access
    this.#consoleUrl = consoleUrl
    this.#challenges = new PasskeyChallenges(ledger)
  }

  /** @throws Fault `conflict` where the console's address takes no passkeys */
  get party(): RelyingParty {
    return relyingPartyOf(this.#consoleUrl)
  }

  /** The passkeys of a person that are not removed, the oldest first. */
  async list(person: string): Promise<ListedPasskey[]> {
    const { rpId, origin } = this.party
    return (await this.#of(person)).map(({ key, name, transports, createdAt, usedAt, registered }) => ({
      id: key.id,
      name,
      transports,
      createdAt,
      usedAt,
      usable: key.rpId === rpId && key.origin === origin,
      index: registered,
    }))
  }

  /** A challenge for a signed-in person who is about to make a passkey. */
  async beginRegistration(person: PersonId): Promise<RegistrationChallenge> {
    const { party } = this
    const mine = await this.#of(person)
    const userHandle = mine[0]?.userHandle ?? randomBytes(32)
    const given = await this.#challenges.give({ purpose: 'register', person, userHandle })
    const known = mine.map(({ key }) => key.id)
    return { ...given, party, userHandle: userHandle.toString('base64url'), known }
  }

  /**
   * Registers what the authenticator made, and records it.
   *
   * @throws Fault `conflict` where the challenge is used up or too old, or the credential is known; `bad_input` for an
   *   answer that is none to the challenge
   */
  async register(
    person: PersonId,
    token: string,
    { name, transports, ...answer }: NewPasskeyAnswer,
  ): Promise<{ readonly id: string; readonly index: number }> {
    const { party } = this
    const taken = await this.#challenges.take(token, { purpose: 'register', person })
    if (taken?.userHandle == null) {
      throw new Fault('conflict', 'the registration took too long, or was answered before', {
        fix: 'Begin it again.',
      })
    }
    const checked = checkRegistration(answer, party, taken.challenge)
    if (checked.kind === 'invalid') {
      throw new Fault('bad_input', `the answer of the authenticator does not count: ${checked.problem}`, {
        fix: 'Begin the registration again, in the console at its own address.',
      })
    }
    const { id, publicKey, signCount } = checked
    const key = { id, publicKey, ...party }
    const added = { person, key, userHandle: taken.userHandle, name, transports, signCount }
    const { index } = await this.#ledger.changePasskeys(registerOperation(added))
    return { id, index }
  }

  /** From here on the passkey signs nothing, on any process. @throws Fault `not_found` */
  async remove(person: string, id: string): Promise<{ readonly index: number }> {
    return await this.#ledger.changePasskeys(removeOperation(person, id))
  }

  /** A challenge for somebody who is about to sign in; the passkey says who it is. */
  async beginSignIn(): Promise<GivenChallenge & { readonly party: RelyingParty }> {
    const { party } = this
    return { ...(await this.#challenges.give({ purpose: 'sign_in' })), party }
  }

  /**
   * Opens a session for the person whose passkey signed the challenge, without a second factor: the device and what it
   * asks for are two. Undefined for every reason why not, which look alike from outside.
   *
   * @param client what the browser says of itself
   */
  async signIn(
    token: string,
    assertion: SignInAssertion,
    client = '',
  ): Promise<Extract<SignInResult, { readonly kind: 'signed_in' }> | undefined> {
    const { rpId, origin } = this.party
    const taken = await this.#challenges.take(token, { purpose: 'sign_in' })
    const [passkey] = await readPasskeys(this.#ledger.pool, this.#ledger.name, {
      ids: [assertion.credential],
    })
    if (taken === undefined || passkey === undefined || passkey.removed !== null) return undefined
    const { key, userHandle } = passkey
    // Whatever ends the person's sessions from here on ends this sign-in too.
    const epoch = await this.#access.signIns.epochOf(passkey.person)
    const isOurs = key.rpId === rpId && key.origin === origin
    // A passkey that was found without a name says whose it is.
    if (!isOurs || assertion.userHandle !== userHandle.toString('base64url')) return undefined
    const checked = checkAssertion(assertion, key, taken.challenge)
    if (checked.kind === 'invalid' || !countsOn(passkey.signCount, checked.signCount)) return undefined
    const person = await this.#counted(key.id, checked.signCount)
    if (person === undefined) return undefined
    const opened = await this.#access.sessions.open({ person, method: 'passkey', epoch, client })
    return { kind: 'signed_in', ...opened }
  }

  // Of two that sign in with one counter, one does.
  async #counted(id: string, signCount: number): Promise<PersonId | undefined> {
    const { rows } = await this.#ledger.pool.query<{ id: PersonId }>(
      `update passkey k set sign_count = $3, used_at = $4 from person p
      where k.ledger = $1 and k.id = $2 and k.removed is null and p.id = k.person
        and (k.sign_count < $3 or (k.sign_count = 0 and $3 = 0))
      returning p.id`,
      [this.#ledger.name, id, signCount, instantText(this.#ledger.now())],
    )
    return rows[0]?.id
  }

  async #of(person: string): Promise<StoredPasskey[]> {
    const found = await readPasskeys(this.#ledger.pool, this.#ledger.name, { people: [person] })
    return found.filter(({ removed }) => removed === null)
  }
}
