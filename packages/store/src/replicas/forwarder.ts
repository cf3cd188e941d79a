import { Fault } from '@bailiwick/core'
import { isReply, replyMac, requestAuthorization, type PeerStamp } from './peer-auth.ts'
import { PeerConnections, type PostResult } from './peer-post.ts'
import { peerVersion, type PeerAnswer } from './peer-requests.ts'
import type { Leader } from './presence.ts'

/** Where the sequencer takes operations of others. */
export const peerPath = '/internal/v1/operations'
/** The header that proves that an answer is the sequencer's. */
export const peerMacHeader = 'bailiwick-peer-mac'

const requestsInFlightMax = 4
const operationsMax = 256
/** A request of more text than this, in UTF-16 units, takes no further operation. */
const textMax = 1024 * 1024
const queueMax = 20_000
const connectMs = 1_000
/**
 * A sequencer that has answered nothing for so long, though something waits for it, gets nothing new meanwhile. One that
 * is slow and answers goes on getting all: to write beside it would fence its batches and make it slower.
 */
const silentMs = 1_500
/** For how long nothing is sent to a sequencer that could not be reached. */
const avoidMs = 1_000

/** What became of an operation that was given to the sequencer. */
export type Forwarded =
  | PeerAnswer
  /** It was not recorded, for certain: it may be done in another way. */
  | { readonly kind: 'not_taken' }

/** What a forwarder takes from the outside. */
export interface ForwarderPorts {
  /** A name that no other process has. */
  readonly self: string
  /** Who is the sequencer, just now; undefined where it is this process, or not known. */
  leader(): Leader | undefined
  secret(): Buffer | undefined
  /** The sequencer did not take what it was sent: another may be by now. */
  missed(): void
  /** How long to wait for the sequencer's answer, in milliseconds. */
  readonly replyMs: number
}

interface Waiting {
  readonly text: string
  readonly resolve: (outcome: Forwarded) => void
}

/**
 * Sends operations to the ledger's sequencer: those of one turn of the event loop together, a few requests at a time.
 *
 * Every operation is sent at most once. Its caller gets the answer, or hears that it was certainly not recorded, or
 * gets a `Fault` that says that nobody knows.
 */
export class Forwarder {
  readonly #ports: ForwarderPorts
  #queue: Waiting[] = []
  #inFlight = 0
  #scheduled = false
  #number = 0
  /** When the requests that are on their way were sent, the oldest first. */
  readonly #sentAt = new Set<{ readonly at: number }>()
  #answeredAt = 0
  #avoid: { readonly holder: string; readonly until: number } | undefined
  #connections: { readonly url: string; readonly to: PeerConnections } | undefined
  #idle: (() => void) | undefined

  constructor(ports: ForwarderPorts) {
    this.#ports = ports
  }

  /** Whom an operation would be sent to, if it came now. */
  get target(): Leader | undefined {
    const leader = this.#ports.leader()
    if (leader === undefined) return undefined
    const now = performance.now()
    if (this.#avoid?.holder === leader.holder && now < this.#avoid.until) return undefined
    const [oldest] = this.#sentAt
    const silentFor = oldest === undefined ? 0 : now - Math.max(oldest.at, this.#answeredAt)
    return silentFor > silentMs ? undefined : leader
  }

  /**
   * Sends a request, which is JSON.
   *
   * @throws Fault `store_busy` where too many operations wait: nothing was recorded
   */
  send(text: string): Promise<Forwarded> {
    if (this.#queue.length >= queueMax) {
      const fault = new Fault(
        'store_busy',
        'too many operations wait for the sequencer; nothing was recorded',
        {
          fix: 'Try again after a second.',
          recorded: 'no',
        },
      )
      return Promise.reject(fault)
    }
    return new Promise((resolve) => {
      this.#queue.push({ text, resolve })
      if (this.#scheduled || this.#inFlight >= requestsInFlightMax) return
      // The turn of the event loop lets the callers of a burst gather in one request.
      this.#scheduled = true
      setImmediate(() => {
        this.#scheduled = false
        this.#pump()
      })
    })
  }

  /** Waits for everything that was given to it, then closes the connections. */
  async close(): Promise<void> {
    if (this.#queue.length > 0 || this.#inFlight > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve
      })
    }
    this.#connections?.to.closeIdle()
  }

  #pump(): void {
    while (this.#queue.length > 0 && this.#inFlight < requestsInFlightMax) {
      const leader = this.target
      const secret = this.#ports.secret()
      const batch = this.#take()
      if (leader === undefined || secret === undefined) {
        for (const { resolve } of batch) resolve({ kind: 'not_taken' })
        continue
      }
      this.#inFlight += 1
      void this.#sendBatch(leader, secret, batch)
    }
    if (this.#queue.length === 0 && this.#inFlight === 0) this.#idle?.()
  }

  // All who wait: the sequencer divides them into batches by itself, and does that best where it sees them together.
  #take(): Waiting[] {
    let count = 0
    let length = 0
    for (const { text } of this.#queue) {
      if (count >= operationsMax || length > textMax) break
      count += 1
      length += text.length
    }
    return this.#queue.splice(0, count)
  }

  async #sendBatch(leader: Leader, secret: Buffer, batch: readonly Waiting[]): Promise<void> {
    const stamp = { holder: leader.holder, sender: this.#ports.self, number: ++this.#number }
    const sent = { at: performance.now() }
    this.#sentAt.add(sent)
    const operations = batch.map(({ text }) => text).join(',')
    const body = Buffer.from(`{"version":${peerVersion},"operations":[${operations}]}`)
    const result = await this.#post(leader.url, requestAuthorization(secret, stamp, body), body)
    if (result.kind === 'reply') this.#answeredAt = performance.now()
    this.#settle(batch, leader, outcomes(result, secret, stamp, batch.length))
    this.#sentAt.delete(sent)
    this.#inFlight -= 1
    this.#pump()
  }

  #post(url: string, authorization: string, body: Buffer): Promise<PostResult> {
    let connections: PeerConnections
    try {
      connections = this.#connectionsTo(url)
    } catch {
      return Promise.resolve({ kind: 'not_sent', why: 'it has no address of HTTP' })
    }
    return connections.post(peerPath, authorization, body, { connectMs, replyMs: this.#ports.replyMs })
  }

  #settle(
    batch: readonly Waiting[],
    leader: Leader,
    outcome: readonly PeerAnswer[] | 'not_taken' | 'unknown',
  ): void {
    if (typeof outcome !== 'string') {
      for (const [at, { resolve }] of batch.entries()) resolve(outcome[at] ?? unknownAnswer)
      return
    }
    this.#avoid = { holder: leader.holder, until: performance.now() + avoidMs }
    this.#ports.missed()
    for (const { resolve } of batch) resolve(outcome === 'unknown' ? unknownAnswer : { kind: 'not_taken' })
  }

  #connectionsTo(url: string): PeerConnections {
    if (this.#connections?.url === url) return this.#connections.to
    const before = this.#connections?.to
    const to = new PeerConnections(url, requestsInFlightMax)
    this.#connections = { url, to }
    // What is on its way to the one before keeps its connection: it may be answered still.
    before?.closeIdle()
    return to
  }
}

// Only what the sequencer itself says is believed: that nothing was recorded, too.
function outcomes(
  result: PostResult,
  secret: Buffer,
  stamp: PeerStamp,
  count: number,
): readonly PeerAnswer[] | 'not_taken' | 'unknown' {
  if (result.kind === 'not_sent') return 'not_taken'
  if (result.kind === 'lost') return 'unknown'
  if (!isReply(secret, stamp, result.body, result.header(peerMacHeader))) return 'unknown'
  const reply = readReply(result.body)
  if (reply?.kind === 'refused') return 'not_taken'
  return reply?.answers.length === count ? reply.answers : 'unknown'
}

// What bears the right MAC was written by a process of this ledger; if not by this version, all may be otherwise.
function readReply(body: Buffer): PeerReply | undefined {
  try {
    return JSON.parse(body.toString('utf8')) as PeerReply
  } catch {
    return undefined
  }
}

/** What the sequencer answers to a request: to each operation, or that it took none. */
export type PeerReply =
  | { readonly kind: 'answers'; readonly answers: readonly PeerAnswer[] }
  | { readonly kind: 'refused'; readonly why: 'not_sequencer' | 'other_version' | 'unreadable' }

/** A reply as it is sent. */
export function sealedReply(
  secret: Buffer,
  stamp: PeerStamp,
  reply: PeerReply,
): { readonly body: Buffer; readonly mac: string } {
  const body = Buffer.from(JSON.stringify(reply))
  return { body, mac: replyMac(secret, stamp, body) }
}

const unknownAnswer: PeerAnswer = {
  kind: 'fault',
  code: 'store_unavailable',
  message: 'the answer of the sequencer was lost; whether it was recorded is unknown',
  fix: 'Try again, with the same call id where there is one: what was recorded is answered again.',
  recorded: 'unknown',
}
