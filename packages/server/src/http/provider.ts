import type { OpenAPIHono } from '@hono/zod-openapi'
import { Fault } from '@bailiwick/core'
import { getCookie, setCookie } from 'hono/cookie'
import type { Authentication, HttpEnv } from './asker.ts'
import { callerOf } from './caller.ts'
import { toldFault } from './problems.ts'
import { newRouter } from './router.ts'
import { getProviderCallback, postProviderSession } from './routes.ts'
import { refuseOtherSites } from './same-origin.ts'
import { handOutSession } from './session.ts'
import type { SignInParts } from './sign-in-parts.ts'

/** Signing in by the identity provider. */
export function providerRoutes(
  authentication: Authentication,
  { provider, proxies }: SignInParts,
  log: (line: string) => void,
): OpenAPIHono<HttpEnv> {
  const { cookie, publicUrl } = authentication
  const flowCookie = `${cookie.name}_provider`
  const flowOptions = { httpOnly: true, path: '/', secure: cookie.isSecure } as const
  const router = newRouter()

  router.openapi(postProviderSession, async (context): Promise<Response> => {
    refuseOtherSites(context, publicUrl)
    if (provider === undefined) {
      throw new Fault('not_found', 'no identity provider is configured', { fix: 'Sign in another way.' })
    }
    const base = publicUrl ?? new URL(context.req.url).origin
    const { url, flow, flowSeconds } = await provider.begin(`${base}${getProviderCallback.path}`)
    // Lax: the provider sends the browser back by a link, and the cookie has to come along.
    setCookie(context, flowCookie, flow, { ...flowOptions, sameSite: 'Lax', maxAge: flowSeconds })
    return context.json({ url })
  })

  // Always to the same page of this service: nothing that came with the request says where to.
  router.openapi(getProviderCallback, async (context): Promise<Response> => {
    const base = publicUrl ?? new URL(context.req.url).origin
    const callback = new URL(getProviderCallback.path, base)
    callback.search = new URL(context.req.url).search
    const flow = getCookie(context, flowCookie)
    setCookie(context, flowCookie, '', { ...flowOptions, sameSite: 'Lax', maxAge: 0 })
    try {
      if (provider === undefined) {
        throw new Fault('not_found', 'no identity provider is configured', { fix: 'Sign in another way.' })
      }
      const result = await provider.finish(callback, flow, callerOf(context, proxies).client)
      if (result.kind === 'signed_in') {
        await handOutSession(context, authentication, result)
        return context.redirect('/sign-in', 303)
      }
      const { step, factors } = result
      return context.redirect(signInPage({ step, factors: factors.join(' ') }), 303)
    } catch (error) {
      const { code, message } = toldFault(error, log)
      log(`sign-in by provider: ${message}`)
      // A code only: a page that shows what its address says can be made to say anything.
      return context.redirect(signInPage({ refused: code }), 303)
    }
  })

  return router
}

// After the hash, which browsers send to nobody.
function signInPage(said: Readonly<Record<string, string>>): string {
  return `/sign-in#${new URLSearchParams(said).toString()}`
}
