import { createHash, randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { Fault } from '@bailiwick/core'
import type pg from 'pg'
import type { Operation, Sequencer } from '../log/sequencer.ts'
import { Forwarder } from './forwarder.ts'
import { GrowthFeed } from './growth.ts'
import { PeerEndpoint } from './peer-endpoint.ts'
import {
  requestedOperation,
  type Deciding,
  type Forwardable,
  type PeerRefusal,
  type PeerRequest,
} from './peer-requests.ts'
import { Presence, type Leader } from './presence.ts'

/** How a process works together with others that have the same ledger open. */
export interface PeerOptions {
  /**
   * Where others reach this process; whoever listens there hands requests to `Ledger.answerPeer`. Without it this
   * process is never the ledger's sequencer, and sends its operations to whoever is. A loopback address is used on
   * this machine only.
   */
  readonly url?: string | undefined
  /** How long to wait for the sequencer's answer, in milliseconds. Default 5,000. */
  readonly replyMs?: number | undefined
  /** After how long without a sign of life another process takes the sequencer for hung. Default 2,000. */
  readonly staleMs?: number | undefined
  /** Told of trouble with the database that keeps this process from knowing the others. */
  readonly log?: ((line: string) => void) | undefined
}

/** What a replicated writer is made of. */
export interface ReplicatedWriterOptions extends Deciding {
  readonly sequencer: Sequencer
  readonly connection: pg.ClientConfig
  readonly pool: pg.Pool
  readonly ledger: string
}

const replyMsDefault = 5_000
const staleMsDefault = 2_000
/** How often a process that does not write takes note of what others have written. */
const followMs = 1_000

/**
 * Writes to a ledger that several processes have open. One of them is the sequencer; the others send it what their
 * callers ask for, and write by themselves where they cannot: nobody answers, or it holds another policy. Either
 * way the compare-and-swap on the head is what keeps the log in one order. Who is the sequencer matters for speed
 * alone: processes that all write fence each other's batches.
 */
export class ReplicatedWriter {
  readonly growth: GrowthFeed
  readonly #options: ReplicatedWriterOptions
  readonly #self = randomUUID()
  #presence: Presence | undefined
  #forwarder: Forwarder | undefined
  #endpoint: PeerEndpoint | undefined
  #following: NodeJS.Timeout | undefined
  #aside = false
  /** By which policies the sequencer does not decide as this process does, and which sequencer that is. */
  readonly #otherPolicy = new Map<string | null, string>()

  constructor(options: ReplicatedWriterOptions) {
    this.#options = options
    this.growth = new GrowthFeed(this.#self)
  }

  /** Begins to work together with others. Waits for nobody: until they are known, this process writes by itself. */
  async join(peers: PeerOptions): Promise<void> {
    const { connection, ledger } = this.#options
    const machine = await thisMachine()
    const { url, replyMs = replyMsDefault, staleMs = staleMsDefault, log = () => undefined } = peers
    const presence = new Presence({
      connection,
      ledger,
      address: url === undefined ? undefined : { url, machine: isLoopback(url) ? machine : null },
      machine,
      staleMs,
      heard: (message) => this.growth.heard(message),
      changed: () => this.#otherPolicy.clear(),
      log,
    })
    this.#forwarder = new Forwarder({
      self: this.#self,
      leader: () => presence.leader,
      secret: () => presence.secret,
      missed: () => presence.look(),
      replyMs,
    })
    this.#endpoint = new PeerEndpoint({
      secret: () => presence.secret,
      leading: () => presence.leading,
      perform: (request) => this.#perform(request),
    })
    presence.standAside(this.#aside)
    this.#presence = presence
    this.growth.tellBy((message) => presence.say(message))
    this.#followOn()
    presence.start()
  }

  /** Whether growth of the log in other processes is heard of, so that looking for it can be rare. */
  get hears(): boolean {
    return this.#presence?.hears ?? false
  }

  /** Whether this process is the ledger's sequencer, as far as it knows. */
  get leads(): boolean {
    return this.#presence?.leading !== undefined
  }

  /** The process that this one sends its operations to, if there is one. */
  get leader(): Leader | undefined {
    return this.#forwarder?.target
  }

  /**
   * Does the operation, here or in the sequencer, and answers once it is durable.
   *
   * @param asked the same operation as another process can be asked for it; without it, it is done here
   * @throws Fault `store_busy` (nothing was recorded), `store_unavailable` (`recorded` says what is known), or the
   *   operation's own
   */
  submit<Answer>(operation: Operation<Answer>, asked?: () => Forwardable<Answer>): Promise<Answer> {
    const target = this.#forwarder?.target
    // Another process does not know by which key the caller was let in.
    const isHere = asked === undefined || operation.key !== undefined
    if (target === undefined || isHere) return this.#options.sequencer.submit(operation)
    return this.#forward(operation, asked(), target)
  }

  /** Answers what another process asks of the sequencer. */
  async answerPeer(request: Request): Promise<Response> {
    return (await this.#endpoint?.answer(request)) ?? new Response(null, { status: 404 })
  }

  /** Writes for nobody else, and does not become the sequencer, until told otherwise; others are told so. */
  standAside(aside: boolean): void {
    this.#aside = aside
    this.#presence?.standAside(aside)
  }

  /** Takes no operations of others any more, lets another be the sequencer, and waits for what was sent. */
  async leave(): Promise<void> {
    clearTimeout(this.#following)
    this.#following = undefined
    this.growth.close()
    await this.#presence?.stop()
    await this.#forwarder?.close()
  }

  async #forward<Answer>(
    operation: Operation<Answer>,
    asked: Forwardable<Answer>,
    { holder }: Leader,
  ): Promise<Answer> {
    const { text, policy } = asked
    const byOther = policy !== undefined && this.#otherPolicy.get(policy) === holder
    const outcome = byOther ? notTaken : await (this.#forwarder?.send(text) ?? notTaken)
    switch (outcome.kind) {
      case 'answer':
        return asked.answer(outcome.answer)
      case 'fault': {
        const { code, message, fix, recorded } = outcome
        throw new Fault(code, message, { fix, recorded })
      }
      // Certainly not recorded: so it is not recorded twice.
      case 'refused':
        if (outcome.why === 'other_policy' && policy !== undefined) this.#otherPolicy.set(policy, holder)
        return await this.#options.sequencer.submit(operation)
      case 'not_taken':
        return await this.#options.sequencer.submit(operation)
    }
  }

  #perform(request: PeerRequest): Promise<unknown> | PeerRefusal {
    const operation = requestedOperation(request, this.#options)
    return typeof operation === 'string' ? operation : this.#options.sequencer.submit(operation)
  }

  // Who takes over must not have to follow the log from where it last wrote.
  #followOn(): void {
    this.#following = setTimeout(() => {
      const { sequencer, pool } = this.#options
      const followed = this.leads ? Promise.resolve() : sequencer.follow(pool)
      followed
        // The next batch, which meets the same, says so to its callers.
        .catch(() => undefined)
        .finally(() => {
          if (this.#following !== undefined) this.#followOn()
        })
    }, followMs).unref()
  }
}

const notTaken = { kind: 'not_taken' } as const

// Loopback addresses mean another machine on each, and container hosts share a kernel but not their addresses.
async function thisMachine(): Promise<string> {
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')
  return createHash('sha256').update(`${boot}\n${hostname()}`).digest('hex').slice(0, 32)
}

function isLoopback(url: string): boolean {
  const { hostname: host } = new URL(url)
  return host === 'localhost' || host.startsWith('127.') || host === '[::1]'
}
