import { randomBytes } from 'node:crypto'
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import {
  decodeFrontier,
  emptyFrontier,
  encodeFrontier,
  Fault,
  verifyLog,
  type BrokenLog,
  type Checkpoint,
  type Frontier,
  type Instant,
  type LogHead,
  type StoredEntry,
  type VerifyResult,
} from '@bailiwick/core'
import pg from 'pg'
import { whileConnected } from './engine/one-connection.ts'
import { keptLeavesProblem } from './archive/leaves.ts'
import { archivedFrontier, archiveProblem } from './archive/verify-archive.ts'
import { publishedPath, readCheckpoint } from './checkpoints/checkpoint-file.ts'
import { readCopies, type CheckpointCopy, type CopyPlaces } from './checkpoints/copies.ts'
import { readKnownKeys } from './checkpoints/known-keys.ts'
import { uncontainedProblem } from './contained.ts'
import { hasCode } from './engine/errno.ts'
import { readStoredHead } from './head.ts'
import { readSecrets } from './log/digests.ts'
import { inSchema, schemaName } from './migrate.ts'
import { closedFault, readHeadMove } from './move/head-state.ts'
import { fixShape, tableShapeProblem } from './table-shape.ts'
import { foldsProblem, rareFoldsProblem } from './verify-folds.ts'
import { tileHashesProblem } from './verify-tiles.ts'
import { isDamage } from './verify/damage.ts'
import { Folds } from './verify/folds.ts'
import { recordsPerWindow, unreadableAt, verifyParts } from './verify/parts.ts'
import { beginSnapshot, lockedOrAsIs } from './verify/snapshot.ts'
import { startRunners } from './verify/start-runners.ts'
import { deedsProblem } from './verify-deeds.ts'
import { erasuresProblem } from './verify-erasures.ts'
import { grantsProblem } from './verify-grants.ts'
import { signedVotesProblem } from './verify-signed-votes.ts'
import type { PayloadKey } from './sealing/payload-key.ts'
import { sealingProblem } from './verify-sealing.ts'
import { subjectsProblem } from './verify-subjects.ts'
import { votesProblem } from './verify-votes.ts'

/** Which stored log to verify. */
export interface VerifyOptions {
  readonly connection: pg.ClientConfig
  /** Where the checkpoint and its key are kept. */
  readonly dataDir: string
  readonly ledger?: string | undefined
  /** A directory of copies of checkpoints, which the log has to contain as well. */
  readonly checkpointCopies?: string | undefined
  /** Told now and then how many records are done, and how many there are. */
  readonly onProgress?: ((done: number, size: number) => void) | undefined
  /** What no counter counts any more may have been deleted. Default: now. */
  readonly now?: Instant | undefined
  /** How many threads, each with a connection of its own, at the most. Default: one for each core, up to four. */
  readonly workers?: number | undefined
  /** How many records a worker verifies at a time. Default: 8192. */
  readonly recordsPerPart?: number | undefined
  /**
   * The tree of the records before the first batch, where those were moved out of the database and have been verified
   * elsewhere. The tables that are folded from the records are then not compared.
   */
  readonly from?: Frontier | undefined
  /** The master key of sealed payloads, where the keys of people are to be held against it. */
  readonly payloadKey?: PayloadKey | undefined
}

/**
 * Recomputes a stored log and names the first bad place. Needs no opened ledger and changes nothing: it
 * reads one snapshot, so that appends may go on, and holds it against the checkpoint outside the database, and against
 * the copies of checkpoints where some are kept.
 * In the same snapshot, the tables that are folded from an intact log have to say what its records say.
 *
 * A checkpoint that is not this ledger's, tables that are gone and pages that PostgreSQL finds damaged
 * make the log broken; a database that cannot be reached is an error.
 *
 * @throws Fault `conflict` for the place that a log has moved from, where what is there is not broken; `store_unavailable`
 */
export async function verifyStoredLog(options: VerifyOptions): Promise<VerifyResult> {
  const { connection, dataDir, ledger = 'main', checkpointCopies: directory } = options
  const keys = directory === undefined ? [] : await knownKeys(connection, ledger)
  // Read before the snapshot is taken: a checkpoint of later records would look like a cut-off tail.
  const held = await heldOrFault({ dataDir, ledger, directory, keys })
  if (held instanceof Fault) return brokenBy(held)
  return await whileConnected(new pg.Client(inSchema(connection)), (client) =>
    verifySnapshot(client, ledger, held, options),
  )
}

/**
 * What is known of a log whose embedded database does not exist: broken where a checkpoint was published,
 * and otherwise undefined.
 */
export async function verifyWithoutDatabase(
  dataDir: string,
  ledger = 'main',
  checkpointCopies?: string,
): Promise<VerifyResult | undefined> {
  const held = await heldOrFault({ dataDir, ledger, directory: checkpointCopies })
  if (held instanceof Fault) return brokenBy(held)
  return held.newest && (await againstNothing(ledger, held.newest))
}

/** Whether a data directory has an embedded database. */
export async function hasEmbeddedDatabase(dataDir: string): Promise<boolean> {
  return await access(join(dataDir, 'postgres')).then(
    () => true,
    () => false,
  )
}

/** What a log is held against. */
interface Held {
  /** The checkpoint that counts the most records, wherever it is kept. */
  readonly newest: Checkpoint | undefined
  /** The others, where they say something else. */
  readonly others: readonly CheckpointCopy[]
}

async function heldOrFault(places: CopyPlaces): Promise<Held | Fault> {
  const { dataDir, ledger } = places
  try {
    const published = await readCheckpoint(dataDir, ledger)
    const copies = await readCopies(places)
    const path = publishedPath(dataDir, ledger)
    const all = published === undefined ? copies : [{ path, checkpoint: published.checkpoint }, ...copies]
    const newest = all.toSorted((a, b) => b.checkpoint.size - a.checkpoint.size)[0]?.checkpoint
    const others = all.filter(
      ({ checkpoint: { size, root } }) =>
        size > 0 && !(size === newest?.size && Buffer.from(root).equals(newest.root)),
    )
    return { newest, others }
  } catch (fault) {
    if (fault instanceof Fault && fault.code !== 'store_unavailable') return fault
    throw fault
  }
}

// What was left behind can be found broken. It is never called intact: the log goes on elsewhere, and that nothing was cut off
// there can only be told there. The checkpoint grows with it, and is held against what is here as long as it has not.
async function verifyLeftBehind(
  client: pg.Client,
  head: LogHead,
  held: Held,
  other: string,
  options: VerifyOptions,
): Promise<VerifyResult> {
  const { newest } = held
  const wentOn = newest !== undefined && newest.size > head.size
  const known = wentOn ? { newest: undefined, others: [] } : held
  const result = await verifyWithFolds(client, head, known, options)
  if (result.kind === 'broken') return result
  const { message, fix } = closedFault(head.ledger, 'moved', other)
  const checkpoint =
    newest === undefined
      ? ''
      : wentOn
        ? `, and the checkpoint counts ${newest.size}`
        : `, and with the checkpoint at ${newest.size}`
  const here = `the ${head.size} records here agree with each other${checkpoint}`
  throw new Fault('conflict', `${message}; ${here}`, { fix })
}

// Tables that are not there know none.
async function knownKeys(connection: pg.ClientConfig, ledger: string): Promise<readonly string[]> {
  return await readKnownKeys(connection, ledger).catch((error: unknown) => {
    if (hasCode(error, '42P01', '3F000')) return []
    throw error
  })
}

function brokenBy({ message, fix }: Fault): VerifyResult {
  return { kind: 'broken', index: null, problem: message, fix }
}

async function verifySnapshot(
  client: pg.Client,
  ledger: string,
  held: Held,
  options: VerifyOptions,
): Promise<VerifyResult> {
  try {
    await beginSnapshot(client)
    const strange = await tableShapeProblem(client, schemaName)
    if (strange !== undefined) return { kind: 'broken', index: null, problem: strange, fix: fixShape }
    const head = { ledger, ...(await readStoredHead(client, ledger)) }
    const move = await readHeadMove(client, ledger)
    if (move?.state !== 'moved') return await verifyWithFolds(client, head, held, options)
    return await verifyLeftBehind(client, head, held, move.other, options)
  } catch (error) {
    // What the archive's rows say is part of the log.
    if (error instanceof Fault && error.code === 'log_broken') return brokenBy(error)
    // Tables that are not there hold no records, which is as it should be only for a new log.
    if (hasCode(error, '42P01', '3F000')) return await againstNothing(ledger, held.newest)
    if (isDamage(error)) return unreadableAt(0, error.message)
    throw lockedOrAsIs(error)
  }
}

async function verifyWithFolds(
  client: pg.Client,
  head: LogHead,
  { newest: checkpoint, others }: Held,
  options: VerifyOptions,
): Promise<VerifyResult> {
  const { onProgress, recordsPerPart = recordsPerWindow, now = Date.now() as Instant } = options
  const archived = await archivedFrontier(client, head.ledger)
  const floor = archived.size
  const from = options.from ?? (floor === 0 ? undefined : archived)
  const { ledger, size } = head
  const settings = {
    ledger,
    size,
    cut: checkpoint?.size,
    secret: randomBytes(32).toString('hex'),
    counterPrefix: (await readSecrets(client, ledger))?.counter.toString('hex') ?? '',
    now,
    floor,
  }
  const uncovered = options.from === undefined ? uncoveredArchive(floor, checkpoint) : undefined
  if (uncovered !== undefined) return uncovered
  const folds = new Folds(size)
  const runners = await startRunners(client, settings, options)
  try {
    const { result, isComparable } = await verifyParts({
      client,
      runners,
      head,
      checkpoint,
      from,
      recordsPerWindow: recordsPerPart,
      facts: (facts) => folds.add(facts),
      onProgress: (done) => onProgress?.(done, size),
    })
    if (result.kind === 'broken') return result
    if (options.from !== undefined) return result
    const uncontained = await uncontainedProblem(client, ledger, others)
    if (uncontained !== undefined) return uncontained
    // That everything is equal is quick to see; where it is not is for PostgreSQL to search.
    const agree = isComparable && (await folds.agree(client, runners))
    const broken = agree
      ? await rareFoldsProblem(client, ledger, size, floor)
      : await foldsProblem(client, ledger, size, now, floor)
    const rightHead = decodeFrontier(size, head.frontier)
    // A statement that failed on what somebody changed has ended the transaction as well.
    if (broken?.index === null) return broken
    return (
      (await erasuresProblem(client, ledger)) ??
      broken ??
      (await signedVotesProblem(client, ledger, floor)) ??
      (await grantsProblem(client, ledger, floor)) ??
      firstOf(await votesProblem(client, ledger, floor), await deedsProblem(client, ledger, floor)) ??
      (await sealingProblem(client, ledger, options.payloadKey)) ??
      (await subjectsProblem(client, ledger)) ??
      (await archiveProblem(client, ledger, floor)) ??
      (await keptLeavesProblem(client, ledger)) ??
      (await tileHashesProblem(client, ledger, rightHead)) ??
      result
    )
  } finally {
    folds.close()
    await Promise.all(runners.map((runner) => runner.close()))
  }
}

function firstOf(one: BrokenLog | undefined, other: BrokenLog | undefined): BrokenLog | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return (one.index ?? 0) <= (other.index ?? 0) ? one : other
}

// Nothing leaves the database that no published checkpoint covers: whoever says otherwise has something to hide.
function uncoveredArchive(archived: number, checkpoint: Checkpoint | undefined): VerifyResult | undefined {
  if (archived === 0 || (checkpoint !== undefined && checkpoint.size >= archived)) return undefined
  const covered =
    checkpoint === undefined ? 'no checkpoint was published' : `the checkpoint counts ${checkpoint.size}`
  return {
    kind: 'broken',
    index: null,
    problem: `the first ${archived} records are said to be archived, and ${covered}`,
    fix: 'Keep the database as evidence, and put back the checkpoint of this ledger; nothing is archived before it is published.',
  }
}

async function againstNothing(ledger: string, checkpoint: Checkpoint | undefined): Promise<VerifyResult> {
  const head = { ledger, size: 0, frontier: encodeFrontier(emptyFrontier) }
  const none = (async function* (): AsyncGenerator<StoredEntry> {})()
  return await verifyLog({ head, entries: none, ...(checkpoint === undefined ? {} : { checkpoint }) })
}
