import type { StoredEntry } from '@bailiwick/core'
import type pg from 'pg'

/** Anything that runs a statement: a connection or a pool. */
export type Queryable = Pick<pg.Client, 'query'>

const hashBytes = 32
const saltBytes = 32

/** A row of `log_batch`. */
interface BatchRow {
  readonly first: string
  readonly leaf_hashes: Buffer
  readonly records: string
  readonly salts: Buffer
  readonly bodies: string
  readonly erased: readonly string[]
}

/** Records that were committed together, in order. */
export interface LogBatch {
  /** The index of the first one. */
  readonly first: number
  readonly entries: readonly StoredEntry[]
  /** What is wrong with how they are stored, apart from what each of them says. */
  readonly misfit: string | undefined
}

const columns = 'b.first, b.leaf_hashes, b.records, b.salts, b.bodies, b.erased'

// Where one record lies, the rest of its batch lies too: whole batches are read, and each once.
const holding = {
  name: 'log_holding',
  text: `select ${columns} from log_batch b where b.ledger = $1 and b.first in (
      select (select c.first from log_batch c where c.ledger = $1 and c.first <= wanted.index order by c.first desc limit 1)
      from unnest($2::bigint[]) as wanted (index)
    )`,
}

/** The entries at these indices; those that the log does not have are left out. */
export async function readEntries(
  client: Queryable,
  ledger: string,
  indices: readonly number[],
): Promise<ReadonlyMap<number, StoredEntry>> {
  if (indices.length === 0) return new Map()
  const { rows } = await client.query<BatchRow>({ ...holding, values: [ledger, indices] })
  const wanted = new Set(indices)
  const found = new Map<number, StoredEntry>()
  for (const { entries } of rows.map(batchOf)) {
    for (const entry of entries) if (wanted.has(entry.index)) found.set(entry.index, entry)
  }
  return found
}

const backwards = {
  name: 'log_backwards',
  text: `select ${columns} from log_batch b where b.ledger = $1 and b.first < $2 order by b.first desc limit $3`,
}

// Driven by the first term; the others are looked up for each batch that has it.
const backwardsByTerms = {
  name: 'log_backwards_by_terms',
  text: `select ${columns} from log_term t join log_batch b on b.ledger = t.ledger and b.first = t.first
    where t.ledger = $1 and t.first < $2 and t.term = $4 and not exists (
      select from unnest($5::text[]) as also (term)
      where not exists (select from log_term o where o.ledger = $1 and o.term = also.term and o.first = t.first))
    order by t.first desc limit $3`,
}

/** Most batches hold many records, so the first reads are small; a search that finds little reads more at a time. */
const batchesPerRead = [2, 8, 32]

/**
 * Batches that begin before `before`, the newest first, and only those that have all of the terms
 * (`recordTerms`): each holds a record for every term, though not always one for all of them.
 */
export async function* batchesBackwards(
  client: Queryable,
  ledger: string,
  before: number,
  terms: readonly string[],
): AsyncGenerator<LogBatch> {
  const [term, ...also] = terms
  let next = before
  for (let read = 0; ; read++) {
    const limit = batchesPerRead[Math.min(read, batchesPerRead.length - 1)] ?? 1
    const { rows } =
      term === undefined
        ? await client.query<BatchRow>({ ...backwards, values: [ledger, next, limit] })
        : await client.query<BatchRow>({ ...backwardsByTerms, values: [ledger, next, limit, term, also] })
    for (const row of rows) {
      const batch = batchOf(row)
      next = batch.first
      yield batch
    }
    if (rows.length < limit) return
  }
}

const forwards = {
  name: 'log_forwards',
  text: `select ${columns}, b.at, b.at <> date_trunc('milliseconds', b.at) as finer
    from log_batch b where b.ledger = $1 and b.first > $2 order by b.first limit $3`,
}

const holder = {
  name: 'log_holder',
  text: 'select max(first) as first from log_batch where ledger = $1 and first <= $2',
}

/** A batch with the time that is stored beside its records. */
export interface TimedBatch extends LogBatch {
  /** RFC 3339; something else where the stored time is none that a record could have. */
  readonly at: string
}

/** The batch that holds `from`, or the first after it, and every one that follows, in bounded memory. */
export async function* batchesFrom(
  client: Queryable,
  ledger: string,
  from: number,
): AsyncGenerator<TimedBatch> {
  const { rows: held } = await client.query<{ first: string | null }>({ ...holder, values: [ledger, from] })
  let after = Number(held[0]?.first ?? from) - 1
  for (;;) {
    const { rows } = await client.query<BatchRow & { at: Date | number | null; finer: boolean }>({
      ...forwards,
      values: [ledger, after, forwardsPerRead],
    })
    for (const row of rows) {
      const batch = batchOf(row)
      after = batch.first
      yield { ...batch, at: timeText(row.at, row.finer) }
    }
    if (rows.length < forwardsPerRead) return
  }
}

const forwardsPerRead = 24

/** Every stored entry from `from` on, in the order of the index, in bounded memory. */
export async function* entriesFrom(
  client: Queryable,
  ledger: string,
  from: number,
): AsyncGenerator<StoredEntry> {
  for await (const { entries } of batchesFrom(client, ledger, from)) {
    for (const entry of entries) if (entry.index >= from) yield entry
  }
}

// The first batch may begin before the range, and the last go on after it.
const overlapping = `b.ledger = $1 and b.first < $3 and b.first >= coalesce(
    (select max(c.first) from log_batch c where c.ledger = $1 and c.first <= $2), $2)`

const leaves = {
  name: 'log_leaves',
  text: `select b.first, b.leaf_hashes from log_batch b where ${overlapping} order by b.first`,
}

/**
 * The leaf hashes of the records from `from` up to and without `to`, in one piece; those before the first that is
 * missing.
 */
export async function readLeafHashes(
  client: Queryable,
  ledger: string,
  from: number,
  to: number,
): Promise<Buffer> {
  const values = [ledger, from, to]
  const { rows } = await client.query<Pick<BatchRow, 'first' | 'leaf_hashes'>>({ ...leaves, values })
  const pieces: Buffer[] = []
  let next = from
  for (const { first, leaf_hashes: hashes } of rows) {
    const skipped = next - Number(first)
    if (skipped < 0) break
    const piece = hashes.subarray(skipped * hashBytes, (to - Number(first)) * hashBytes)
    pieces.push(piece)
    next += piece.length / hashBytes
  }
  return Buffer.concat(pieces)
}

const texts = {
  name: 'log_texts',
  text: `select b.first, b.records from log_batch b where ${overlapping} order by b.first`,
}

/** The texts of the records from `from` up to and without `to`; those before the first that is missing. */
export async function readRecordTexts(
  client: Queryable,
  ledger: string,
  from: number,
  to: number,
): Promise<string[]> {
  const values = [ledger, from, to]
  const { rows } = await client.query<Pick<BatchRow, 'first' | 'records'>>({ ...texts, values })
  const found: string[] = []
  for (const { first, records } of rows) {
    const skipped = from + found.length - Number(first)
    if (skipped < 0) break
    found.push(...records.split('\n').slice(skipped, to - Number(first)))
  }
  return found
}

function batchOf(row: BatchRow): LogBatch {
  const first = Number(row.first)
  const records = row.records.split('\n')
  const bodies = row.bodies.split('\n')
  const erased = row.erased.length === 0 ? none : new Set(row.erased.map(Number))
  const entries = records.map((record, at): StoredEntry => {
    const index = first + at
    const body = bodies[at] ?? ''
    return {
      index,
      leafHash: row.leaf_hashes.subarray(at * hashBytes, (at + 1) * hashBytes),
      record,
      payload:
        body !== ''
          ? { salt: row.salts.subarray(at * saltBytes, (at + 1) * saltBytes), body }
          : erased.has(index)
            ? 'erased'
            : 'none',
    }
  })
  return { first, entries, misfit: misfitOf(row, records.length, bodies.length, erased, first) }
}

const none: ReadonlySet<number> = new Set()

function misfitOf(
  row: BatchRow,
  records: number,
  bodies: number,
  erased: ReadonlySet<number>,
  first: number,
): string | undefined {
  if (row.leaf_hashes.length !== records * hashBytes)
    return 'the leaf hashes stored beside it are not one for each record'
  if (row.salts.length !== records * saltBytes)
    return 'the salts stored beside it are not one for each record'
  if (bodies !== records) return 'the payloads stored beside it are not one for each record'
  const strange = [...erased].some((index) => !(index >= first && index < first + records))
  return strange ? 'a payload is marked as erased that is not of its batch' : undefined
}

// `infinity` arrives as a number; no record says it, so verification finds it. A Date drops what is finer than
// milliseconds, which no record says either.
function timeText(at: Date | number | null, finer: boolean): string {
  if (!(at instanceof Date) || Number.isNaN(at.getTime())) return String(at)
  return finer ? `later than ${at.toISOString()}` : at.toISOString()
}
