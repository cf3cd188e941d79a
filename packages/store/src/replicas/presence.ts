import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { inSchema } from '../migrate.ts'
import {
  channelOf,
  endHolder,
  leaveLease,
  peerSecret,
  readLease,
  renewLease,
  takeLease,
  type Lease,
  type PeerAddress,
} from './lease.ts'

/** How often the sequencer shows that it lives, and the others look whether it does. */
const stepMs = 500
/** A statement that takes longer has met a database, or a network, that hangs. */
const statementMsMax = 2_000

/** The process that takes the operations of others. */
export interface Leader {
  readonly holder: string
  readonly url: string
}

/** What a process's presence among others is made of. */
export interface PresenceOptions {
  readonly connection: pg.ClientConfig
  readonly ledger: string
  /** Without an address others cannot send their operations, so this process is never the sequencer. */
  readonly address: PeerAddress | undefined
  /** Which machine this is: an address that is good on another one only is none. */
  readonly machine: string
  /** A sequencer that has not shown itself for so long is taken for hung, in milliseconds. */
  readonly staleMs: number
  /** Hears what other processes say; undefined once for each connection: something may have been missed. */
  heard(message: string | undefined): void
  /** Told when somebody else, or nobody, is the sequencer. */
  changed(): void
  log(line: string): void
}

/**
 * One process among those that have a ledger open: it is the sequencer if nobody else is, knows who is otherwise, and
 * hears what others say. All of that hangs on one connection: when it ends, the lock goes with it.
 *
 * Nothing depends on its being right. Two that hold themselves for the sequencer fence each other's batches.
 */
export class Presence {
  readonly #options: PresenceOptions
  #client: pg.Client | undefined
  #secret: Buffer | undefined
  #leading: string | undefined
  /** When the row last said that this process is the sequencer. */
  #renewedAt = 0
  #leader: Leader | undefined
  /** A holder that looked hung at the last step. */
  #hung: string | undefined
  #stopped = false
  #aside = false
  #lookNow: (() => void) | undefined
  #running: Promise<void> | undefined
  #lastTrouble = ''

  constructor(options: PresenceOptions) {
    this.#options = options
  }

  /** Begins; nothing is waited for. Until it has found out more, nobody is the sequencer. */
  start(): void {
    this.#running ??= this.#run()
  }

  /** The name under which this process is the sequencer; undefined where it is not, or may no longer be. */
  get leading(): string | undefined {
    return performance.now() - this.#renewedAt < this.#options.staleMs ? this.#leading : undefined
  }

  /** Another process that is the sequencer and can be reached, as far as is known. */
  get leader(): Leader | undefined {
    return this.#leader
  }

  /** What the ledger's processes know each other by; undefined before the first connection. */
  get secret(): Buffer | undefined {
    return this.#secret
  }

  /** Whether what others say is heard. */
  get hears(): boolean {
    return this.#client !== undefined
  }

  /** Is not the sequencer, and does not become it, until told otherwise. It takes nothing of others from now on. */
  standAside(aside: boolean): void {
    this.#aside = aside
    if (aside && this.#leading !== undefined) this.#drop()
    this.look()
  }

  /** Finds out again who is the sequencer, soon. */
  look(): void {
    this.#lookNow?.()
  }

  /** Says something to the other processes, as far as they can be reached. */
  async say(message: string): Promise<void> {
    await this.#client?.query('select pg_notify($1, $2)', [channelOf(this.#options.ledger), message])
  }

  /** Is the sequencer no longer, if it was, and tells the others, who need not wait until they notice. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.look()
    await this.#running
    const client = this.#client
    const holder = this.#leading
    this.#leading = undefined
    this.#leader = undefined
    if (client === undefined) return
    try {
      if (holder !== undefined) {
        await leaveLease(client, this.#options.ledger, holder)
        await this.say(leaderChanged)
      }
    } catch (error) {
      // The lock goes with the connection, and the others notice by themselves.
      this.#trouble(error)
    }
    this.#client = undefined
    await client.end().catch((error: unknown) => this.#trouble(error))
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      try {
        await this.#step()
        this.#lastTrouble = ''
      } catch (error) {
        this.#drop()
        this.#trouble(error)
      }
      await this.#pause()
    }
  }

  #pause(): Promise<void> {
    if (this.#stopped) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, stepMs)
      timer.unref()
      this.#lookNow = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  async #step(): Promise<void> {
    const { ledger } = this.#options
    const address = this.#aside ? undefined : this.#options.address
    const client = (this.#client ??= await this.#connected())
    if (this.#leading !== undefined) {
      const asked = performance.now()
      if (await renewLease(client, ledger, this.#leading)) this.#renewedAt = asked
      // Somebody else has taken over. Letting go of the connection lets go of a lock that it may still hold.
      else this.#drop()
      return
    }
    if (address !== undefined && (await this.#take(client, address))) return
    const lease = await readLease(client, ledger)
    this.#follow(lease)
    await this.#endHung(client, lease)
  }

  async #take(client: pg.Client, address: PeerAddress): Promise<boolean> {
    const holder = randomUUID()
    const asked = performance.now()
    if (!(await takeLease(client, this.#options.ledger, holder, address))) return false
    if (this.#aside) {
      this.#drop()
      return true
    }
    this.#leading = holder
    this.#renewedAt = asked
    this.#leader = undefined
    this.#hung = undefined
    this.#options.changed()
    await this.say(leaderChanged)
    return true
  }

  #follow(lease: Lease | undefined): void {
    const reachable =
      lease !== undefined &&
      lease.ageMs < this.#options.staleMs &&
      (lease.address.machine === null || lease.address.machine === this.#options.machine)
    const next = reachable ? { holder: lease.holder, url: lease.address.url } : undefined
    const changed = next?.holder !== this.#leader?.holder
    if (changed) this.#leader = next
    if (changed) this.#options.changed()
  }

  // Seen twice: one that has just taken over had no time yet to say so.
  async #endHung(client: pg.Client, lease: Lease | undefined): Promise<void> {
    const hung = lease !== undefined && lease.ageMs >= this.#options.staleMs ? lease.holder : undefined
    const again = hung === this.#hung
    this.#hung = hung
    if (hung === undefined || !again || this.#options.address === undefined) return
    // Where the database does not permit it, its keepalives end the connection of a dead host, but not of a hung one:
    // until then everybody writes by himself.
    await endHolder(client, this.#options.ledger, hung).catch((error: unknown) => this.#trouble(error))
    this.look()
  }

  async #connected(): Promise<pg.Client> {
    const { connection, ledger } = this.#options
    const client = new pg.Client({
      ...inSchema(sessionSettings(connection)),
      keepAlive: true,
      // What is to be said to others does not wait for the step under way.
      pipeline: true,
      query_timeout: statementMsMax,
      connectionTimeoutMillis: statementMsMax,
    })
    // An idle client reports a lost server as `error`, and always says `end` after it.
    client.on('error', () => undefined)
    client.once('end', () => {
      if (this.#client === client) this.#drop()
    })
    client.on('notification', ({ payload }) => {
      if (payload === leaderChanged) this.look()
      else this.#options.heard(payload ?? '')
    })
    try {
      await client.connect()
      this.#secret ??= await peerSecret(client, ledger)
      await client.query(`listen ${channelOf(ledger)}`)
    } catch (cause) {
      await client.end().catch(() => undefined)
      throw cause
    }
    this.#options.heard(undefined)
    return client
  }

  #drop(): void {
    const client = this.#client
    const led = this.#leading !== undefined
    this.#client = undefined
    this.#leading = undefined
    this.#hung = undefined
    client?.end().catch((error: unknown) => this.#trouble(error))
    if (led) this.#options.changed()
    if (led) this.look()
  }

  // The same trouble twice a second is one line, not thousands.
  #trouble(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error)
    if (message !== this.#lastTrouble) this.#options.log(`replicas: ${message}; trying again`)
    this.#lastTrouble = message
  }
}

const leaderChanged = 'leader'

// The server ends a connection whose host has died within seconds, and its lock with it. What this connection writes
// need not be on disk: a heartbeat that a crash loses is one that nobody asks for.
function sessionSettings(config: pg.ClientConfig): pg.ClientConfig {
  const settings = [
    'idle_session_timeout=0',
    'tcp_keepalives_idle=2',
    'tcp_keepalives_interval=1',
    'tcp_keepalives_count=3',
    'tcp_user_timeout=5000',
    'synchronous_commit=off',
  ]
  return { ...config, options: `${config.options ?? ''} ${settings.map((each) => `-c ${each}`).join(' ')}` }
}
