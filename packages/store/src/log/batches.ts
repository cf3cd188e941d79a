import type { StoredEntry } from '@bailiwick/core'
import type pg from 'pg'
import {
  batchOf,
  columns,
  hashBytes,
  timedBatchOf,
  type BatchRow,
  type LogBatch,
  type TimedBatch,
  type TimedRow,
} from './batch-row.ts'

/** Anything that runs a statement: a connection or a pool. */
export type Queryable = Pick<pg.Client, 'query'>

// Where one record lies, the rest of its batch lies too: whole batches are read, and each once. The batch is looked for
// by the index and then read by its time as well, which picks its partition: the plan that looks into all of them for
// every row costs ten times as much with twenty partitions.
function holding(name: string, spans: string, within: string, wanted = columns, of = '') {
  return {
    name,
    text: `select ${wanted} from (
        select distinct held.first, held.at from unnest($2::bigint[]) as wanted (index) ${spans},
        lateral (select c.first, c.at from log_batch c where c.ledger = $1 and c.first <= wanted.index ${within}
          order by c.first desc limit 1) as held
      ) as held join log_batch b on b.ledger = $1 and b.first = held.first and b.at = held.at${of}`,
  }
}

// Measured with twenty partitions: 90 us for an index by its span, 210 us without, 50 us in a table of one part.
const bySpan = [
  `, lateral (select
      (select s.lower from log_span s where s.ledger = $1 and s.first <= wanted.index order by s.first desc limit 1) as lower,
      (select s.until from log_span s where s.ledger = $1 and s.first > wanted.index order by s.first limit 1) as until
      offset 0) as span`,
  `and c.at >= coalesce(span.lower, '-infinity') and c.at <= coalesce(span.until, 'infinity')`,
] as const
const holdingBySpan = holding('log_holding', ...bySpan)
const holdingAnywhere = holding('log_holding_anywhere', '', '')

// The lines alone: of a batch of hundreds of records, few may be wanted.
const lines = [
  'b.first + t.n - 1 as index, t.record, t.body',
  `, lateral unnest(string_to_array(b.records, E'\\n'), string_to_array(b.bodies, E'\\n')) with ordinality as t (record, body, n)
    where b.first + t.n - 1 = any($2::bigint[])`,
] as const
const linesBySpan = holding('log_lines', ...bySpan, ...lines)
const linesAnywhere = holding('log_lines_anywhere', '', '', ...lines)

/** A record's text, and that of its payload; undefined where it has none or that was erased. */
export interface RecordLine {
  readonly record: string
  readonly body: string | undefined
}

/** The texts of the records at these indices, and no more of their batches; those that the log does not have are left out. */
export async function readLines(
  client: Queryable,
  ledger: string,
  indices: readonly number[],
): Promise<ReadonlyMap<number, RecordLine>> {
  const found = new Map<number, RecordLine>()
  for (const statement of [linesBySpan, linesAnywhere]) {
    const missing = indices.filter((index) => !found.has(index))
    if (missing.length === 0) break
    const { rows } = await client.query<{ index: string; record: string; body: string | null }>({
      ...statement,
      values: [ledger, missing],
    })
    for (const { index, record, body } of rows) found.set(Number(index), { record, body: body || undefined })
  }
  return found
}

/** The entries at these indices; those that the log does not have are left out. */
export async function readEntries(
  client: Queryable,
  ledger: string,
  indices: readonly number[],
): Promise<ReadonlyMap<number, StoredEntry>> {
  const found = new Map<number, StoredEntry>()
  if (indices.length === 0) return found
  const missing = new Set(indices)
  const read = async (statement: typeof holdingBySpan) => {
    const { rows } = await client.query<BatchRow>({ ...statement, values: [ledger, [...missing]] })
    for (const { entries } of rows.map(batchOf)) {
      for (const entry of entries) if (missing.delete(entry.index)) found.set(entry.index, entry)
    }
  }
  await read(holdingBySpan)
  // Archived, never there, or written by a service whose clock is far off.
  if (missing.size > 0) await read(holdingAnywhere)
  return found
}

const backwards = {
  name: 'log_backwards',
  text: `select ${columns} from log_batch b where b.ledger = $1 and b.first < $2 order by b.first desc limit $3`,
}

// Driven by the first term; the others are looked up for each batch that has it. The time picks the partition.
const backwardsByTerms = {
  name: 'log_backwards_by_terms',
  text: `select ${columns} from log_term t join log_batch b on b.ledger = t.ledger and b.first = t.first and b.at = t.at
    where t.ledger = $1 and t.first < $2 and t.term = $4 and not exists (
      select from unnest($5::text[]) as also (term)
      where not exists (
        select from log_term o where o.ledger = $1 and o.term = also.term and o.first = t.first and o.at = t.at))
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

function forwards(name: string, within: string) {
  return {
    name,
    text: `select ${columns}, b.at, b.at <> date_trunc('milliseconds', b.at) as finer
      from log_batch b where b.ledger = $1 and b.first > $2 ${within} order by b.first limit $3`,
  }
}

const forwardsBySpan = forwards(
  'log_forwards',
  `and b.at >= coalesce((select s.lower from log_span s where s.ledger = $1 and s.first <= $2::bigint + 1
    order by s.first desc limit 1), '-infinity')`,
)
const forwardsAnywhere = forwards('log_forwards_anywhere', '')

const holder = {
  name: 'log_holder',
  text: 'select max(first) as first from log_batch where ledger = $1 and first <= $2',
}

const holderBySpan = {
  name: 'log_holder_by_span',
  text: `select max(b.first) as first from log_batch b where b.ledger = $1 and b.first <= $2
    and b.at >= (select s.lower from log_span s where s.ledger = $1 and s.first <= $2 order by s.first desc limit 1)
    and b.at <= coalesce((select s.until from log_span s where s.ledger = $1 and s.first > $2 order by s.first limit 1), 'infinity')`,
}

/** The batch that holds `from`, or the first after it, and every one that follows, in bounded memory. */
export async function* batchesFrom(
  client: Queryable,
  ledger: string,
  from: number,
): AsyncGenerator<TimedBatch> {
  // Batches follow on each other. Where they do not, a span may be wrong: then nothing is left out for it.
  let next = await heldBy(client, ledger, from)
  let after = (next ?? from) - 1
  let statement = forwardsBySpan
  for (;;) {
    const { rows } = await client.query<TimedRow>({
      ...statement,
      values: [ledger, after, forwardsPerRead],
    })
    const count = rows.length
    const last = Number(rows.at(-1)?.first)
    for (const row of rows) {
      const batch = timedBatchOf(row)
      if (statement === forwardsBySpan && batch.first !== (next ?? batch.first)) {
        statement = forwardsAnywhere
        break
      }
      after = batch.first
      next = batch.first + batch.entries.length
      yield batch
    }
    // As in `scanBatches`: what the driver holds of an answer keeps no rows.
    rows.length = 0
    if (count === forwardsPerRead || (count > 0 && after !== last)) continue
    if (statement === forwardsAnywhere || (next ?? from) >= (await headSize(client, ledger))) return
    // There is more than the spans have led to.
    statement = forwardsAnywhere
  }
}

const headSizes = { name: 'log_head_size', text: 'select size from ledger_head where ledger = $1' }

async function headSize(client: Queryable, ledger: string): Promise<number> {
  const { rows } = await client.query<{ size: string }>({ ...headSizes, values: [ledger] })
  return Number(rows[0]?.size ?? 0)
}

// The first index of the batch that holds `from`, if there is one.
async function heldBy(client: Queryable, ledger: string, from: number): Promise<number | undefined> {
  const values = [ledger, from]
  const { rows: near } = await client.query<{ first: string | null }>({ ...holderBySpan, values })
  const found = near[0]?.first ?? undefined
  if (found !== undefined) return Number(found)
  const { rows } = await client.query<{ first: string | null }>({ ...holder, values })
  const first = rows[0]?.first ?? undefined
  return first === undefined ? undefined : Number(first)
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

/** Where the first batch begins that begins at `from` or later; undefined where none does. */
export async function nextBatch(
  client: Queryable,
  ledger: string,
  from: number,
): Promise<number | undefined> {
  const { rows } = await client.query<{ first: string | null }>(
    'select min(first) as first from log_batch where ledger = $1 and first >= $2',
    [ledger, from],
  )
  const first = rows[0]?.first
  return typeof first === 'string' ? Number(first) : undefined
}

/** Batches that begin at `from` or later, in order: the first few of them, in one statement of its own. */
export async function readBatches(
  client: Queryable,
  ledger: string,
  from: number,
  limit: number,
): Promise<readonly TimedBatch[]> {
  const { rows } = await client.query<TimedRow>({
    ...forwardsAnywhere,
    values: [ledger, from - 1, limit],
  })
  return rows.map(timedBatchOf)
}
