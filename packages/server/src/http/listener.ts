import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { Fault } from '@bailiwick/core'

/** Where to listen. */
export interface ListenOptions {
  /** The address to listen on. */
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** How patient to be with clients; for tests. */
  readonly patience?: Patience | undefined
}

/** How long clients may take, in milliseconds. A connection that takes longer is answered 408 and closed. */
export interface Patience {
  /** For the head of a request. */
  readonly headMs: number
  /** For all of a request, its body too. The answer may take longer: people are waited for. */
  readonly requestMs: number
  /** Between the end of an answer and the next request on its connection, which is then closed without a word. */
  readonly idleMs: number
  /** Without reading on, where something of an answer lies unread; then the connection is cut. */
  readonly silenceMs: number
  /** How often connections are looked at for the first two. */
  readonly lookMs: number
}

// Idle connections are kept longer than proxies and clients keep them, 60 s at most as a rule: whoever closes first must
// not be the service, or a request that is on its way just then has no answer, and its caller does not know why.
const patienceDefault: Patience = {
  headMs: 10_000,
  requestMs: 30_000,
  idleMs: 65_000,
  silenceMs: 120_000,
  lookMs: 2_000,
}

/** How large the head of a request may be, in bytes; larger is answered 431. */
const headBytesMax = 16 * 1024

/** A port that is taken, and what answers there. */
export interface Listener {
  readonly url: string
  readonly port: number
  /** From the next request on, this answers. */
  answerWith(answer: RequestListener): void
  /** Takes no more connections, gives requests under way a moment, then closes all. */
  close(): Promise<void>
}

/**
 * Takes the port. Until it is told what answers, every request is told to come back.
 *
 * @throws Fault `bad_input` where the port is taken or the address is none of this machine's
 */
export async function listen(options: ListenOptions): Promise<Listener> {
  const { headMs, requestMs, idleMs, silenceMs, lookMs } = options.patience ?? patienceDefault
  let answer: RequestListener = notReady
  /** The last answer on each connection. */
  const answers = new WeakMap<Socket, ServerResponse>()
  const server = createServer(
    {
      headersTimeout: headMs,
      requestTimeout: requestMs,
      keepAliveTimeout: idleMs,
      connectionsCheckingInterval: lookMs,
      maxHeaderSize: headBytesMax,
    },
    (incoming, outgoing) => {
      answers.set(incoming.socket, outgoing)
      answer(incoming, outgoing)
    },
  )
  server.timeout = silenceMs
  // Idle connections end so as well. Of whoever waits for an answer that takes long, such as an erasure, nothing lies unread.
  server.on('timeout', (socket: Socket) => {
    const isWaiting = answers.get(socket)?.writableFinished === false
    if (!isWaiting || socket.writableLength > 0) socket.destroy()
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => reject(portFault(options, cause)))
    server.listen(options.port, options.host, () => resolve())
  })
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: `http://${options.host.includes(':') ? `[${options.host}]` : options.host}:${port}`,
    answerWith: (next) => {
      answer = next
    },
    close: () => closed(server),
  }
}

/**
 * Where people on this machine reach it, for links: by the name `localhost`, unless it listens on one address that this name
 * does not stand for. Browsers bind passkeys to names only.
 */
export function localAddress({ url }: Pick<Listener, 'url'>): string {
  const { hostname, port } = new URL(url)
  return ['127.0.0.1', '[::1]', '0.0.0.0', '[::]'].includes(hostname) ? `http://localhost:${port}` : url
}

/** Answers while the service starts or stops: it lives, and can do nothing yet or any more. */
export const notReady: RequestListener = (incoming, outgoing) => {
  if (pathOf(incoming) === '/healthz') return end(outgoing, 200, { status: 'ok' }, 'application/json')
  outgoing.setHeader('retry-after', '1')
  const problem = {
    type: 'urn:bailiwick:problem:store_unavailable',
    title: 'Store unavailable',
    status: 503,
    detail: 'the service is starting or stopping',
    fix: 'Try again after a second.',
    // The request has not even been read.
    ...(incoming.method === 'POST' ? { recorded: 'no' } : {}),
  }
  end(outgoing, 503, problem, 'application/problem+json')
}

function end(outgoing: ServerResponse, status: number, body: object, type: string): void {
  const text = JSON.stringify(body)
  outgoing.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) }).end(text)
}

function pathOf({ url }: IncomingMessage): string | undefined {
  return url?.split('?', 1)[0]
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    // Streams and kept-alive connections never end by themselves; requests under way get a moment.
    server.closeIdleConnections()
    setTimeout(() => server.closeAllConnections(), 1_000).unref()
  })
}

function portFault({ host, port }: ListenOptions, cause: NodeJS.ErrnoException): Fault {
  const taken = cause.code === 'EADDRINUSE'
  return new Fault('bad_input', taken ? `port ${port} is taken` : `cannot listen on ${host}:${port}`, {
    fix: 'Choose another with --port or BAILIWICK_PORT.',
    cause,
  })
}
