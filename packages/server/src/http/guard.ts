import { Fault } from '@bailiwick/core'
import type { Context, MiddlewareHandler } from 'hono'
import { matchedRoutes } from 'hono/route'
import { knownAsker, type Asker, type Authentication, type HttpEnv } from './asker.ts'
import type { OpenRequests } from './open-requests.ts'
import { actorsOf, mayDo, meaningOf, permissions, roles, type Permission } from './permissions.ts'
import type { RoutePermission } from './route.ts'

/** An endpoint, with what `createRoute` says of it. */
interface GuardedRoute {
  readonly method: string
  readonly 'x-permission': RoutePermission
  getRoutingPath(): string
}

/**
 * Lets through who has the permission that the endpoint names. An endpoint that names none is answered to nobody, so
 * one that somebody adds is closed until it says for whom it is.
 *
 * @param openRequests what counts requests until they are answered
 * @param described every endpoint below `/v1/`, as `createRoute` describes it
 */
export function guarded(
  authentication: Authentication,
  described: readonly GuardedRoute[],
  openRequests: OpenRequests,
): MiddlewareHandler<HttpEnv> {
  const byRoute = new Map(
    described.map((route) => [
      `${route.method.toUpperCase()} ${route.getRoutingPath()}`,
      route['x-permission'],
    ]),
  )
  return async (context, next) => {
    const permission = permissionOf(context, byRoute)
    if (permission === 'anyone') return await next()
    const asker = await knownAsker(context, authentication)
    context.set('asker', asker)
    if (permission === undefined) {
      throw new Fault('not_found', 'no such endpoint', { fix: 'See /openapi.json.' })
    }
    requirePermission(asker, permission)
    openRequests.take(context, asker)
    return await next()
  }
}

function permissionOf(
  context: Context,
  byRoute: ReadonlyMap<string, RoutePermission>,
): RoutePermission | undefined {
  const method = context.req.method === 'HEAD' ? 'GET' : context.req.method
  // In the order in which they were registered, which is that in which they answer.
  for (const { path } of matchedRoutes(context)) {
    const permission = byRoute.get(`${method} ${path}`)
    if (permission !== undefined) return permission
  }
  return undefined
}

// Where a second factor is demanded, who has none may only set one up.
function isPartial(asker: Asker): boolean {
  return asker.kind === 'person' && asker.session.isPartial
}

/** Everything that the table grants an asker. */
export function permissionsOf(asker: Asker): readonly Permission[] {
  return permissions.filter((permission) => mayAsker(asker, permission))
}

/** Whether the table grants an asker a permission. */
export function mayAsker(asker: Asker, permission: Permission): boolean {
  if (isPartial(asker) && permission !== 'account') return false
  const actors = asker.kind === 'agent' ? (['agent'] as const) : actorsOf(asker.voter.roles)
  return actors.some((actor) => mayDo(actor, permission))
}

/** @throws Fault `not_permitted` where the table does not grant the asker this permission */
export function requirePermission(asker: Asker, permission: Permission): void {
  if (mayAsker(asker, permission)) return
  if (isPartial(asker)) {
    throw new Fault('second_factor_required', 'a password alone is not enough here', {
      fix: 'Set up an authenticator app or a passkey, under Account in the console; nothing else can be done before.',
    })
  }
  if (asker.kind === 'agent') {
    throw new Fault('not_permitted', 'only a signed-in person can do this', {
      fix: 'Sign in to the console.',
    })
  }
  const allowed = roles.filter((role) => mayDo(role, permission))
  if (allowed.length === 0) {
    throw new Fault('not_permitted', 'only an agent can do this', { fix: "Use the agent's API key." })
  }
  const named = allowed.length === roles.length ? 'a role' : `the role ${allowed.join(' or ')}`
  throw new Fault('not_permitted', `it takes ${named} to ${meaningOf(permission).split(/[;,]/)[0] ?? ''}`, {
    fix: 'Ask an administrator for it.',
  })
}
