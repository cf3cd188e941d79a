import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What is done to an answer's bytes on the way. */
export type Tamper = (path: string, body: Buffer) => Buffer

/** Between a reader of the log and the service: passes everything on, and changes answers as it is told to. */
export interface TamperingProxy {
  readonly url: string
  /** From here on, answers go through this; without it, as they are. Returns how many it has changed since. */
  tamper(change?: Tamper): () => number
  close(): Promise<void>
}

/** Starts a proxy in front of a service. */
export async function tamperingProxy(serviceUrl: string): Promise<TamperingProxy> {
  let change: Tamper = (_, body) => body
  let changed = 0
  const server = createServer((request, response) => {
    void (async () => {
      const path = request.url ?? '/'
      const { authorization } = request.headers
      const headers: Record<string, string> = authorization === undefined ? {} : { authorization }
      const answer = await fetch(serviceUrl + path, { headers })
      const body = Buffer.from(await answer.arrayBuffer())
      const passed = answer.ok ? change(path, body) : body
      if (!passed.equals(body)) changed += 1
      response
        .writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' })
        .end(passed)
    })()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    tamper: (next = (_, body) => body) => {
      change = next
      changed = 0
      return () => changed
    },
    close: () => new Promise((resolve) => void server.close(() => resolve())),
  }
}
