import { Fault, type Voter } from '@bailiwick/core'
import type { Access, Asking, KnownSession } from '@bailiwick/store'
import type { Context } from 'hono'
import { getCookie } from 'hono/cookie'
import { faultOf } from './problems.ts'
import { requireSameOrigin } from './same-origin.ts'
import type { SessionCookie } from './session-cookie.ts'

/** Who asks: an agent by its key or token, or a person by session. There is no third kind. */
export type Asker = { readonly kind: 'agent'; readonly agent: string } | PersonAsking

/** A person who asks, by session. */
export interface PersonAsking {
  readonly kind: 'person'
  readonly voter: Voter
  readonly session: KnownSession
  /** What the cookie carries. */
  readonly token: string
}

/** What callers are known by. */
export interface Authentication {
  readonly access: Access
  /** The agent that a key or a token speaks for, or undefined. */
  readonly agentOf: (credential: string) => Promise<string | undefined>
  readonly cookie: SessionCookie
  /** The address that people use. */
  readonly publicUrl: string | undefined
}

/** What handlers find on the context. */
export interface HttpEnv {
  Variables: { asker: Asker }
}

/**
 * Who asks. Whoever could not be looked up has not been heard: nothing of the request was recorded.
 *
 * @throws Fault `not_authenticated` for who is nobody here
 */
export async function knownAsker(context: Context, authentication: Authentication): Promise<Asker> {
  try {
    return await askerOf(context, authentication)
  } catch (error) {
    throw faultOf(error, context.req.method === 'POST' ? 'no' : undefined)
  }
}

/** The key or token of an `Authorization` header, where it has the form of one. */
export function credentialOf(authorization: string): string | undefined {
  return /^Bearer ([A-Za-z0-9_.-]{1,8192})$/i.exec(authorization)?.[1]
}

async function askerOf(
  context: Context,
  { access, agentOf, cookie, publicUrl }: Authentication,
): Promise<Asker> {
  const header = context.req.header('authorization')
  if (header !== undefined) {
    const credential = credentialOf(header)
    const agent = credential === undefined ? undefined : await agentOf(credential)
    if (agent !== undefined) return { kind: 'agent', agent }
    throw notAuthenticated('the API key is not valid')
  }
  const token = getCookie(context, cookie.name)
  if (token === undefined) throw notAuthenticated('the request carries no API key and no session')
  const session = await access.sessions.known(token)
  if (session === undefined) throw sessionHasEnded()
  // It was good for setting up a second factor. There is one now, and whoever set it up may be somebody else.
  if (session.isPartial && (await access.signIns.asksForSecondFactor(session.voter.id)))
    throw sessionHasEnded()
  requireSameOrigin(context, publicUrl)
  return { kind: 'person', voter: session.voter, session, token }
}

/** Whether whoever began to wait may still be answered: a session can end meanwhile. */
export async function goesOn({ sessions }: Pick<Access, 'sessions'>, asker: Asker): Promise<boolean> {
  return asker.kind === 'agent' || (await sessions.goesOn(asker.session.id))
}

/** The fault for who had a session and has none any more. */
export function sessionHasEnded(): Fault {
  return notAuthenticated('the session has ended')
}

/** The agent that asks. @throws Fault `not_permitted` for people: only agents make calls */
export function asAgent(asker: Asker): string {
  if (asker.kind === 'agent') return asker.agent
  throw new Fault('not_permitted', 'only an agent can do this', { fix: "Use the agent's API key." })
}

/** The person who asks, and from which session. @throws Fault `not_permitted` for agents: no agent answers for people */
export function asPerson(asker: Asker): Asking & { readonly session: string } {
  const { voter, session } = asSession(asker)
  return { ...voter, session: session.id }
}

/** The session that asks. @throws Fault `not_permitted` for agents */
export function asSession(asker: Asker): PersonAsking {
  if (asker.kind === 'person') return asker
  throw new Fault('not_permitted', 'only a signed-in person can do this', { fix: 'Sign in to the console.' })
}

function notAuthenticated(message: string): Fault {
  return new Fault('not_authenticated', message, {
    fix: 'Agents send `Authorization: Bearer KEY`; people sign in with a link from `bailiwick people link EMAIL`.',
  })
}
