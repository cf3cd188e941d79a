import type { OpenAPIHono } from '@hono/zod-openapi'
import { Fault, type Instant } from '@bailiwick/core'
import type { Changed } from '@bailiwick/store'
import type { Context } from 'hono'
import {
  deleteTotp,
  getAccount,
  postPassword,
  postRecoveryCodes,
  postTotp,
  postTotpConfirmation,
} from './account-routes.ts'
import { asSession, type Authentication, type HttpEnv, type PersonAsking } from './asker.ts'
import { newRouter } from './router.ts'
import { handOutSession } from './session.ts'
import { accountsOf, type SignInParts } from './sign-in-parts.ts'

const freshMs = 30 * 60 * 1000

/** One's own account: what one signs in with. */
export function accountRoutes(
  authentication: Authentication,
  parts: SignInParts,
  now: () => Instant,
): OpenAPIHono<HttpEnv> {
  const { access } = authentication
  const router = newRouter()

  router.openapi(getAccount, async (context): Promise<Response> => {
    const { voter } = asSession(context.get('asker'))
    const listed = (await access.listPeople()).find(({ id }) => id === voter.id)
    const credentials = await access.credentials.of(voter.id)
    return context.json({ person: voter, rolesFrom: listed?.rolesFrom ?? 'local', ...credentials })
  })

  router.openapi(postPassword, async (context): Promise<Response> => {
    const asker = asSession(context.get('asker'))
    const { password, current } = context.req.valid('json')
    if (current === undefined) {
      const { passwordSetAt } = await access.credentials.of(asker.voter.id)
      if (passwordSetAt !== null && !asker.session.method.startsWith('link')) {
        throw new Fault('not_permitted', 'the current password is missing', {
          fix: 'Send it as `current`, or sign in by a link.',
        })
      }
      requireFresh(asker, now())
    }
    const changed = await accountsOf(parts).setPassword(asker, password, current)
    await goOn(context, authentication, asker, { changed })
    return context.body(null, 204)
  })

  router.openapi(postTotp, async (context): Promise<Response> => {
    const asker = asSession(context.get('asker'))
    requireFresh(asker, now())
    return context.json(await accountsOf(parts).offerTotp(asker.voter.id), 201)
  })

  router.openapi(postTotpConfirmation, async (context): Promise<Response> => {
    const asker = asSession(context.get('asker'))
    requireFresh(asker, now())
    const { code } = context.req.valid('json')
    const { recoveryCodes, changed } = await accountsOf(parts).confirmTotp(asker, code)
    await goOn(context, authentication, asker, { changed, factor: 'totp' })
    return context.json({ recoveryCodes }, 201)
  })

  router.openapi(deleteTotp, async (context): Promise<Response> => {
    const asker = asSession(context.get('asker'))
    requireFresh(asker, now())
    if ((await access.credentials.totpOf(asker.voter.id)) === undefined) return context.body(null, 204)
    const changed = await access.credentials.removeTotp(asker.voter.id, {
      epoch: asker.session.epoch,
      session: asker.session.id,
    })
    await goOn(context, authentication, asker, { changed })
    return context.body(null, 204)
  })

  router.openapi(postRecoveryCodes, async (context): Promise<Response> => {
    const asker = asSession(context.get('asker'))
    requireFresh(asker, now())
    return context.json({ recoveryCodes: await accountsOf(parts).renewRecoveryCodes(asker) }, 201)
  })

  return router
}

/**
 * What lets its person in is changed only shortly after signing in: a browser that was left open is not enough.
 *
 * @throws Fault `not_permitted`
 */
export function requireFresh({ session }: PersonAsking, now: Instant): void {
  if (now - Date.parse(session.createdAt) < freshMs) return
  throw new Fault('not_permitted', 'you signed in more than half an hour ago', { fix: 'Sign in again.' })
}

/**
 * Goes on in a new session after a change that has ended every session of the person, this one too, or that has given it
 * the second factor that it was short of.
 */
export async function goOn(
  context: Context,
  authentication: Authentication,
  asker: PersonAsking,
  { changed, factor }: { readonly changed: Changed; readonly factor?: string },
): Promise<void> {
  const client = context.req.header('user-agent') ?? ''
  const { signIns } = authentication.access
  const opened = await signIns.continueFrom(asker.session, changed, client, factor)
  await handOutSession(context, authentication, { kind: 'signed_in', ...opened })
}
