import { readFile } from 'node:fs/promises'
import { Fault, nameLengthMax, type Instant, type JsonObject } from '@bailiwick/core'
import type { Access, Admission } from '@bailiwick/store'
import { createLocalJWKSet, errors, jwtVerify, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'
import { getJson, systemResolve } from '../lookup/http-get.ts'
import type { Target } from '../lookup/target.ts'
import type { AgentTokenSettings } from './settings.ts'

/** For so long fetched keys are used without asking again. */
const keptMs = 10 * 60 * 1000
/** For so long they are used where asking again fails. */
const usableMs = 60 * 60 * 1000
/** A token that names an unknown key has the keys fetched anew, no more often than this. */
const pauseMs = 30 * 1000
const fetchMs = 5_000
/** Whatever a token says: older than this it is none. */
const ageMaxSeconds = 24 * 60 * 60

interface KeptKeys {
  readonly find: JWTVerifyGetKey
  readonly at: number
}

/** The agent that a credential speaks for: by its key, or by a token where an issuer is configured. */
export function agentAuthentication(
  access: Pick<Access, 'agentOf'>,
  tokens: AgentTokens | undefined,
): (credential: string) => Promise<string | undefined> {
  return (credential) =>
    tokens === undefined || !credential.includes('.')
      ? access.agentOf(credential)
      : tokens.agentOf(credential)
}

/** The same for calls that are decided: who comes with a key may be let in by one that is remembered. */
export function agentAdmission(
  access: Pick<Access, 'admissionOf'>,
  tokens: AgentTokens | undefined,
): (credential: string) => Promise<Admission | undefined> {
  return (credential) =>
    tokens === undefined || !credential.includes('.')
      ? access.admissionOf(credential)
      : tokens.agentOf(credential).then(lookedUp)
}

/** Who was let in by a look-up that was made for this very question. */
export function lookedUp(agent: string | undefined): Admission | undefined {
  return agent === undefined ? undefined : { agent }
}

/**
 * Checks the JSON Web Tokens of one issuer: signature by one of its keys, with an algorithm of the list; issuer, audience;
 * not before and not after its time, and made within a day. The agent is what one of its claims says.
 */
export class AgentTokens {
  readonly #settings: AgentTokenSettings
  readonly #now: () => Instant
  readonly #log: (line: string) => void
  #kept: KeptKeys | undefined
  #fetching: Promise<KeptKeys> | undefined
  #triedAt = Number.NEGATIVE_INFINITY

  constructor(settings: AgentTokenSettings, now: () => Instant, log: (line: string) => void) {
    this.#settings = settings
    this.#now = now
    this.#log = log
  }

  /**
   * The agent of a token, or undefined where it is not a good one.
   *
   * @throws Fault `service_unreachable` where the issuer's keys cannot be had; then nobody is let in
   */
  async agentOf(token: string): Promise<string | undefined> {
    const keys = await this.#keys()
    try {
      return await this.#checked(token, keys)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || this.#now() - this.#triedAt < pauseMs)
        return undefined
      // The issuer may have new keys.
      const fresh = await this.#fetched()
      return await this.#checked(token, fresh).catch(() => undefined)
    }
  }

  async #checked(token: string, { find }: KeptKeys): Promise<string | undefined> {
    const { issuer, audience, algorithms, claim, toleranceSeconds } = this.#settings
    const { payload } = await jwtVerify(token, find, {
      issuer,
      audience,
      algorithms: [...algorithms],
      clockTolerance: toleranceSeconds,
      requiredClaims: ['exp', 'iat'],
      maxTokenAge: ageMaxSeconds,
      currentDate: new Date(this.#now()),
    })
    const agent = Object.hasOwn(payload, claim) ? payload[claim] : undefined
    if (typeof agent !== 'string' || agent.length > nameLengthMax) return undefined
    return /^[^\s\p{C}]+$/u.test(agent) ? agent : undefined
  }

  async #keys(): Promise<KeptKeys> {
    const kept = this.#kept
    const age = kept === undefined ? Number.POSITIVE_INFINITY : this.#now() - kept.at
    if (kept !== undefined && (age < keptMs || (age < usableMs && this.#now() - this.#triedAt < pauseMs))) {
      return kept
    }
    try {
      return await this.#fetched()
    } catch (error) {
      if (kept !== undefined && age < usableMs) return kept
      throw error
    }
  }

  // Many who ask at once wait for one answer.
  #fetched(): Promise<KeptKeys> {
    this.#fetching ??= this.#fetch().finally(() => {
      this.#fetching = undefined
    })
    return this.#fetching
  }

  async #fetch(): Promise<KeptKeys> {
    this.#triedAt = this.#now()
    const { keys } = this.#settings
    try {
      const answer = keys.kind === 'file' ? await fileJson(keys.path) : await urlJson(keys.target)
      this.#kept = { find: createLocalJWKSet(answer), at: this.#now() }
      return this.#kept
    } catch (cause) {
      this.#log(`agent tokens: ${cause instanceof Error ? cause.message : String(cause)}`)
      throw new Fault('service_unreachable', "the keys of the tokens' issuer cannot be had", {
        fix: 'Try again; if it stays, ask the operator to look at the log of the service.',
        cause,
        recorded: 'no',
      })
    }
  }
}

// What is no set of keys is refused where it is taken in.
async function fileJson(path: string): Promise<JSONWebKeySet> {
  return JSON.parse(await readFile(path, 'utf8')) as JSONWebKeySet
}

async function urlJson(target: Target): Promise<JSONWebKeySet> {
  const asked = await getJson(target, AbortSignal.timeout(fetchMs), systemResolve)
  if (asked.kind === 'failed') throw new Error(asked.why)
  return asked.value as JsonObject & JSONWebKeySet
}
