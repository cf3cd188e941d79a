import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A request as a receiver got it. */
export interface Received {
  readonly headers: Readonly<Record<string, string>>
  readonly path: string
  readonly body: string
}

/** Somebody who is told over real HTTP. */
export class Receiver {
  readonly received: Received[] = []
  /** What it answers at a path, one after the other; 204 when there is nothing left. */
  readonly answers: {
    readonly path: string
    readonly status: number
    readonly headers?: Readonly<Record<string, string>>
  }[] = []
  host = ''
  readonly #server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString()
    })
    request.on('end', () => {
      this.received.push({ headers: plain(request.headers), path: request.url ?? '', body })
      const at = this.answers.findIndex(({ path }) => path === request.url)
      const { status, headers = {} } = (at === -1 ? undefined : this.answers.splice(at, 1)[0]) ?? {
        status: 204,
      }
      response.writeHead(status, headers).end()
    })
  })

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => {
      this.#server.listen(0, '127.0.0.1', resolve)
    })
    this.host = `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
    return this
  }

  close(): Promise<unknown> {
    return new Promise((resolve) => {
      this.#server.close(resolve)
      this.#server.closeAllConnections()
    })
  }
}

function plain(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
}
