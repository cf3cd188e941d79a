import { access } from 'node:fs/promises'
import { join } from 'node:path'
import {
  emptyFrontier,
  encodeFrontier,
  Fault,
  recordTerms,
  verifyLog,
  type Checkpoint,
  type Instant,
  type LogRecord,
  type StoredEntry,
  type VerifyResult,
} from '@bailiwick/core'
import pg from 'pg'
import { archivedFrontier, archiveProblem } from './archive/verify-archive.ts'
import { readCheckpoint } from './checkpoints.ts'
import { hasCode } from './engine/errno.ts'
import { readStoredHead } from './head.ts'
import { inSchema } from './migrate.ts'
import { batchesFrom, type TimedBatch } from './log/batches.ts'
import { foldsProblem } from './verify-folds.ts'

/** Which stored log to verify. */
export interface VerifyOptions {
  readonly connection: pg.ClientConfig
  /** Where the checkpoint and its key are kept. */
  readonly dataDir: string
  readonly ledger?: string | undefined
  readonly onProgress?: ((done: number) => void) | undefined
  /** What no counter counts any more may have been deleted. Default: now. */
  readonly now?: Instant | undefined
}

/**
 * Recomputes a stored log and names the first bad place. Needs no opened ledger and changes nothing: it
 * reads one snapshot, so that appends may go on, and holds it against the checkpoint outside the database.
 * In the same snapshot, the tables that are folded from an intact log have to say what its records say.
 *
 * A checkpoint that is not this ledger's, tables that are gone and pages that PostgreSQL finds damaged
 * make the log broken; a database that cannot be reached is an error.
 */
export async function verifyStoredLog(options: VerifyOptions): Promise<VerifyResult> {
  const { dataDir, ledger = 'main' } = options
  // Read before the snapshot is taken: a checkpoint of later records would look like a cut-off tail.
  const checkpoint = await checkpointOrFault(dataDir, ledger)
  if (checkpoint instanceof Fault) {
    return { kind: 'broken', index: null, problem: checkpoint.message, fix: checkpoint.fix }
  }
  const client = new pg.Client(inSchema(options.connection))
  // A lost connection also ends the statement under way, which reports it.
  client.on('error', () => undefined)
  try {
    await client.connect()
    return await verifySnapshot(client, ledger, checkpoint, options)
  } finally {
    await client.end()
  }
}

/**
 * What is known of a log whose embedded database does not exist: broken where a checkpoint was published,
 * and otherwise undefined.
 */
export async function verifyWithoutDatabase(
  dataDir: string,
  ledger = 'main',
): Promise<VerifyResult | undefined> {
  const checkpoint = await checkpointOrFault(dataDir, ledger)
  if (checkpoint === undefined) return undefined
  if (checkpoint instanceof Fault) {
    return { kind: 'broken', index: null, problem: checkpoint.message, fix: checkpoint.fix }
  }
  return await againstNothing(ledger, checkpoint)
}

/** Whether a data directory has an embedded database. */
export async function hasEmbeddedDatabase(dataDir: string): Promise<boolean> {
  return await access(join(dataDir, 'postgres')).then(
    () => true,
    () => false,
  )
}

async function checkpointOrFault(dataDir: string, ledger: string): Promise<Checkpoint | Fault | undefined> {
  try {
    return (await readCheckpoint(dataDir, ledger))?.checkpoint
  } catch (fault) {
    if (fault instanceof Fault) return fault
    throw fault
  }
}

async function verifySnapshot(
  client: pg.Client,
  ledger: string,
  checkpoint: Checkpoint | undefined,
  { onProgress, now = Date.now() as Instant }: Pick<VerifyOptions, 'onProgress' | 'now'>,
): Promise<VerifyResult> {
  let read = 0
  try {
    await client.query('begin transaction isolation level repeatable read read only')
    const head = await readStoredHead(client, ledger)
    const from = await archivedFrontier(client, ledger)
    read = from.size
    const result = await verifyLog({
      head: { ledger, ...head },
      from,
      entries: wholeEntries(client, ledger, from.size, () => (read += 1)),
      beside: besideProblem,
      ...(checkpoint === undefined ? {} : { checkpoint }),
      ...(onProgress === undefined ? {} : { onProgress }),
    })
    if (result.kind === 'broken') return result
    return (
      (await foldsProblem(client, ledger, result.size, now, from.size)) ??
      (await archiveProblem(client, ledger, from.size)) ??
      result
    )
  } catch (error) {
    // What the archive's rows say is part of the log.
    if (error instanceof Fault && error.code === 'log_broken') {
      return { kind: 'broken', index: null, problem: error.message, fix: error.fix }
    }
    // Tables that are not there hold no records, which is as it should be only for a new log.
    if (hasCode(error, '42P01', '3F000')) return await againstNothing(ledger, checkpoint)
    if (!isDamage(error)) throw error
    const problem = `record ${read} or one soon after it cannot be read: ${error.message.split('\n')[0] ?? ''}`
    return {
      kind: 'broken',
      index: read,
      problem,
      fix: 'Keep the database as evidence, and restore from a backup.',
    }
  }
}

async function againstNothing(ledger: string, checkpoint: Checkpoint | undefined): Promise<VerifyResult> {
  const head = { ledger, size: 0, frontier: encodeFrontier(emptyFrontier) }
  const none = (async function* (): AsyncGenerator<StoredEntry> {})()
  return await verifyLog({ head, entries: none, ...(checkpoint === undefined ? {} : { checkpoint }) })
}

/** An entry of a batch, with what the batch says of all of its entries. */
interface WholeEntry extends StoredEntry {
  readonly batch: TimedBatch
  /** The terms stored for the batch. */
  readonly terms: readonly string[]
  /** The terms of the batch's entries up to this one. */
  readonly seen: Set<string>
}

// No record has a negative index, but a row may. Rows before `from` are archived, and on their way out.
async function* wholeEntries(
  client: pg.Client,
  ledger: string,
  from: number,
  count: () => void,
): AsyncGenerator<WholeEntry> {
  const stored = storedTerms(client, ledger)
  let next = await stored.next()
  for await (const batch of batchesFrom(client, ledger, from === 0 ? Number.MIN_SAFE_INTEGER : from)) {
    if (batch.first < from) continue
    // Terms of batches that do not exist are passed over here, and found by themselves.
    while (next.done !== true && next.value.first < batch.first) next = await stored.next()
    const terms = next.done !== true && next.value.first === batch.first ? next.value.terms : []
    const seen = new Set<string>()
    for (const entry of batch.entries) {
      yield { ...entry, batch, terms, seen }
      count()
    }
  }
}

const termsPerFetch = 500

/** The stored terms of every batch in order: sorted once, for looking them up by the batch would need an index. */
async function* storedTerms(
  client: pg.Client,
  ledger: string,
): AsyncGenerator<{ readonly first: number; readonly terms: readonly string[] }> {
  await client.query(
    `declare stored_terms no scroll cursor for
    select first, array_agg(term) as terms from log_term where ledger = ${client.escapeLiteral(ledger)}
    group by first order by first`,
  )
  for (;;) {
    const { rows } = await client.query<{ first: string; terms: readonly string[] }>(
      `fetch ${termsPerFetch} from stored_terms`,
    )
    for (const { first, terms } of rows) yield { first: Number(first), terms }
    if (rows.length < termsPerFetch) return
  }
}

// Terms are of a whole batch: one that is missing or too many is named at the batch's last record.
function besideProblem(record: LogRecord, { index, batch, terms, seen }: WholeEntry): string | undefined {
  if (batch.at !== record.at) return 'the time stored beside it does not say what the record says'
  for (const term of recordTerms(record)) seen.add(term)
  if (index !== batch.first + batch.entries.length - 1) return undefined
  if (batch.misfit !== undefined) return batch.misfit
  const right = terms.length === seen.size && terms.every((term) => seen.has(term))
  return right ? undefined : 'the terms stored beside it and its batch do not say what the records say'
}

// Class XX: a page or an index is corrupt. 22021 and 22P05: bytes that are no text in the database's encoding.
// 42703: a column is gone.
function isDamage(error: unknown): error is pg.DatabaseError {
  if (!(error instanceof pg.DatabaseError)) return false
  return error.code?.startsWith('XX') === true || hasCode(error, '22021', '22P05', '42703')
}
