import http from 'node:http'
import https from 'node:https'

/** What became of a request to another process. */
export type PostResult =
  | {
      readonly kind: 'reply'
      readonly body: Buffer
      readonly header: (name: string) => string | undefined
    }
  /** Not a byte of it has left: the other process cannot know of it. */
  | { readonly kind: 'not_sent'; readonly why: string }
  /** It may have been received and done. */
  | { readonly kind: 'lost'; readonly why: string }

/** How long things may take, in milliseconds. */
export interface PostTimeouts {
  readonly connectMs: number
  readonly replyMs: number
}

/** Idle connections are closed before the other side closes them: a request must not cross its end on the way. */
const idleMs = 2_000
const replyBytesMax = 32 * 1024 * 1024

/** Sends requests to one address over a few connections that are kept. */
export class PeerConnections {
  readonly #url: URL
  readonly #agent: http.Agent | https.Agent
  readonly #isTls: boolean

  /** @throws where the address is none, or not of HTTP */
  constructor(url: string, connectionsMax: number) {
    this.#url = new URL(url)
    const { protocol } = this.#url
    if (protocol !== 'http:' && protocol !== 'https:') throw new TypeError(`no address of HTTP: ${protocol}`)
    this.#isTls = protocol === 'https:'
    const options = { keepAlive: true, maxSockets: connectionsMax, timeout: idleMs }
    this.#agent = this.#isTls ? new https.Agent(options) : new http.Agent(options)
  }

  /** Posts once; whatever happens, the request is not sent again. */
  post(path: string, authorization: string, body: Buffer, timeouts: PostTimeouts): Promise<PostResult> {
    return new Promise((resolve) => {
      let sent = false
      const headers = { 'content-type': 'application/json', 'content-length': body.length, authorization }
      const send = this.#isTls ? https.request : http.request
      // Redirects are not followed: the operation would go to somebody whom nobody named.
      const request = send(new URL(path, this.#url), { method: 'POST', agent: this.#agent, headers })
      const failed = (why: string): void => {
        clearTimeout(connecting)
        clearTimeout(waiting)
        resolve({ kind: sent ? 'lost' : 'not_sent', why })
        request.destroy()
      }
      const connecting = setTimeout(() => {
        if (!sent) failed('it cannot be connected to')
      }, timeouts.connectMs)
      const waiting = setTimeout(() => failed('it does not answer'), timeouts.replyMs)
      request.once('socket', (socket) => {
        // Nothing is written before the connection stands; from then on, anything may have been.
        if (!socket.connecting) sent = true
        else socket.once(this.#isTls ? 'secureConnect' : 'connect', () => (sent = true))
      })
      request.on('error', (error) => failed(error.message))
      request.once('response', (response) => {
        sent = true
        readWhole(response).then((whole) => {
          clearTimeout(connecting)
          clearTimeout(waiting)
          resolve({ kind: 'reply', body: whole, header: (name) => headerOf(response, name) })
        }, failedWith(failed))
      })
      request.end(body)
    })
  }

  /** Closes the connections that carry nothing. One that carries a request closes soon after its answer. */
  closeIdle(): void {
    for (const sockets of Object.values(this.#agent.freeSockets)) {
      for (const socket of sockets ?? []) socket.destroy()
    }
  }
}

function failedWith(failed: (why: string) => void): (error: unknown) => void {
  return (error) => failed(error instanceof Error ? error.message : String(error))
}

function headerOf({ headers }: http.IncomingMessage, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' ? value : undefined
}

async function readWhole(response: http.IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  let length = 0
  for await (const part of response as AsyncIterable<Buffer>) {
    length += part.length
    if (length > replyBytesMax) throw new Error('its answer is too long')
    parts.push(part)
  }
  return Buffer.concat(parts, length)
}
