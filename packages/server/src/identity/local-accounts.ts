import { randomBytes } from 'node:crypto'
import { isIPv6 } from 'node:net'
import { Fault, type PersonId } from '@bailiwick/core'
import {
  personId,
  recoveryHash,
  type Access,
  type Changed,
  type KnownSession,
  type SignInResult,
  type Tried,
} from '@bailiwick/store'
import type { Passwords } from './passwords.ts'
import type { Sealing } from './sealing.ts'
import { base32, matchingStep, newTotpSecret, totpAddress } from './totp.ts'

/** What a request that signs in comes from. */
export interface Caller {
  /** The network address. */
  readonly address: string
  /** What the browser says of itself. */
  readonly client: string
}

/** What local accounts are built on. */
interface LocalAccountParts {
  readonly access: Access
  readonly passwords: Passwords
  readonly sealing: Sealing
  readonly now: () => number
  /** What authenticator apps call the service. */
  readonly issuer: string
  /** Told what the operator has to mend. */
  readonly log: (line: string) => void
}

/** For the operator: what the database holds of authenticator apps was sealed with another key. */
export const otherIdentityKey =
  'IDENTITY KEY: the secret of an authenticator app does not open with the identity key of this service: whoever has it cannot sign in here with a code. Give all services on the database the same key: BAILIWICK_IDENTITY_KEY_FILE, or the file identity.key of the first one’s data directory.'

/** Who changes what lets them in, and the session in which they do. */
export interface Owner {
  readonly voter: { readonly id: PersonId }
  readonly session: Pick<KnownSession, 'epoch' | 'id'>
}

/** A second factor as it was typed. */
export type TypedProof = { readonly code: string } | { readonly recoveryCode: string }

const accountFree = 5
const addressFree = 50
const recoveryCodes = 10

/**
 * Signing in with a password, then an authenticator app or a recovery code; and setting these up.
 *
 * Who does not get in learns nothing of why: an account that is not there, one without a password and a wrong password
 * get the same answer after the same work, and are made to wait alike.
 */
export class LocalAccounts {
  readonly #parts: LocalAccountParts

  constructor(parts: LocalAccountParts) {
    this.#parts = parts
  }

  /** @throws Fault `not_authenticated`, `too_many_tries` */
  async signIn(id: string, password: string, { address, client }: Caller): Promise<SignInResult> {
    const { access, passwords } = this.#parts
    const person = personId(id)
    const ofAddress: Tried = { subject: `address ${networkOf(address)}`, free: addressFree }
    const ofAccount: Tried = { subject: `account ${person}`, free: accountFree }
    await this.#admit(ofAddress)
    await this.#admit(ofAccount)
    const epoch = await access.signIns.epochOf(person)
    const kept = await access.credentials.passwordHashOf(person)
    if (!(await passwords.isRight(kept, password)) || kept === undefined) {
      throw new Fault('not_authenticated', 'the address or the password is wrong', {
        fix: 'Try again, or ask an administrator for a sign-in link.',
      })
    }
    await access.attempts.forgive(ofAccount)
    await access.attempts.uncount(ofAddress)
    if (passwords.isDated(kept)) {
      await access.credentials.rehashPassword(person, kept, await passwords.hash(password, person))
    }
    return await access.signIns.beginAt(person, 'password', client, epoch)
  }

  /** Goes on with a sign-in whose first factor is proven. @throws Fault `not_authenticated`, `too_many_tries` */
  async prove(stepToken: string, proof: TypedProof, { client }: Caller): Promise<SignInResult> {
    const { access } = this.#parts
    const step = await access.signIns.takeStep(stepToken)
    if (step === undefined) throw stepEnded()
    const tried: Tried = { subject: `second factor ${step.person}`, free: accountFree }
    await this.#admit(tried)
    const [name, isRight] =
      'code' in proof
        ? (['totp', await this.#usesCode(step.person, proof.code)] as const)
        : (['recovery', await this.#usesRecoveryCode(step.person, proof.recoveryCode)] as const)
    if (!isRight) {
      throw new Fault('not_authenticated', 'the code is wrong, has been used or has expired', {
        fix: 'Wait for the next code of your app, or use a recovery code.',
      })
    }
    await access.attempts.forgive(tried)
    const result = await access.signIns.complete(step, name, client)
    if (result === undefined) throw stepEnded()
    return result
  }

  /**
   * Sets a person's own password; all sessions of the person end.
   *
   * @param current the password that it replaces, where the person has to show that
   * @throws Fault `bad_input` where it is unfit, `not_permitted` where `current` is wrong, `not_authenticated` where the
   *   session has ended meanwhile
   */
  async setPassword(owner: Owner, password: string, current: string | undefined): Promise<Changed> {
    const { access, passwords } = this.#parts
    const person = owner.voter.id
    if (current !== undefined) {
      const tried: Tried = { subject: `account ${person}`, free: accountFree }
      await this.#admit(tried)
      const kept = await access.credentials.passwordHashOf(person)
      if (!(await passwords.isRight(kept, current))) {
        throw new Fault('not_permitted', 'the current password is wrong', { fix: 'Type it again.' })
      }
      await access.attempts.forgive(tried)
    }
    const hash = await passwords.hash(password, person)
    return await access.credentials.setPassword(person, hash, {
      epoch: owner.session.epoch,
      session: owner.session.id,
    })
  }

  /** A secret for a person's authenticator app. It is asked for only once a code has confirmed it. */
  async offerTotp(person: PersonId): Promise<{ readonly secret: string; readonly address: string }> {
    const { access, sealing, issuer } = this.#parts
    const secret = newTotpSecret()
    await access.credentials.offerTotp(person, sealing.seal(purposeOf(person), secret))
    return { secret: base32(secret), address: totpAddress(secret, person, issuer) }
  }

  /**
   * Confirms the app by its first code.
   *
   * @returns recovery codes, shown this once
   * @throws Fault `conflict`, `not_permitted`, `not_authenticated` where the session has ended meanwhile
   */
  async confirmTotp(
    owner: Owner,
    code: string,
  ): Promise<{ readonly recoveryCodes: readonly string[]; readonly changed: Changed }> {
    const { access } = this.#parts
    const person = owner.voter.id
    const kept = await access.credentials.totpOf(person)
    if (kept === undefined || kept.isUsable) {
      throw new Fault('conflict', 'no authenticator app waits to be confirmed', { fix: 'Set one up first.' })
    }
    await this.#admit({ subject: `second factor ${person}`, free: accountFree })
    if (!(await this.#isCode(person, kept.sealed, code))) {
      throw new Fault('not_permitted', 'the code is wrong', {
        fix: 'Type the code that the app shows now, and see that the clock of the device is right.',
      })
    }
    const codes = newRecoveryCodes()
    const hashes = codes.map(plainCode).map(recoveryHash)
    const { epoch, id: session } = owner.session
    const changed = await access.credentials.confirmTotp(person, kept.sealed, hashes, { epoch, session })
    await access.attempts.forgive({ subject: `second factor ${person}`, free: accountFree })
    return { recoveryCodes: codes, changed }
  }

  /** New recovery codes in the place of all that there are. @throws Fault `conflict` without an authenticator app */
  async renewRecoveryCodes({ voter, session }: Owner): Promise<readonly string[]> {
    const { access } = this.#parts
    const person = voter.id
    if (!(await access.credentials.totpOf(person))?.isUsable) {
      throw new Fault('conflict', 'recovery codes stand in for an authenticator app, and there is none', {
        fix: 'Set up an authenticator app first.',
      })
    }
    const codes = newRecoveryCodes()
    const hashes = codes.map(plainCode).map(recoveryHash)
    await access.credentials.setRecoveryCodes(person, hashes, {
      epoch: session.epoch,
      session: session.id,
    })
    return codes
  }

  /** Whether what the database holds of people's authenticator apps opens with the key of this process. */
  async opensSecrets(): Promise<boolean> {
    const kept = await this.#parts.access.credentials.someTotp()
    return kept === undefined || this.#parts.sealing.open(purposeOf(kept.person), kept.sealed) !== undefined
  }

  async #usesCode(person: string, code: string): Promise<boolean> {
    const kept = await this.#parts.access.credentials.totpOf(person)
    return kept?.isUsable === true && (await this.#isCode(person, kept.sealed, code))
  }

  // A code that is right is used up by being looked at.
  async #isCode(person: string, sealed: string, code: string): Promise<boolean> {
    const { access, sealing, now, log } = this.#parts
    const secret = sealing.open(purposeOf(person), sealed)
    if (secret === undefined) {
      log(otherIdentityKey)
      throw new Fault('store_unavailable', 'the secret of the authenticator app cannot be opened', {
        fix: 'Ask the operator to give the service the identity key that it had before; see docs/OPERATIONS.md.',
        recorded: 'no',
      })
    }
    const step = matchingStep(secret, code.replaceAll(/\s/g, ''), now())
    return step !== undefined && (await access.credentials.useTotpStep(person, sealed, step))
  }

  async #usesRecoveryCode(person: string, code: string): Promise<boolean> {
    const { credentials } = this.#parts.access
    if (!(await credentials.totpOf(person))?.isUsable) return false
    return await credentials.useRecoveryCode(person, plainCode(code))
  }

  async #admit(tried: Tried): Promise<void> {
    const waitMs = await this.#parts.access.attempts.admit(tried)
    if (waitMs === 0) return
    const seconds = Math.ceil(waitMs / 1000)
    throw new Fault('too_many_tries', 'too many tries have failed', {
      fix: `Try again in ${seconds} seconds.`,
      retryAfterSeconds: seconds,
    })
  }
}

function stepEnded(): Fault {
  return new Fault('not_authenticated', 'the sign-in has taken too long or too many tries', {
    fix: 'Begin anew with your address.',
  })
}

function purposeOf(person: string): string {
  return `totp ${person}`
}

/** 80 bits each, in groups that people can copy. */
function newRecoveryCodes(): string[] {
  return Array.from({ length: recoveryCodes }, () => {
    const text = base32(randomBytes(10)).slice(0, 16).toLowerCase()
    return `${text.slice(0, 4)}-${text.slice(4, 8)}-${text.slice(8, 12)}-${text.slice(12)}`
  })
}

// As it is hashed: however it was typed.
function plainCode(code: string): string {
  return code.toLowerCase().replaceAll(/[^a-z0-9]/g, '')
}

// Of IPv6, who has one address has 2^64 of them.
function networkOf(address: string): string {
  if (!isIPv6(address) || address.includes('.')) return address
  const [head = '', tail] = address.split('::')
  const [before, after] = [head, tail ?? ''].map((part) => part.split(':').filter((group) => group !== ''))
  const missing = tail === undefined ? 0 : 8 - (before?.length ?? 0) - (after?.length ?? 0)
  const groups = [...(before ?? []), ...Array.from({ length: missing }, () => '0'), ...(after ?? [])]
  return groups.slice(0, 4).join(':')
}
