import type { OpenAPIHono } from '@hono/zod-openapi'
import { Fault } from '@bailiwick/core'
import type { Access } from '@bailiwick/store'
import { deleteCookie, setCookie } from 'hono/cookie'
import { newRouter } from './router.ts'
import { asPerson, authenticated, isSameOrigin, sessionCookie, type HttpEnv } from './asker.ts'
import { deleteSession, getSession, postSession } from './routes.ts'

/**
 * Signing in, who is signed in, and signing out.
 *
 * @param secure whether people reach the service over TLS, which a proxy in front may have ended
 */
export function sessionRoutes(access: Access, secure: boolean): OpenAPIHono<HttpEnv> {
  const router = newRouter()

  router.openapi(postSession, async (context): Promise<Response> => {
    // A page of another site must not sign its visitor in as somebody else.
    if (context.req.header('origin') !== undefined && !isSameOrigin(context)) {
      throw new Fault('not_permitted', 'the request comes from another site', {
        fix: 'Open the sign-in link at the address of this service.',
      })
    }
    const signedIn = await access.signIn(context.req.valid('json').token)
    if (signedIn === undefined) {
      throw new Fault('not_authenticated', 'the sign-in link has been used or has expired', {
        fix: 'Ask the operator for a new one: `bailiwick people link EMAIL`.',
      })
    }
    setCookie(context, sessionCookie, signedIn.session, {
      httpOnly: true,
      sameSite: 'Strict',
      path: '/',
      maxAge: signedIn.maxAgeSeconds,
      secure,
    })
    return context.json({ person: signedIn.voter })
  })

  router.use('/v1/session', authenticated(access))
  router.openapi(getSession, (context): Response => context.json({ person: asPerson(context.get('asker')) }))

  router.openapi(deleteSession, async (context): Promise<Response> => {
    const asker = context.get('asker')
    asPerson(asker)
    if (asker.kind === 'person') await access.signOut(asker.session)
    deleteCookie(context, sessionCookie, { path: '/' })
    return context.body(null, 204)
  })

  return router
}
