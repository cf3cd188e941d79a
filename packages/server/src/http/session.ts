import type { OpenAPIHono } from '@hono/zod-openapi'
import { Fault } from '@bailiwick/core'
import type { SignInResult } from '@bailiwick/store'
import type { Context } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import { asSession, type Authentication, type HttpEnv } from './asker.ts'
import { callerOf } from './caller.ts'
import { permissionsOf } from './guard.ts'
import { newRouter } from './router.ts'
import {
  deleteSession,
  getSession,
  getSignInWays,
  postPasswordSession,
  postSecondFactor,
  postSession,
} from './routes.ts'
import { refuseOtherSites } from './same-origin.ts'
import { accountsOf, type SignInParts } from './sign-in-parts.ts'

/** Signing in, who is signed in, and signing out. */
export function sessionRoutes(authentication: Authentication, parts: SignInParts): OpenAPIHono<HttpEnv> {
  const { access, cookie, publicUrl } = authentication
  const router = newRouter()

  router.openapi(getSignInWays, (context): Response => {
    const { provider } = parts
    return context.json({
      password: parts.accounts !== undefined,
      passkey: true,
      provider: provider === undefined ? null : { name: provider.name },
    })
  })

  router.openapi(postSession, async (context): Promise<Response> => {
    refuseOtherSites(context, publicUrl)
    const { client } = callerOf(context, parts.proxies)
    const result = await access.signIn(context.req.valid('json').token, client)
    if (result === undefined) {
      throw new Fault('not_authenticated', 'the sign-in link has been used or has expired', {
        fix: 'Ask the operator for a new one: `bailiwick people link EMAIL`.',
      })
    }
    return await answerSignIn(context, authentication, result)
  })

  router.openapi(postPasswordSession, async (context): Promise<Response> => {
    refuseOtherSites(context, publicUrl)
    const { person, password } = context.req.valid('json')
    const caller = callerOf(context, parts.proxies)
    return await answerSignIn(
      context,
      authentication,
      await accountsOf(parts).signIn(person, password, caller),
    )
  })

  router.openapi(postSecondFactor, async (context): Promise<Response> => {
    refuseOtherSites(context, publicUrl)
    const { step, ...proof } = context.req.valid('json')
    const caller = callerOf(context, parts.proxies)
    return await answerSignIn(context, authentication, await accountsOf(parts).prove(step, proof, caller))
  })

  router.openapi(getSession, (context): Response => {
    const asker = asSession(context.get('asker'))
    const { id, method, isPartial, createdAt, expiresAt } = asker.session
    return context.json({
      person: asker.voter,
      permissions: permissionsOf(asker),
      session: { id, method, isPartial, createdAt, expiresAt },
    })
  })

  router.openapi(deleteSession, async (context): Promise<Response> => {
    await access.signOut(asSession(context.get('asker')).token)
    deleteCookie(context, cookie.name, { path: '/', secure: cookie.isSecure })
    return context.body(null, 204)
  })

  return router
}

/**
 * Answers what proving a factor came to: hands out the session in its cookie, or says which factor is asked for next.
 * The session that the browser had before ends: what an attacker may have put there is worth nothing afterwards.
 */
export async function answerSignIn(
  context: Context,
  authentication: Authentication,
  result: SignInResult,
): Promise<Response> {
  if (result.kind === 'second_factor') {
    const { step, factors, expiresAt } = result
    return context.json({ secondFactor: { step, factors, expiresAt } })
  }
  await handOutSession(context, authentication, result)
  return context.json({ person: result.voter })
}

/** Puts a session into the browser's cookie, and ends the one that was there. */
export async function handOutSession(
  context: Context,
  { access, cookie }: Authentication,
  { session, maxAgeSeconds }: Extract<SignInResult, { readonly kind: 'signed_in' }>,
): Promise<void> {
  const before = getCookie(context, cookie.name)
  if (before !== undefined) await access.signOut(before)
  setCookie(context, cookie.name, session, {
    httpOnly: true,
    sameSite: 'Strict',
    path: '/',
    maxAge: maxAgeSeconds,
    secure: cookie.isSecure,
  })
}
