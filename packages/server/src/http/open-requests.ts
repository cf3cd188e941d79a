import type { ServerResponse } from 'node:http'
import { Fault } from '@bailiwick/core'
import type { Context } from 'hono'
import type { Asker } from './asker.ts'

/**
 * How many requests of one person, or how many lists of one agent, may be open at once. A page of the console holds one or
 * two, and a browser six for a host, or all of its tabs through a proxy with HTTP/2.
 */
export const openRequestsMax = 32

/** Lists may be long, and an agent may read them; what else it asks for is short, and 10,000 calls of it may wait. */
const listsOfAgents = new Set(['/v1/decisions', '/v1/approvals'])

/**
 * Counts requests until their answers have gone out, so that nobody fills the memory of the service with streams, and with
 * answers that nobody reads.
 */
export class OpenRequests {
  readonly #open = new Map<string, number>()
  readonly #counted = new WeakSet<ServerResponse>()

  /**
   * Counts this request until its answer has gone out, or its connection has ended; once, however often it is taken.
   *
   * @throws Fault `too_many_requests` where as many of the asker's are open as may be
   */
  take(context: Context, asker: Asker): void {
    const whose = whoseOf(context, asker)
    const { outgoing } = (context.env ?? {}) as { outgoing?: ServerResponse }
    // Without a connection nothing lies unread.
    if (whose === undefined || outgoing === undefined || this.#counted.has(outgoing)) return
    const open = this.#open.get(whose) ?? 0
    if (open >= openRequestsMax) throw tooMany()
    this.#counted.add(outgoing)
    this.#open.set(whose, open + 1)
    outgoing.once('close', () => this.#release(whose))
  }

  #release(whose: string): void {
    const open = (this.#open.get(whose) ?? 0) - 1
    if (open > 0) this.#open.set(whose, open)
    else this.#open.delete(whose)
  }
}

function whoseOf(context: Context, asker: Asker): string | undefined {
  // By person: who signs in again has no more of them.
  if (asker.kind === 'person') return `person ${asker.voter.id}`
  const isList = context.req.method === 'GET' && listsOfAgents.has(context.req.path)
  return isList ? `agent ${asker.agent}` : undefined
}

function tooMany(): Fault {
  return new Fault('too_many_requests', `${openRequestsMax} of your requests have no answer yet`, {
    fix: 'Read their answers or close them, such as by closing pages of the console; then ask again.',
    retryAfterSeconds: 5,
  })
}
