import type { OpenAPIHono } from '@hono/zod-openapi'
import { Fault, type Instant } from '@bailiwick/core'
import { Passkeys, type Ledger } from '@bailiwick/store'
import type { Context } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import { goOn, requireFresh } from './account.ts'
import { asPerson, asSession, type Authentication, type HttpEnv } from './asker.ts'
import {
  deletePasskey,
  getPasskeys,
  postPasskey,
  postPasskeyOptions,
  postPasskeyProof,
  postPasskeySession,
  postSecondFactorOptions,
  postSignInOptions,
} from './passkey-routes.ts'
import { newRouter } from './router.ts'
import { refuseOtherSites } from './same-origin.ts'
import { answerSignIn } from './session.ts'

const challengeCookie = 'bailiwick_challenge'
const timeoutMs = 3 * 60 * 1000
/** COSE's numbers of EdDSA, ES256 and RS256. */
const algorithms = [-8, -7, -257]

/** The passkeys of who is signed in, and signing in with one. */
export function passkeyRoutes(ledger: Ledger, authentication: Authentication): OpenAPIHono<HttpEnv> {
  const { access, publicUrl } = authentication
  const passkeys = new Passkeys(ledger, access, publicUrl ?? 'http://localhost')
  const router = newRouter()
  router.route('/', sessionRoutes(passkeys, authentication))
  router.route(
    '/',
    ownRoutes(passkeys, authentication, () => ledger.now()),
  )
  return router
}

// Changed only shortly after signing in.
function ownRoutes(
  passkeys: Passkeys,
  authentication: Authentication,
  now: () => Instant,
): OpenAPIHono<HttpEnv> {
  const { cookie } = authentication
  const router = newRouter()

  router.openapi(getPasskeys, async (context): Promise<Response> => {
    const { id } = asPerson(context.get('asker'))
    const listed = await passkeys.list(id)
    const shown = listed.map(({ index, ...passkey }) => ({ ...passkey, record: { index } }))
    return context.json({ party: passkeys.party, passkeys: shown })
  })

  router.openapi(postPasskeyOptions, async (context): Promise<Response> => {
    const asker = asSession(context.get('asker'))
    requireFresh(asker, now())
    const { id } = asker.voter
    const { token, challenge, party, userHandle, known } = await passkeys.beginRegistration(id)
    bind(context, token, cookie.isSecure)
    return context.json({
      challenge,
      rp: { id: party.rpId, name: 'Bailiwick' },
      user: { id: userHandle, name: id, displayName: id },
      pubKeyCredParams: algorithms.map((alg) => ({ type: 'public-key', alg })),
      timeout: timeoutMs,
      excludeCredentials: known.map((credential) => ({ type: 'public-key', id: credential })),
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      attestation: 'none',
    })
  })

  router.openapi(postPasskey, async (context): Promise<Response> => {
    const asker = asSession(context.get('asker'))
    const { voter, session } = asker
    const { transports = [], ...answer } = context.req.valid('json')
    const token = unbind(context)
    const made = { ...answer, transports }
    const { id, index } = await passkeys.register(voter.id, token, made, session.epoch, session.id)
    // Who had to set up a second factor has one from here on, and has just used it.
    if (session.isPartial)
      await goOn(context, authentication, asker, {
        changed: { index, epoch: session.epoch },
        factor: 'passkey',
      })
    return context.json({ id, record: { index } }, 201)
  })

  router.openapi(deletePasskey, async (context): Promise<Response> => {
    const asker = asSession(context.get('asker'))
    requireFresh(asker, now())
    const { id } = context.req.valid('param')
    const changed = await passkeys.remove(asker.voter.id, id, asker.session.id)
    await goOn(context, authentication, asker, { changed })
    return context.json({ id, record: { index: changed.index } })
  })

  return router
}

function sessionRoutes(passkeys: Passkeys, authentication: Authentication): OpenAPIHono<HttpEnv> {
  const { cookie, publicUrl } = authentication
  const router = newRouter()

  router.openapi(postSignInOptions, async (context): Promise<Response> => {
    refuseOtherSites(context, publicUrl)
    const { token, challenge, party } = await passkeys.beginSignIn()
    bind(context, token, cookie.isSecure)
    const { rpId, origin } = party
    return context.json({ challenge, rpId, timeout: timeoutMs, userVerification: 'required', origin })
  })

  router.openapi(postPasskeySession, async (context): Promise<Response> => {
    refuseOtherSites(context, publicUrl)
    const client = context.req.header('user-agent') ?? ''
    const signedIn = await passkeys.signIn(unbind(context), context.req.valid('json'), client)
    if (signedIn === undefined) {
      throw new Fault('not_authenticated', 'the passkey does not sign anybody in', {
        fix: 'Begin again. A passkey that was removed, or registered at another address, signs nobody in: ask for a link.',
      })
    }
    return await answerSignIn(context, authentication, signedIn)
  })

  router.openapi(postSecondFactorOptions, async (context): Promise<Response> => {
    refuseOtherSites(context, publicUrl)
    const begun = await passkeys.beginSecondFactor(context.req.valid('json').step)
    if (begun === undefined) throw notProven()
    const { token, challenge, party, known } = begun
    bind(context, token, cookie.isSecure)
    const { rpId, origin } = party
    const allowCredentials = known.map((id) => ({ type: 'public-key', id }))
    return context.json({
      challenge,
      rpId,
      timeout: timeoutMs,
      userVerification: 'required',
      origin,
      allowCredentials,
    })
  })

  router.openapi(postPasskeyProof, async (context): Promise<Response> => {
    refuseOtherSites(context, publicUrl)
    const client = context.req.header('user-agent') ?? ''
    const { step, ...assertion } = context.req.valid('json')
    const signedIn = await passkeys.proveSecondFactor(step, unbind(context), assertion, client)
    if (signedIn === undefined) throw notProven()
    return await answerSignIn(context, authentication, signedIn)
  })

  return router
}

function notProven(): Fault {
  return new Fault('not_authenticated', 'the passkey does not prove who you are', {
    fix: 'Begin anew with your address; whoever has lost the passkey asks for a link.',
  })
}

// Whoever got hold of an answer alone cannot use it: the challenge belongs to the browser that asked for it.
function bind(context: Context, token: string, secure: boolean): void {
  setCookie(context, challengeCookie, token, {
    httpOnly: true,
    sameSite: 'Strict',
    path: '/v1',
    maxAge: timeoutMs / 1000,
    secure,
  })
}

function unbind(context: Context): string {
  const token = getCookie(context, challengeCookie) ?? ''
  deleteCookie(context, challengeCookie, { path: '/v1' })
  return token
}
