import {
  emptyFrontier,
  encodeFrontier,
  Fault,
  instantText,
  RecordWriter,
  saltBytes,
  type Frontier,
  type Instant,
  type LogRecord,
  type Recorded,
} from '@bailiwick/core'
import pg from 'pg'
import { hasCode } from '../engine/errno.ts'
import { followHead, readStoredHead } from '../head.ts'
import { inSchema } from '../migrate.ts'
import { AdmissionLapsed, admittingKeys, readGoodKeys, type AdmittingKey } from './admission.ts'
import { appendBatch, type StagedBatch } from './append.ts'
import { BatchBytes } from './batch-bytes.ts'
import { Fold } from './fold.ts'
import { emptyMemory, type Memory } from './memory.ts'
import { noNeeds, type Needs } from './needs.ts'
import type { Queryable } from './batches.ts'
import { NotInThisBatch, type Operation } from './operation.ts'
import { readFold } from './read.ts'
import type { PayloadKey } from '../sealing/payload-key.ts'
import type { Sealer } from './seal-fold.ts'
import { Staging } from './staging.ts'

export type { Operation } from './operation.ts'

/** What the sequencer takes from the outside. */
export interface SequencerPorts {
  readonly connection: pg.ClientConfig
  readonly ledger: string
  now(): Instant
  /** Whether deadlines are held against the database's clock as well as `now`. */
  readonly databaseClock: boolean
  /** Whether a batch takes all who wait, also where they are many, and waits for those who are about to come. */
  readonly wholeBatches: boolean
  /** The master key, where payloads are to be sealed. */
  readonly payloadKey?: PayloadKey | undefined
  /** `size` cryptographically random bytes. */
  randomBytes(size: number): Buffer
  /** Called after each commit, before the callers get their answers. The records are made when they are asked for. */
  committed(head: Frontier, kinds: ReadonlySet<string>, records: () => readonly LogRecord[]): void
}

// The few statements of this connection are prepared once. Planning each batch anew, with its texts folded into
// the plan, costs more than the better plan saves (measured: an eighth of a batch's time).
function withGenericPlans(config: pg.ClientConfig): pg.ClientConfig {
  return { ...config, options: `${config.options ?? ''} -c plan_cache_mode=force_generic_plan -c jit=off` }
}

/** Batches that may be on their way at once; one connection, so they arrive in order. */
const batchesInFlightMax = 2
const batchOperationsMax = 512
/** Of so many callers, all that have come are put into one batch. */
const fewWaiting = 40
/** After so many answers the next batch is made up at once. */
const fewAnswered = 8
const queueMax = 20_000
const fencesMax = 50
/** For so long a batch that found the disk full speaks for the next one, in milliseconds. */
const fullMsMax = 10_000
const diskFull = '53100'

interface Waiting {
  readonly operation: Operation<unknown>
  readonly resolve: (answer: unknown) => void
  readonly reject: (error: unknown) => void
  fences: number
  /** What it is told once its batch has been committed. */
  answer: unknown
}

interface Prepared {
  readonly batch: StagedBatch
  readonly head: Frontier
  readonly bytes: BatchBytes
  readonly kinds: ReadonlySet<string>
  readonly records: () => readonly LogRecord[]
  /** Who is in the batch and not refused. */
  readonly waiting: readonly Waiting[]
  /** Who did not fit into the batch. */
  readonly left: readonly Waiting[]
}

/**
 * The one writer of a ledger in this process: it puts concurrent operations into batches, and each
 * batch is one statement gated by a compare-and-swap on the ledger's head (group commit).
 *
 * An answer is given only after its batch has been committed, so what was acknowledged is durable. Where
 * many callers wait, a batch takes half of them, so that this process works out one batch while
 * PostgreSQL commits another; unless it has other work meanwhile. Another process that writes to the same ledger makes a batch miss its
 * head; the batch is then worked out again from the new head. After an error of the database the
 * batch's callers get a `Fault`: whether it was written is unknown to them, so their calls do not run.
 */
export class Sequencer {
  readonly #ports: SequencerPorts
  readonly #writer: RecordWriter
  readonly #sealer: Sealer
  /** Memory for batches, while none of them uses it. */
  readonly #free: BatchBytes[] = []
  #client: pg.Client | undefined
  /** The statements that the connection knows. */
  #prepared = new Set<string>()
  /** What the next batch builds on: with the batches that are on their way. */
  #head: Frontier | undefined
  /** What has been read of counters and sessions, and is kept up with every batch. */
  readonly #memory: Memory = emptyMemory()
  /** The head that the memory is as of. It is good for a batch on this very head, and for no other. */
  #remembered: Frontier | undefined
  /** The last head that was certainly committed. */
  #committed: Frontier | undefined
  /** Whether a batch missed, or was not as of the committed head: then keys are judged before the next one. */
  #judgesKeys = false
  #queue: Waiting[] = []
  #inFlight = 0
  #waitingInFlight = 0
  #fenced: Waiting[] = []
  #pumping = false
  #closed = false
  /** When the database last had no room for a batch, unless one was committed since. */
  #fullAt: Instant | undefined
  #drained: (() => void) | undefined

  constructor(ports: SequencerPorts) {
    this.#ports = ports
    this.#writer = new RecordWriter(ports.ledger)
    const { ledger, payloadKey: key } = ports
    this.#sealer = { ledger, key, randomBytes: (size) => ports.randomBytes(size) }
  }

  /**
   * Does the operation, and answers once it is durable.
   *
   * @throws Fault `store_busy` when too many operations wait, `store_unavailable` when the database failed, or the
   *   operation's own. `recorded` says whether the operation is certainly not in the log, or may be
   */
  submit<Answer>(operation: Operation<Answer>): Promise<Answer> {
    if (this.#closed) return Promise.reject(unavailable('the log is closed; nothing was recorded', 'no'))
    if (this.#queue.length >= queueMax) {
      const fault = new Fault('store_busy', 'too many operations wait for the log; nothing was recorded', {
        fix: 'Try again after a second.',
        recorded: 'no',
      })
      return Promise.reject(fault)
    }
    return new Promise<Answer>((resolve, reject) => {
      this.#queue.push({
        operation,
        resolve: resolve as (answer: unknown) => void,
        reject,
        fences: 0,
        answer: undefined,
      })
      // A full pipe pumps by itself when a batch has been committed.
      if (!this.#pumping && this.#mayStart()) void this.#pump()
    })
  }

  // A second batch that is smaller than the first only makes both small: what it holds is committed together with what
  // comes until then.
  #mayStart(): boolean {
    if (this.#inFlight === 0) return true
    const enough = Math.min(this.#waitingInFlight, batchOperationsMax)
    return this.#inFlight < batchesInFlightMax && this.#queue.length >= enough
  }

  // Halves of few are small batches, which cost PostgreSQL and this process more than waiting for each other does.
  #isInHalves(): boolean {
    return !this.#ports.wholeBatches && this.#queue.length + this.#waitingInFlight > fewWaiting
  }

  /**
   * Takes note of what others have written, so that the next batch here has less of the log to follow.
   *
   * @throws Fault `log_broken` where the log no longer holds what this process has committed
   */
  async follow(client: Queryable): Promise<void> {
    const before = this.#committed
    if (before === undefined) return
    const head = await followHead(client, this.#ports.ledger, before)
    if (this.#committed === before) this.#committed = head
  }

  /**
   * Why nothing can be recorded, where the last batch found the database's disk full. Tried out by nobody: after ten seconds
   * without a batch it is taken for mended, so that callers who were sent elsewhere come again.
   */
  get full(): Fault | undefined {
    if (this.#fullAt === undefined || this.#ports.now() - this.#fullAt >= fullMsMax) return undefined
    return new Fault('store_unavailable', 'the disk of the database is full, and nothing can be recorded', {
      fix: 'Make room on it. What was acknowledged is there.',
    })
  }

  /** Waits for everything submitted, then closes the connection. */
  async close(): Promise<void> {
    this.#closed = true
    if (this.#queue.length > 0 || this.#inFlight > 0 || this.#pumping) {
      await new Promise<void>((resolve) => {
        this.#drained = resolve
      })
    }
    await this.#client?.end()
  }

  async #pump(): Promise<void> {
    if (this.#pumping) return
    this.#pumping = true
    // One turn of the event loop lets the callers of a burst gather in one batch.
    await Promise.resolve()
    try {
      while (this.#queue.length > 0 && this.#mayStart() && this.#fenced.length === 0) {
        await this.#nextBatch()
      }
    } finally {
      this.#pumping = false
      if (this.#queue.length === 0 && this.#inFlight === 0) this.#drained?.()
    }
  }

  async #nextBatch(): Promise<void> {
    const waiting = this.#take()
    try {
      const client = await this.#connected()
      const head = (this.#head ??= await this.#readHead(client))
      const prepared = await this.#prepare(client, head, waiting)
      this.#queue.unshift(...prepared.left)
      if (prepared.batch.count === 0) {
        this.#free.push(prepared.bytes)
        // What is answered without a record was read as of this head: it has to be the one that is committed, also
        // where another process has written since.
        if (prepared.waiting.length > 0 && !(await this.#isCommitted(client, head, prepared.batch.keys))) {
          if (this.#head === head) this.#head = undefined
          this.#judgesKeys = true
          this.#queue.unshift(...prepared.waiting.filter(mayTryAgain))
          return
        }
        this.#remembered = head
        return answerAll(prepared)
      }
      // A batch before this one was fenced or lost while this one read what it needs: it would miss the head as
      // well, and pass the wrong head on to the next.
      if (this.#head !== head) {
        this.#queue.unshift(...prepared.waiting)
        this.#free.push(prepared.bytes)
        return
      }
      this.#head = prepared.head
      this.#remembered = prepared.head
      this.#inFlight += 1
      this.#waitingInFlight += prepared.waiting.length
      void this.#commit(client, prepared)
    } catch (cause) {
      this.#lose()
      this.#noteFull(cause)
      const { code, message, fix } =
        cause instanceof Fault ? cause : unavailable('the database failed; nothing was recorded', 'no')
      const fault = new Fault(code, message, { fix, cause, recorded: 'no' })
      // Whoever did not fit into the batch waits again by now, and would be recorded after having been told the contrary.
      const told = new Set(waiting)
      this.#queue = this.#queue.filter((each) => !told.has(each))
      for (const each of waiting) each.reject(fault)
    }
  }

  // On the batches' own connection, so after everything that is on its way.
  async #isCommitted(client: pg.Client, head: Frontier, keys: readonly AdmittingKey[]): Promise<boolean> {
    const stored = await readStoredHead(client, this.#ports.ledger)
    const good = await readGoodKeys(client, keys, instantText(this.#ports.now()))
    if (good.size < keys.length) return false
    return this.#head === head && stored.size === head.size && stored.frontier.equals(encodeFrontier(head))
  }

  #take(): Waiting[] {
    const waiting = this.#queue.length
    const share = this.#isInHalves() ? Math.ceil((waiting + this.#waitingInFlight) / 2) : waiting
    return this.#queue.splice(0, Math.max(1, Math.min(share, batchOperationsMax)))
  }

  async #prepare(client: pg.Client, head: Frontier, taken: readonly Waiting[]): Promise<Prepared> {
    const waiting = await this.#admitted(client, taken)
    const needs: Needs[] = []
    for (const { operation } of waiting) if (operation.needs !== noNeeds) needs.push(operation.needs)
    const now = this.#ports.now()
    const memory = this.#memoryAt(head)
    // On the batch's own connection, so after every batch before it.
    if (!memory.suspensions.loaded) await memory.suspensions.load(client, this.#ports.ledger)
    const { ledger, databaseClock } = this.#ports
    const isSealingNew = !memory.sealing.loaded
    if (isSealingNew) await memory.sealing.load(client, ledger)
    const fold =
      needs.length === 0
        ? new Fold(memory, this.#sealer)
        : await readFold(client, ledger, needs, memory, { at: now, databaseClock, sealer: this.#sealer })
    const bytes = this.#free.pop() ?? new BatchBytes()
    bytes.clear(this.#ports.randomBytes(waiting.length * saltBytes))
    const staging = new Staging(
      { ledger: this.#ports.ledger, head, at: now, keys: admittingKeys(waiting) },
      fold,
      this.#writer,
      bytes,
    )
    const inBatch: Waiting[] = []
    const again: Waiting[] = []
    let isKeyStale = false
    let done = 0
    for (; done < waiting.length && !staging.isFull; done++) {
      const each = waiting[done]
      if (each === undefined) break
      try {
        each.answer = staging.apply(each.operation)
        inBatch.push(each)
      } catch (error) {
        const wantsKey = !isSealingNew && isForWantOfKey(error)
        isKeyStale ||= wantsKey
        if (wantsKey || error instanceof NotInThisBatch) again.push(each)
        else each.reject(unrecorded(error))
      }
    }
    const { batch, head: next } = staging.finished()
    // A refusal has no record that would miss a head which another process has moved: the key may be another one by now. Not
    // before: whoever came later in this batch was sealed by what was known.
    if (isKeyStale) memory.sealing.clear()
    return {
      batch,
      head: next,
      bytes,
      kinds: staging.kinds,
      records: () => staging.records(),
      waiting: inBatch,
      left: [...again, ...waiting.slice(done)],
    }
  }

  // A batch that missed may have missed because of a key. Which one, only asking tells.
  async #admitted(client: pg.Client, taken: readonly Waiting[]): Promise<readonly Waiting[]> {
    if (!this.#judgesKeys) return taken
    this.#judgesKeys = false
    const good = await readGoodKeys(client, admittingKeys(taken), instantText(this.#ports.now()))
    return taken.filter((each) => {
      const { key } = each.operation
      if (key === undefined || good.has(key)) return true
      each.reject(new AdmissionLapsed())
      return false
    })
  }

  // Another head means that others may have written. A batch that is worked out and dropped leaves the memory as of
  // no head at all; one that is as of a head with which a batch misses is forgotten with that head.
  #memoryAt(head: Frontier): Memory {
    if (this.#remembered !== head) {
      this.#memory.counters.clear()
      this.#memory.sessions.clear()
      this.#memory.suspensions.clear()
      this.#memory.grants.clear()
      this.#memory.sealing.clear()
    }
    this.#remembered = undefined
    return this.#memory
  }

  // The answers go out after the commit and never before: a crash in between leaves records that
  // nobody was told of, which is harmless; the other order would leave answers without records.
  async #commit(client: pg.Client, prepared: Prepared): Promise<void> {
    try {
      const advanced = await appendBatch(client, prepared.batch, this.#prepared)
      // Before an answer nobody knows whether the driver still reads from it.
      this.#free.push(prepared.bytes)
      if (advanced) {
        this.#committed = prepared.head
        this.#fullAt = undefined
        this.#ports.committed(prepared.head, prepared.kinds, prepared.records)
        answerAll(prepared)
      } else {
        this.#fence(prepared)
      }
    } catch (cause) {
      if (this.#client === client) this.#lose()
      this.#noteFull(cause)
      const fault = unavailable(
        'the database failed while recording; whether it was recorded is unknown',
        'unknown',
        cause,
      )
      for (const each of prepared.waiting) each.reject(fault)
    } finally {
      this.#inFlight -= 1
      this.#waitingInFlight -= prepared.waiting.length
      if (this.#inFlight === 0) this.#requeueFenced()
      // The answers go out first, so that whoever asks again, and requests that lie there to be read, are in the next batch.
      // Halves leave nobody to wait for, and a few begin by asking.
      const gathers = prepared.waiting.length > fewAnswered && !this.#isInHalves()
      if (gathers) setImmediate(() => void this.#pump())
      else void this.#pump()
    }
  }

  // Batches behind a fenced one miss their head too. All of them go back into the queue, in order,
  // once nothing is on its way any more; only then is the head read anew. Whoever was refused has
  // his answer already and does not come back.
  #fence(prepared: Prepared): void {
    this.#head = undefined
    this.#fenced.push(...prepared.waiting)
  }

  #requeueFenced(): void {
    if (this.#fenced.length === 0) return
    this.#head = undefined
    this.#judgesKeys = true
    const again = this.#fenced.filter(mayTryAgain)
    this.#fenced = []
    this.#queue.unshift(...again)
  }

  async #connected(): Promise<pg.Client> {
    if (this.#client) return this.#client
    const client = new pg.Client({ ...withGenericPlans(inSchema(this.#ports.connection)), pipeline: true })
    client.on('error', () => {
      if (this.#client === client) this.#lose()
    })
    await client.connect()
    this.#client = client
    this.#prepared = new Set()
    return client
  }

  async #readHead(client: pg.Client): Promise<Frontier> {
    await client.query(
      'insert into ledger_head (ledger, size, frontier) values ($1, 0, $2) on conflict do nothing',
      [this.#ports.ledger, encodeFrontier(emptyFrontier)],
    )
    this.#committed = await followHead(client, this.#ports.ledger, this.#committed)
    return this.#committed
  }

  #noteFull(cause: unknown): void {
    if (hasCode(cause, diskFull)) this.#fullAt = this.#ports.now()
  }

  // A connection that failed may have carried a batch that is committed all the same. The next batch
  // reads the head over a new connection; its compare-and-swap settles who came first.
  #lose(): void {
    const client = this.#client
    this.#client = undefined
    this.#head = undefined
    client?.end().catch((error: unknown) => error)
  }
}

function isForWantOfKey(error: unknown): boolean {
  return error instanceof Fault && error.code === 'payload_key_missing'
}

function mayTryAgain(each: Waiting): boolean {
  each.fences += 1
  if (each.fences <= fencesMax) return true
  each.reject(
    new Fault('store_busy', 'other writers were always faster; nothing was recorded', {
      fix: 'Try again.',
      recorded: 'no',
    }),
  )
  return false
}

function answerAll(prepared: Prepared): void {
  for (const waiting of prepared.waiting) waiting.resolve(waiting.answer)
}

// What fails while a batch is worked out has no record. Refusals need not say so; a failure of the log does.
function unrecorded(error: unknown): unknown {
  if (!(error instanceof Fault) || error.code !== 'log_broken' || error.recorded !== undefined) return error
  const { code, message, fix } = error
  return new Fault(code, message, { fix, cause: error, recorded: 'no' })
}

function unavailable(message: string, recorded: Recorded, cause?: unknown): Fault {
  return new Fault('store_unavailable', message, {
    fix: 'Check the database and its log, then try again.',
    cause,
    recorded,
  })
}
