import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { LookupNeed, LookupResult } from '@bailiwick/core'
import { createLookups, type LookupPorts, type Lookups } from '../../src/lookup/lookups.ts'
import { lookupSettings } from '../../src/lookup/settings.ts'

type HttpNeed = Extract<LookupNeed, { kind: 'http' }>
type SqlNeed = Extract<LookupNeed, { kind: 'sql' }>

/** A need for the fact `tier` from an address. */
export function httpNeed(url: string, over: Partial<HttpNeed> = {}): HttpNeed {
  return { kind: 'http', fact: 'tier', url, select: [], timeoutMs: 5_000, cacheMs: 0, ...over }
}

/** A need for the fact `open_orders` from the source `orders`. */
export function sqlNeed(text: string, over: Partial<SqlNeed> = {}): SqlNeed {
  return {
    kind: 'sql',
    fact: 'open_orders',
    source: 'orders',
    text,
    args: [],
    timeoutMs: 5_000,
    cacheMs: 0,
    ...over,
  }
}

/** What one need comes to. */
export async function only(lookups: Lookups, need: LookupNeed): Promise<LookupResult | undefined> {
  const found = await lookups.gather([need])
  return found.get(need.fact)
}

/** Looks things up where these variables allow it. */
export function lookupsFor(env: Readonly<Record<string, string>>, ports: Partial<LookupPorts> = {}): Lookups {
  return createLookups(lookupSettings(env), ports)
}

/** An environment that allows private origins. */
export function allowing(...origins: readonly string[]): { readonly BAILIWICK_LOOKUP_HOSTS: string } {
  const hosts = Object.fromEntries(origins.map((origin) => [origin, { private: true }]))
  return { BAILIWICK_LOOKUP_HOSTS: JSON.stringify(hosts) }
}

/** HTTP servers of one test. */
export class Servers {
  readonly #running: Server[] = []

  /** Starts one on loopback and gives its origin. */
  async start(answer: RequestListener): Promise<string> {
    const server = createServer(answer)
    this.#running.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  /** One that answers everything with this JSON. */
  startAnswering(value: unknown): Promise<string> {
    return this.start((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
    })
  }

  async stop(): Promise<void> {
    for (const server of this.#running.splice(0)) {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  }
}
