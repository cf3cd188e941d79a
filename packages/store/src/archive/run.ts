import { join } from 'node:path'
import { emptyFrontier, Fault, frontierRoot, type Instant } from '@bailiwick/core'
import pg from 'pg'
import { archiveLock, refuseMoved } from './turns.ts'
import { whileConnected } from '../engine/one-connection.ts'
import { readCheckpoint } from '../checkpoints/checkpoint-file.ts'
import { readStoredHead } from '../head.ts'
import { inSchema } from '../migrate.ts'
import type { Operation } from '../log/sequencer.ts'
import { archiveOperation, refuseUnderHold } from '../operations/archive.ts'
import { eraseInArchive } from './erase.ts'
import { keptInForceProblem } from '../verify-folds.ts'
import { holdsNow } from './holds.ts'
import { keepLeaves } from './leaves.ts'
import { frontierOf, frontierText, type FrontierText } from './make-segment.ts'
import { sha256Hex } from './manifest.ts'
import { restingPace } from './pace.ts'
import { refuseOtherStore } from './right-place.ts'
import { segmentEnds, segmentLimits, type SegmentLimits } from './plan.ts'
import { removeArchived } from './remove.ts'
import { archivedEnd, segmentHolding } from './segments.ts'
import { openArchiveStore } from './open-store.ts'
import { putSegmentAside, readBackSegmentAside, stopped, walkFrontiersAside } from './worker.ts'

/** The steps of a run, in their order for each segment. */
export type ArchiveStep = 'planned' | 'intended' | 'put' | 'made' | 'recorded' | 'erased' | 'removed'

/** What a run needs. */
export interface ArchiveOptions {
  readonly connection: pg.ClientConfig
  readonly ledger: string
  /** An address, as `openArchiveStore` takes it. */
  readonly store: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Where the checkpoint is kept, and where segments are put together. */
  readonly dataDir: string
  /** Records from then on stay. */
  readonly before: Instant
  /** For how long a segment must not be deleted, from its last record on. */
  readonly keepMs: number
  /**
   * By the word of whoever runs it, this is the right place, and the newest segment is gone because its retention has
   * ended: it need not be there.
   */
  readonly newestExpired?: boolean | undefined
  readonly now: Instant
  /** Publishes the committed head. */
  readonly publish: () => Promise<unknown>
  readonly submit: <Answer>(operation: Operation<Answer>) => Promise<Answer>
  /** Records again what is in force and whose records would leave, given the index before which records leave. */
  readonly keepStanding: (end: number) => Promise<void>
  readonly limits?: SegmentLimits | undefined
  /** How long to rest for each moment of work. Default 2: two thirds of the time. */
  readonly rest?: number | undefined
  /** Ends the run at the next step; what is half done is completed by the next run. */
  readonly signal?: AbortSignal | undefined
  /** Called after each step. */
  readonly after?: ((step: ArchiveStep, first: number) => void | Promise<void>) | undefined
}

/** What a run did. */
export interface ArchiveReport {
  /** Another process archives this log at the moment; nothing was done. */
  readonly busy: boolean
  readonly segments: readonly { readonly first: number; readonly end: number; readonly bytes: number }[]
  readonly droppedPartitions: readonly string[]
  readonly deletedBatches: number
}

/**
 * Archives every record before an instant: segment by segment it is exported, put into the store, read back and verified,
 * recorded in the log, and only then removed from the database. Whatever is interrupted anywhere is completed by the next
 * run: until a segment is recorded its records are in the database, and from then on in the store.
 *
 * @throws Fault `conflict` while a hold stands; `log_broken` where the records are not those of the published checkpoint,
 *   or the store gives back something else; `store_unavailable`
 */
export async function archiveLog(options: ArchiveOptions): Promise<ArchiveReport> {
  // Whoever loses the connection loses the lock.
  return await whileConnected(new pg.Client(inSchema(options.connection)), async (client) => {
    try {
      const { rows } = await client.query<{ locked: boolean }>(
        'select pg_try_advisory_lock($1, hashtext($2)) as locked',
        [archiveLock, options.ledger],
      )
      if (rows[0]?.locked !== true)
        return { busy: true, segments: [], droppedPartitions: [], deletedBatches: 0 }
      await refuseMoved(client, options.ledger)
      return await archive(client, options)
    } catch (cause) {
      throw connectionLost(cause) ? interrupted(cause) : cause
    }
  })
}

async function archive(client: pg.Client, options: ArchiveOptions): Promise<ArchiveReport> {
  const { ledger } = options
  refuseUnderHold(await holdsNow(client, ledger))
  const store = openArchiveStore(options.store, options.env)
  await store.check()
  const segments: { first: number; end: number; bytes: number }[] = []
  const dropped: string[] = []
  let deletedBatches = 0
  // What a run before a crash has recorded and not removed comes first.
  const remove = async (first: number) => {
    await catchUpErasures(options)
    await options.after?.('erased', first)
    const removed = await removeArchived(client, ledger, options.before, restingPace(options.rest ?? 2))
    dropped.push(...removed.partitions)
    deletedBatches += removed.batches
    await options.after?.('removed', first)
  }
  const first = await archivedEnd(client, ledger)
  await refuseOtherStore(client, ledger, store, options.newestExpired === true ? options : undefined)
  if (first > 0) await remove(first)
  for (const part of await plan(client, options, first)) {
    await client.query(
      `insert into archive_intent (ledger, first, stop) values ($1, $2, $3)
      on conflict (ledger) do update set first = excluded.first, stop = excluded.stop`,
      [ledger, part.start.size, part.end.size],
    )
    await options.after?.('intended', part.start.size)
    const bytes = await makeAndRecord(client, part, options)
    segments.push({ first: part.start.size, end: part.end.size, bytes })
    await remove(part.start.size)
  }
  return { busy: false, segments, droppedPartitions: dropped, deletedBatches }
}

function connectionLost(cause: unknown): boolean {
  if (cause instanceof Fault) return false
  return (
    cause instanceof pg.DatabaseError ||
    (cause instanceof Error && /connection|terminated/i.test(cause.message))
  )
}

function interrupted(cause: unknown): Fault {
  return new Fault('store_unavailable', 'the database failed while its records were archived', {
    fix: 'Check the database; nothing was lost, and the next run goes on.',
    cause,
  })
}

interface Part {
  readonly start: FrontierText
  readonly end: FrontierText
  /** The signed note that covers it. */
  readonly checkpoint: string
}

// Everything from the first record that is to leave up to the published checkpoint has to lead to its root: what leaves
// is then what was published, whatever somebody may have done to the database since.
async function plan(client: pg.Client, options: ArchiveOptions, first: number): Promise<readonly Part[]> {
  const { ledger, connection, dataDir, before, limits = segmentLimits, rest = 2 } = options
  const intended = await intendedEnd(client, ledger, first)
  const ends = await segmentEnds(client, ledger, first, before, limits)
  // What a run before was about to make is made again, as far as it may still leave: the row only says where it ends.
  const isAllowed = intended !== undefined && intended <= (ends.at(-1) ?? first)
  const sizes = isAllowed
    ? [intended, ...(await segmentEnds(client, ledger, intended, before, limits))]
    : ends
  const last = sizes.at(-1)
  if (last === undefined) return []
  await options.keepStanding(last)
  await refuseForgotten(client, ledger, first)
  await options.publish()
  const published = await readCheckpoint(dataDir, ledger)
  if (published === undefined || published.checkpoint.size < last) throw notCovered(last)
  const start = await startFrontier(client, ledger, first)
  const { checkpoint, note } = published
  const walked = await walkFrontiersAside({
    connection,
    ledger,
    start,
    sizes: [...sizes, checkpoint.size],
    rest,
  })
  const head = walked.at(-1)
  if (head?.size !== checkpoint.size || !frontierRoot(frontierOf(head)).equals(checkpoint.root)) {
    throw new Fault('log_broken', `the records from ${first} on are not those that were published`, {
      fix: 'Keep the database as evidence, and run `bailiwick log verify`; nothing has left the database.',
    })
  }
  await options.after?.('planned', first)
  const starts = [start, ...walked.slice(0, -2)]
  return starts.map((each, at) => ({ start: each, end: walked[at] ?? each, checkpoint: note }))
}

// What is in force is recorded again from its row: of a row that is gone nobody would know any more. Afterwards the record that
// was written again is in the database, where verification holds the row against it.
async function refuseForgotten(client: pg.Client, ledger: string, first: number): Promise<void> {
  const { size } = await readStoredHead(client, ledger)
  const problem = await keptInForceProblem(client, ledger, size, first)
  if (problem !== undefined) throw new Fault('log_broken', problem.problem, { fix: problem.fix })
}

async function startFrontier(client: pg.Client, ledger: string, first: number): Promise<FrontierText> {
  if (first === 0) return frontierText(emptyFrontier)
  const segment = await segmentHolding(client, ledger, first - 1)
  if (segment === undefined) throw notCovered(first)
  return { size: first, hex: segment.manifest.frontier }
}

// The segment that a run before a crash was about to make; making the same one again leaves nothing behind twice.
async function intendedEnd(client: pg.Client, ledger: string, first: number): Promise<number | undefined> {
  const { rows } = await client.query<{ stop: string }>(
    `select i.stop from archive_intent i join ledger_head h on h.ledger = i.ledger
    where i.ledger = $1 and i.first = $2 and i.stop > $2 and i.stop <= h.size`,
    [ledger, first],
  )
  return rows[0] === undefined ? undefined : Number(rows[0].stop)
}

async function makeAndRecord(client: pg.Client, part: Part, options: ArchiveOptions): Promise<number> {
  if (options.signal?.aborted === true) throw stopped()
  const { connection, ledger, store, env, dataDir, keepMs, before, rest = 2 } = options
  const { start, end, checkpoint } = part
  const task = { ledger, start, end: end.size, store, env, rest }
  const put = await putSegmentAside(
    {
      ...task,
      connection,
      spool: join(spoolDirectory(dataDir), `${encodeURIComponent(ledger)}-${start.size}`),
      keepUntil: (before + keepMs) as Instant,
      checkpoint,
    },
    options.signal,
  )
  await options.after?.('put', start.size)
  const frontier = await readBackSegmentAside({ ...task, put }, options.signal)
  if (frontier.hex !== end.hex) {
    throw new Fault(
      'log_broken',
      `the records ${start.size} to ${end.size - 1} are not those that were published`,
      {
        fix: 'Keep the database as evidence, and run `bailiwick log verify`; nothing has left the database.',
      },
    )
  }
  await options.after?.('made', start.size)
  await keepLeaves(client, ledger, start.size, end.size, restingPace(rest))
  await options.submit(
    archiveOperation({
      first: start.size,
      end: end.size,
      frontier: end.hex,
      manifestSha256: sha256Hex(put.manifest),
      manifest: put.manifest,
      payloads: put.payloads,
      store: openArchiveStore(store, env).address,
    }),
  )
  await options.after?.('recorded', start.size)
  return put.bytes
}

// Payloads that were erased while their segment was under way, and objects that an erasure could not remove any more.
async function catchUpErasures({ connection, ledger, dataDir, store, env }: ArchiveOptions): Promise<void> {
  await eraseInArchive({
    connection,
    ledger,
    storeOf: () => openArchiveStore(store, env),
    spoolDir: spoolDirectory(dataDir),
  })
}

/** Where segments are put together. */
export function spoolDirectory(dataDir: string): string {
  return join(dataDir, 'archive-spool')
}

function notCovered(size: number): Fault {
  return new Fault('log_broken', `no checkpoint covers the first ${size} records`, {
    fix: 'Run `bailiwick log verify`; nothing has left the database.',
  })
}
