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
import type { SecondFactor, SignInResult } from './identity/sign-ins.ts'
import type { Ledger } from './ledger.ts'
import { readPasskeys, type StoredPasskey } from './log/passkeys.ts'
import { fromSession } from './operations/from-session.ts'
import type { Changed } from './operations/access.ts'
import { registerOperation, removeOperation } from './operations/passkey.ts'
import { PasskeyChallenges, type GivenChallenge } from './passkey-challenges.ts'
import { partyIfAny, relyingPartyOf, type RelyingParty } from './relying-party.ts'

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

/**
 * A passkey as the second factor after a password. After a link it is not asked for: that is the way back in for whoever
 * has lost the device.
 */
export function passkeyFactor(ledger: Ledger, consoleUrl: string): SecondFactor {
  return {
    name: 'passkey',
    after: ['password'],
    isSetUp: async (person) => {
      const party = partyIfAny(consoleUrl)
      if (party === undefined) return false
      const found = await readPasskeys(ledger.pool, ledger.name, { people: [person] })
      return found.some(({ key, removed }) => removed === null && isOf(key, party))
    },
  }
}

function isOf({ rpId, origin }: RelyingParty, party: RelyingParty): boolean {
  return rpId === party.rpId && origin === party.origin
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
    const { party } = this
    return (await this.#of(person)).map(({ key, name, transports, createdAt, usedAt, registered }) => ({
      id: key.id,
      name,
      transports,
      createdAt,
      usedAt,
      usable: isOf(key, party),
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
   * @param epoch that of the session in which the person does, and `session` its id: where that has ended meanwhile, nothing
   *   is registered
   * @throws Fault `not_authenticated` for such a session; `conflict` where the challenge is used up or too old, or the credential is known; `bad_input` for an
   *   answer that is none to the challenge
   */
  async register(
    person: PersonId,
    token: string,
    { name, transports, ...answer }: NewPasskeyAnswer,
    epoch?: number,
    session?: string,
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
    const added = { person, key, userHandle: taken.userHandle, name, transports, signCount, epoch }
    const { index } = await this.#ledger.changePasskeys(fromSession(registerOperation(added), session))
    return { id, index }
  }

  /**
   * From here on the passkey signs nothing, on any process. Every session of the person ends, also the one that it is asked from.
   *
   * @param session the id of the session that it is asked from
   * @throws Fault `not_found`, `not_authenticated` for a session that has ended
   */
  async remove(person: string, id: string, session?: string): Promise<Changed> {
    return await this.#ledger.changePasskeys(fromSession(removeOperation(person, id), session))
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
    const taken = await this.#challenges.take(token, { purpose: 'sign_in' })
    const passkey = await this.#usable(assertion.credential)
    if (taken === undefined || passkey === undefined) return undefined
    // Whatever ends the person's sessions from here on ends this sign-in too.
    const epoch = await this.#access.signIns.epochOf(passkey.person)
    // A passkey that was found without a name says whose it is.
    const person = await this.#proven(passkey, assertion, taken.challenge)
    if (person === undefined) return undefined
    const opened = await this.#access.sessions.open({ person, method: 'passkey', epoch, client })
    return { kind: 'signed_in', ...opened }
  }

  /**
   * A challenge for whoever has proven a first factor, to be answered with one of the person's passkeys. Undefined where
   * the step is unknown, too old or used up.
   *
   * @param step as `SignIns` has given it
   */
  async beginSecondFactor(
    step: string,
  ): Promise<
    (GivenChallenge & { readonly party: RelyingParty; readonly known: readonly string[] }) | undefined
  > {
    const { party } = this
    const person = await this.#access.signIns.personOfStep(step)
    if (person === undefined) return undefined
    const known = (await this.#of(person)).filter(({ key }) => isOf(key, party)).map(({ key }) => key.id)
    return { ...(await this.#challenges.give({ purpose: 'second_factor', person })), party, known }
  }

  /**
   * Goes on with a sign-in whose first factor is proven, by a passkey of its person's. Undefined for every reason why not.
   *
   * @param token of the challenge
   * @param client what the browser says of itself
   */
  async proveSecondFactor(
    stepToken: string,
    token: string,
    assertion: SignInAssertion,
    client = '',
  ): Promise<SignInResult | undefined> {
    const { signIns } = this.#access
    const step = await signIns.takeStep(stepToken)
    if (step === undefined) return undefined
    const taken = await this.#challenges.take(token, { purpose: 'second_factor', person: step.person })
    const passkey = await this.#usable(assertion.credential)
    if (taken === undefined || passkey?.person !== step.person) return undefined
    const { userHandle = passkey.userHandle.toString('base64url') } = assertion
    const person = await this.#proven(passkey, { ...assertion, userHandle }, taken.challenge)
    return person && (await signIns.complete(step, 'passkey', client))
  }

  async #usable(id: string): Promise<StoredPasskey | undefined> {
    const [passkey] = await readPasskeys(this.#ledger.pool, this.#ledger.name, { ids: [id] })
    return passkey?.removed === null && isOf(passkey.key, this.party) ? passkey : undefined
  }

  /** Whose passkey has signed the challenge. */
  async #proven(
    { key, userHandle, signCount }: StoredPasskey,
    assertion: SignInAssertion,
    challenge: string,
  ): Promise<PersonId | undefined> {
    if (assertion.userHandle !== userHandle.toString('base64url')) return undefined
    const checked = checkAssertion(assertion, key, challenge)
    if (checked.kind === 'invalid' || !countsOn(signCount, checked.signCount)) return undefined
    return await this.#counted(key.id, checked.signCount)
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
