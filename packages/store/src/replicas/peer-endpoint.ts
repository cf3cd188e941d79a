import { peerMacHeader, sealedReply, type PeerReply } from './forwarder.ts'
import { isAnnounced, isRequest, readAuthorization, TakenMessages, type PeerStamp } from './peer-auth.ts'
import {
  faultAnswer,
  peerVersion,
  type PeerAnswer,
  type PeerRefusal,
  type PeerRequest,
} from './peer-requests.ts'

/** A request's body may be so long; other processes send about an eighth of it. */
const bodyBytesMax = 8 * 1024 * 1024
const operationsMax = 1_024

/** What the endpoint takes from its process. */
export interface EndpointPorts {
  secret(): Buffer | undefined
  /** The name under which this process is the sequencer; undefined where it is not. */
  leading(): string | undefined
  /** Does an operation in this process; a refusal where it must not. Throws, or rejects, as the operation does. */
  perform(request: PeerRequest): Promise<unknown> | PeerRefusal
}

/** Where the sequencer takes the operations of other processes. Everything about a request is doubted but its MAC. */
export class PeerEndpoint {
  readonly #ports: EndpointPorts
  readonly #taken = new TakenMessages()

  constructor(ports: EndpointPorts) {
    this.#ports = ports
  }

  /**
   * Does what is asked for, and answers once all of it is done. An answer without `bailiwick-peer-mac` says nothing
   * about what became of the operations; it goes to those who have not shown that they know the secret.
   */
  async answer(request: Request): Promise<Response> {
    const claimed = readAuthorization(request.headers.get('authorization') ?? undefined)
    const secret = this.#ports.secret()
    const length = Number(request.headers.get('content-length') ?? Number.NaN)
    if (request.method !== 'POST') return plain(405)
    if (claimed === undefined || secret === undefined) return plain(401)
    if (!isAnnounced(secret, claimed)) return plain(401)
    if (length !== claimed.length || length > bodyBytesMax) return plain(413)
    const body = Buffer.from(await request.arrayBuffer())
    if (!isRequest(secret, claimed.stamp, body, claimed.mac)) return plain(401)
    const { body: reply, mac } = sealedReply(secret, claimed.stamp, await this.#reply(claimed.stamp, body))
    const headers = { 'content-type': 'application/json', 'cache-control': 'no-store', [peerMacHeader]: mac }
    return new Response(new Uint8Array(reply), { headers })
  }

  async #reply(stamp: PeerStamp, body: Buffer): Promise<PeerReply> {
    // Also what is taken for a second time: its first answer may be on its way still, and nobody may act on another.
    if (stamp.holder !== this.#ports.leading()) return { kind: 'refused', why: 'not_sequencer' }
    if (!this.#taken.take(stamp)) return { kind: 'answers', answers: [] }
    const read = readBatch(body)
    if (typeof read === 'string') return { kind: 'refused', why: read }
    return { kind: 'answers', answers: await Promise.all(read.map((each) => this.#perform(each))) }
  }

  async #perform(request: PeerRequest): Promise<PeerAnswer> {
    try {
      const done = this.#ports.perform(request)
      if (typeof done === 'string') return { kind: 'refused', why: done }
      return { kind: 'answer', answer: await done }
    } catch (error) {
      return faultAnswer(error)
    }
  }
}

function readBatch(body: Buffer): readonly PeerRequest[] | 'other_version' | 'unreadable' {
  try {
    const batch = JSON.parse(body.toString('utf8')) as {
      version: unknown
      operations: readonly PeerRequest[]
    }
    if (batch.version !== peerVersion) return 'other_version'
    return Array.isArray(batch.operations) && batch.operations.length <= operationsMax
      ? batch.operations
      : 'unreadable'
  } catch {
    return 'unreadable'
  }
}

function plain(status: number): Response {
  return new Response(null, { status })
}
