import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { vi } from 'vitest'
import { Ledger, type LedgerOptions } from '../../src/ledger.ts'
import type { LedgerSite } from './ledger.ts'

/** A request of another process, as it came over the wire. */
export interface PeerMessage {
  readonly authorization: string
  readonly body: Buffer
}

/** What a test does to a message of another process on its way to a replica. */
export type Meddle = (
  message: PeerMessage,
  answer: () => Promise<Response>,
) => Promise<Response | 'hang up' | 'never'>

/** A process among several on one ledger: a ledger of its own, reached over HTTP. */
export interface Replica {
  readonly ledger: Ledger
  readonly url: string
  /** How many messages of others have come. */
  readonly messages: readonly PeerMessage[]
  /** From here on, does this to each message. */
  meddle(how: Meddle): void
  /** Nobody is at home any more, though the ledger has not been closed: connections are refused. */
  shut(): Promise<void>
  close(): Promise<void>
}

/** How a replica is opened. */
export type ReplicaOptions = Pick<LedgerOptions, 'policies'> &
  Partial<Pick<LedgerOptions, 'ledger' | 'lookups' | 'env' | 'consoleUrl' | 'now' | 'databaseClock'>> & {
    readonly replyMs?: number
    /** Long where it is absent: a machine that is busy must not make a test's sequencer seem hung. */
    readonly staleMs?: number
  }

/** Opens the ledger as another process would that others reach over HTTP. */
export async function openReplica(site: LedgerSite, options: ReplicaOptions): Promise<Replica> {
  const messages: PeerMessage[] = []
  let meddle: Meddle = (_message, answer) => answer()
  let answerPeer: (request: Request) => Promise<Response> = () => Promise.reject(new Error('not open yet'))
  const server = createServer((request, response) => {
    void readBody(request).then(async (body) => {
      const message = { authorization: request.headers.authorization ?? '', body }
      messages.push(message)
      const asked = new Request(`http://replica${request.url ?? ''}`, {
        method: 'POST',
        headers: { authorization: message.authorization, 'content-length': String(body.length) },
        body: new Uint8Array(body),
      })
      const answer = await meddle(message, () => answerPeer(asked))
      if (answer === 'hang up') request.socket.destroy()
      else if (answer !== 'never') await send(answer, response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { replyMs, staleMs = 60_000, ...given } = options
  const ledger = await Ledger.open({
    connection: site.database.config,
    dataDir: site.dataDir,
    consoleUrl: 'http://console.test',
    now: site.clock.now,
    ...given,
    peers: { url, replyMs, staleMs },
  })
  answerPeer = (request) => ledger.answerPeer(request)
  const shut = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return {
    ledger,
    url,
    messages,
    meddle: (how) => {
      meddle = how
    },
    shut,
    close: async () => {
      await ledger.close()
      await shut()
    },
  }
}

/** Waits until there is a sequencer among these and all others send to it; the sequencer, then the others. */
export async function settled(replicas: readonly Replica[]): Promise<readonly [Replica, ...Replica[]]> {
  return await vi.waitFor(
    () => {
      const leading = replicas.filter(({ ledger }) => ledger.role === 'sequencer')
      const following = replicas.filter(({ ledger }) => ledger.role === 'follower')
      const [first] = leading
      if (first === undefined || leading.length !== 1 || following.length !== replicas.length - 1) {
        throw new Error(`they are ${replicas.map(({ ledger }) => ledger.role).join(', ')}`)
      }
      return [first, ...following] as const
    },
    { timeout: 15_000, interval: 10 },
  )
}

/** Opens so many replicas of one ledger, and waits until they have settled. */
export async function openSettled(
  site: LedgerSite,
  count: number,
  options: ReplicaOptions,
): Promise<readonly Replica[]> {
  const replicas: Replica[] = []
  for (let each = 0; each < count; each++) replicas.push(await openReplica(site, options))
  return await settled(replicas)
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part)
  return Buffer.concat(parts)
}

async function send(answer: Response, response: ServerResponse): Promise<void> {
  response.writeHead(answer.status, Object.fromEntries(answer.headers))
  response.end(Buffer.from(await answer.arrayBuffer()))
}
