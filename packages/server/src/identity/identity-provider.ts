import { Fault } from '@bailiwick/core'
import type { Access, SignInResult } from '@bailiwick/store'
import * as oidc from 'openid-client'
import type { Sealing } from './sealing.ts'
import type { ProviderSettings } from './settings.ts'

const flowMs = 10 * 60 * 1000
const requestSeconds = 10
const purpose = 'sign-in by provider'

/** What the browser keeps between leaving for the provider and coming back; sealed. */
interface Flow {
  readonly state: string
  readonly nonce: string
  readonly verifier: string
  readonly until: number
  /** When it began, by the database's clock: who is removed after that does not come back by it. */
  readonly since: number
}

/** What an identity provider is asked with. */
interface IdentityProviderParts {
  readonly settings: ProviderSettings
  readonly access: Access
  readonly sealing: Sealing
  readonly now: () => number
  readonly log: (line: string) => void
}

/**
 * Signing in by an identity provider (OpenID Connect): authorization code with PKCE, bound to the browser by a sealed
 * cookie, with state and nonce. A person is who the provider's verified e-mail address says; which roles, its groups say,
 * at each sign-in anew. Where something is not as it has to be, nobody is signed in.
 */
export class IdentityProvider {
  readonly #parts: IdentityProviderParts
  #configuration: Promise<oidc.Configuration> | undefined

  constructor(parts: IdentityProviderParts) {
    this.#parts = parts
  }

  /** What the button calls it. */
  get name(): string {
    return this.#parts.settings.name
  }

  /**
   * Where the browser goes, and what it keeps until it is back.
   *
   * @param redirect where the provider sends it back to
   * @throws Fault `service_unreachable`
   */
  async begin(
    redirect: string,
  ): Promise<{ readonly url: string; readonly flow: string; readonly flowSeconds: number }> {
    const { access, settings, sealing, now } = this.#parts
    const configuration = await this.#configured()
    const flow: Flow = {
      state: oidc.randomState(),
      nonce: oidc.randomNonce(),
      verifier: oidc.randomPKCECodeVerifier(),
      until: now() + flowMs,
      since: await access.signIns.now(),
    }
    const url = oidc.buildAuthorizationUrl(configuration, {
      redirect_uri: redirect,
      scope: settings.scope,
      state: flow.state,
      nonce: flow.nonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(flow.verifier),
      code_challenge_method: 'S256',
    })
    const sealed = sealing.seal(purpose, Buffer.from(JSON.stringify(flow)))
    return { url: url.href, flow: sealed, flowSeconds: flowMs / 1000 }
  }

  /**
   * Signs in who comes back from the provider.
   *
   * @param callback the address that the provider sent the browser to
   * @param sealed what the browser kept
   * @throws Fault `not_authenticated`, `not_permitted`, `service_unreachable`
   */
  async finish(callback: URL, sealed: string | undefined, client: string): Promise<SignInResult> {
    const { access, settings } = this.#parts
    const flow = this.#flowOf(sealed)
    const claims = await this.#claims(callback, flow)
    const email = claims['email']
    if (typeof email !== 'string' || claims['email_verified'] !== true) {
      throw new Fault('not_permitted', 'the identity provider vouches for no e-mail address of yours', {
        fix: 'Have your address verified there.',
      })
    }
    const groups = claims[settings.groupsClaim]
    const named = Array.isArray(groups) ? groups.filter((group) => typeof group === 'string') : []
    const roles = [...new Set(named.flatMap((group) => settings.rolesOf.get(group) ?? []))]
    const subject = `${settings.issuer.href} ${claims.sub}`
    const known = await access.setPersonOfProvider(email, { roles, subject, since: flow.since })
    if (known === undefined) {
      throw new Fault('not_permitted', 'none of your groups has a role here', {
        fix: 'Ask whoever runs the identity provider to add you to one that has.',
      })
    }
    return await access.signIns.beginAt(known.voter.id, 'provider', client, known.epoch)
  }

  #flowOf(sealed: string | undefined): Flow {
    const { sealing, now } = this.#parts
    const opened = sealed === undefined ? undefined : sealing.open(purpose, sealed)
    const flow = opened === undefined ? undefined : (JSON.parse(opened.toString('utf8')) as Flow)
    if (flow !== undefined && flow.until > now() && Number.isFinite(flow.since)) return flow
    throw new Fault('not_authenticated', 'this browser has not begun to sign in, or too long ago', {
      fix: 'Begin anew at the sign-in page.',
    })
  }

  async #claims(callback: URL, flow: Flow): Promise<oidc.IDToken> {
    const configuration = await this.#configured()
    try {
      const tokens = await oidc.authorizationCodeGrant(configuration, callback, {
        pkceCodeVerifier: flow.verifier,
        expectedState: flow.state,
        expectedNonce: flow.nonce,
        idTokenExpected: true,
      })
      const claims = tokens.claims()
      if (claims === undefined) throw new Error('no ID token')
      const more = await oidc.fetchUserInfo(configuration, tokens.access_token, claims.sub)
      // What is signed counts before what is not; and that an address is verified is said of the address beside it.
      const { email, email_verified } = claims['email'] === undefined ? more : claims
      return { ...more, ...claims, email, email_verified }
    } catch (cause) {
      this.#parts.log(`identity provider: ${cause instanceof Error ? cause.message : String(cause)}`)
      throw new Fault('not_authenticated', 'the identity provider did not sign you in', {
        fix: 'Begin anew at the sign-in page.',
        cause,
      })
    }
  }

  // Asked for when it is needed first, and again where it could not be had: a provider that is down keeps nobody out
  // who has another way in.
  async #configured(): Promise<oidc.Configuration> {
    const { settings, log } = this.#parts
    const { issuer, clientId, clientSecret, allowPrivate } = settings
    this.#configuration ??= oidc.discovery(issuer, clientId, clientSecret, undefined, {
      execute: [
        oidc.enableNonRepudiationChecks,
        // oxlint-disable-next-line typescript/no-deprecated -- marked so to stand out, as it should: the operator asked for it
        ...(allowPrivate ? [oidc.allowInsecureRequests] : []),
      ],
      timeout: requestSeconds,
    })
    try {
      return await this.#configuration
    } catch (cause) {
      this.#configuration = undefined
      log(`identity provider: ${cause instanceof Error ? cause.message : String(cause)}`)
      throw new Fault('service_unreachable', 'the identity provider does not answer', {
        fix: 'Try again, or sign in another way.',
        cause,
      })
    }
  }
}
