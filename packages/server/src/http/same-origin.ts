import { Fault } from '@bailiwick/core'
import type { Context } from 'hono'

/**
 * Refuses a request that changes something and was not made by a page of this service. The cookie is `SameSite=Strict`
 * already; this holds where a browser is more generous.
 *
 * Of what browsers say and pages cannot forge: `Origin` has to be this service's, and `Sec-Fetch-Site`, which browsers send
 * to TLS and loopback addresses, `same-origin`.
 *
 * @param publicUrl the address that people use
 * @throws Fault `not_permitted`
 */
export function requireSameOrigin(context: Context, publicUrl: string | undefined): void {
  if (['GET', 'HEAD'].includes(context.req.method) || isSameOrigin(context, publicUrl)) return
  throw new Fault('not_permitted', 'the request comes from another site', {
    fix: 'Use the console at the address of this service; a program that has a session sends that address as `Origin`.',
  })
}

/**
 * The same for a request that signs somebody in: a page of another site must not sign its visitor in as somebody else.
 * What no browser sends has no origin, and is let through.
 *
 * @throws Fault `not_permitted`
 */
export function refuseOtherSites(context: Context, publicUrl: string | undefined): void {
  const fromBrowser = ['origin', 'sec-fetch-site'].some((name) => context.req.header(name) !== undefined)
  if (fromBrowser) requireSameOrigin(context, publicUrl)
}

function isSameOrigin(context: Context, publicUrl: string | undefined): boolean {
  const site = context.req.header('sec-fetch-site')
  if (site !== undefined && site !== 'same-origin') return false
  const origin = context.req.header('origin')
  if (origin === undefined || !URL.canParse(origin)) return false
  const { host, origin: exact } = new URL(origin)
  const known = publicUrl !== undefined && URL.canParse(publicUrl) ? new URL(publicUrl) : undefined
  // The plain page of a host that people use over TLS may be anybody's on the way.
  if (host === known?.host) return exact === known.origin
  return host === context.req.header('host')
}
