import { Fault, type Voter } from '@bailiwick/core'
import type { Access } from '@bailiwick/store'
import type { Context, MiddlewareHandler } from 'hono'
import { getCookie } from 'hono/cookie'
import { faultOf } from './problems.ts'

export const sessionCookie = 'bailiwick_session'

/** Who asks: an agent by its key, or a person by session. There is no third kind. */
export type Asker =
  | { readonly kind: 'agent'; readonly agent: string }
  | { readonly kind: 'person'; readonly voter: Voter; readonly session: string }

/** What handlers find on the context. */
export interface HttpEnv {
  Variables: { asker: Asker }
}

/** Lets nobody through who is not authenticated, whatever the route. */
export function authenticated(access: Access): MiddlewareHandler<HttpEnv> {
  return async (context, next) => {
    context.set('asker', await knownAsker(context, access))
    await next()
  }
}

// Whoever could not be looked up has not been heard: nothing of the request was recorded.
async function knownAsker(context: Context, access: Access): Promise<Asker> {
  try {
    return await askerOf(context, access)
  } catch (error) {
    throw faultOf(error, context.req.method === 'POST' ? 'no' : undefined)
  }
}

/** The key of an `Authorization` header, where it has the form of one. */
export function keyOf(authorization: string): string | undefined {
  return /^Bearer ([A-Za-z0-9_-]{1,200})$/i.exec(authorization)?.[1]
}

async function askerOf(context: Context, access: Access): Promise<Asker> {
  const header = context.req.header('authorization')
  if (header !== undefined) {
    const key = keyOf(header)
    const agent = key === undefined ? undefined : await access.agentOf(key)
    if (agent !== undefined) return { kind: 'agent', agent }
    throw notAuthenticated('the API key is not valid')
  }
  const session = getCookie(context, sessionCookie)
  if (session === undefined) throw notAuthenticated('the request carries no API key and no session')
  const voter = await access.personOf(session)
  if (voter === undefined) throw notAuthenticated('the session has ended')
  if (!isSameOrigin(context)) {
    throw new Fault('not_permitted', 'the request comes from another site', {
      fix: 'Use the console at the address of this service.',
    })
  }
  return { kind: 'person', voter, session }
}

/**
 * Whether a request that changes something was made by a page of this service. The cookie is
 * `SameSite=Strict` already; this holds where a browser is more generous.
 */
export function isSameOrigin(context: Context): boolean {
  if (['GET', 'HEAD'].includes(context.req.method)) return true
  const origin = context.req.header('origin')
  const host = context.req.header('host')
  if (origin === undefined || host === undefined) return false
  return URL.canParse(origin) && new URL(origin).host === host
}

/** The agent that asks. @throws Fault `not_permitted` for people: only agents make calls */
export function asAgent(asker: Asker): string {
  if (asker.kind === 'agent') return asker.agent
  throw new Fault('not_permitted', 'only an agent can do this', { fix: "Use the agent's API key." })
}

/** The person who asks. @throws Fault `not_permitted` for agents: no agent answers for people */
export function asPerson(asker: Asker): Voter {
  if (asker.kind === 'person') return asker.voter
  throw new Fault('not_permitted', 'only a signed-in person can do this', { fix: 'Sign in to the console.' })
}

function notAuthenticated(message: string): Fault {
  return new Fault('not_authenticated', message, {
    fix: 'Agents send `Authorization: Bearer KEY`; people sign in with a link from `bailiwick people link EMAIL`.',
  })
}
