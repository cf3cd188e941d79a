import type { IncomingMessage, ServerResponse } from 'node:http'
import { Fault } from '@bailiwick/core'
import type { Context } from 'hono'
import type { Asker } from './asker.ts'

/**
 * How many streams and long answers of one person, or long answers of one agent, may be open at once. A page of the console
 * holds one or two, and a browser six for a host, or all of its tabs through a proxy with HTTP/2.
 */
export const openRequestsMax = 32
/** How many entry bundles may be open at once of all who read them without a name, by the read key or because the log is public. */
export const openReadingsMax = 256

/** Whatever else is asked for is one thing, and short. */
const isList = (path: string) => /^\/v1\/[a-z-]+$/.test(path) && path !== '/v1/session' && !isStream(path)
const isBundle = (path: string) => path.startsWith('/log/tile/entries/')
const isStream = (path: string) => path.endsWith('/events')

/**
 * Counts streams, and answers that may be long, until they have gone out, so that nobody fills the memory of the service with
 * what nobody reads.
 */
export class OpenRequests {
  readonly #open = new Map<string, number>()

  /**
   * Counts this request until its answer has gone out, or its connection has ended.
   *
   * @param asker undefined for who reads without a name
   * @throws Fault `too_many_requests` where as many of the asker's are open as may be
   */
  take(context: Context, asker: Asker | undefined): void {
    const whose = whoseOf(context, asker)
    const { incoming, outgoing } = (context.env ?? {}) as Partial<Connected>
    // Without a connection nothing lies unread.
    if (whose === undefined || incoming === undefined || outgoing === undefined) return
    // Whoever left while it was looked up who they are is told of no end any more, and would be counted for ever.
    if (incoming.socket.destroyed || outgoing.destroyed) return
    const open = this.#open.get(whose) ?? 0
    if (open >= (asker === undefined ? openReadingsMax : openRequestsMax)) throw tooMany(asker)
    this.#open.set(whose, open + 1)
    // Of requests that were sent one behind the other without waiting, an answer whose turn has not come hears nothing of
    // the end of its connection.
    const { socket } = incoming
    const ended = () => {
      outgoing.off('close', ended)
      socket.off('close', ended)
      this.#release(whose)
    }
    outgoing.once('close', ended)
    socket.setMaxListeners(openRequestsMax + 16).once('close', ended)
  }

  #release(whose: string): void {
    const open = (this.#open.get(whose) ?? 0) - 1
    if (open > 0) this.#open.set(whose, open)
    else this.#open.delete(whose)
  }
}

/** What the adapter hands on of Node's own. */
interface Connected {
  readonly incoming: IncomingMessage
  readonly outgoing: ServerResponse
}

function whoseOf({ req: { method, path } }: Context, asker: Asker | undefined): string | undefined {
  if (method !== 'GET') return undefined
  if (asker === undefined) return isBundle(path) ? 'whoever' : undefined
  const isLong = isList(path) || isBundle(path)
  // By person: who signs in again has no more of them. Of an agent 10,000 calls may wait, each on a stream of its own.
  if (asker.kind === 'person') return isLong || isStream(path) ? `person ${asker.voter.id}` : undefined
  return isLong ? `agent ${asker.agent}` : undefined
}

function tooMany(asker: Asker | undefined): Fault {
  if (asker === undefined) {
    return new Fault('too_many_requests', `${openReadingsMax} bundles of records are being read at once`, {
      fix: 'Ask again in a while, and for a few at a time.',
      retryAfterSeconds: 5,
    })
  }
  return new Fault(
    'too_many_requests',
    `${openRequestsMax} lists or streams that you asked for are still open`,
    {
      fix: 'Read them to their ends or close them, such as by closing pages of the console; then ask again.',
      retryAfterSeconds: 5,
    },
  )
}
