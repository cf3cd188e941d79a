import type { Instant } from '@bailiwick/core'
import type pg from 'pg'
import type { Queryable } from '../log/batches.ts'
import { listPartitions, withShortLocks, type Partition } from '../log/partitions.ts'
import { refuseUnderHold } from '../operations/archive.ts'
import { holdsNow } from './holds.ts'
import type { Pace } from './pace.ts'
import { archivedEnd } from './segments.ts'

/** What has left the database. */
export interface Removed {
  /** The suffixes of the partitions that were dropped. */
  readonly partitions: readonly string[]
  /** Batches that were deleted one by one, because their partition has to stay. */
  readonly batches: number
}

/**
 * Removes records from the database that lie in recorded segments: whole partitions where everything in them is
 * archived, and otherwise, in the default partition and in those that still take records, row by row. A crash before or
 * after any step leaves records in both places or in cold storage alone, and the next run goes on.
 *
 * @param before partitions that end by then take no more records
 * @throws Fault `conflict` while a hold stands
 */
export async function removeArchived(
  client: pg.Client,
  ledger: string,
  before: Instant,
  pace: Pace,
): Promise<Removed> {
  refuseUnderHold(await holdsNow(client, ledger))
  const end = await archivedEnd(client, ledger)
  if (end === 0) return { partitions: [], batches: 0 }
  const dropped: string[] = []
  const staying: string[] = []
  for (const partition of await listPartitions(client)) {
    if (partition.upper > before) staying.push(partition.suffix)
    else if (await dropPartition(client, partition)) dropped.push(partition.suffix)
    await pace()
  }
  let batches = 0
  for (const suffix of [...staying, 'default']) batches += await deleteRows(client, ledger, suffix, end, pace)
  return { partitions: dropped, batches }
}

// Whatever is not archived, or was erased here and not there yet, keeps its partition.
function keeps(suffix: string): string {
  return `select exists (
      select from log_batch_${suffix} b
      where b.first >= coalesce((select max(s.stop) from archive_segment s where s.ledger = b.ledger), 0)
    ) or exists (
      select from log_batch_${suffix} b, unnest(b.erased) as e (index) where not exists (
        select from archive_segment s, json_array_elements_text(s.payloads::json -> 'erased') as there (index)
        where s.ledger = b.ledger and s.first <= e.index and s.stop > e.index and there.index::bigint = e.index)
    ) or exists (
      select from log_batch_${suffix} b join hold h on h.ledger = b.ledger
    ) as keeps`
}

// Asked once without locks, so that the answer is most likely no when appends have to wait for it; and again under the
// lock that keeps every append, and so every hold and every erasure, from coming in between.
async function dropPartition(client: pg.Client, { suffix }: Partition): Promise<boolean> {
  if (!/^[0-9]{8}$/.test(suffix)) return false
  const { rows } = await client.query<{ keeps: boolean }>(keeps(suffix))
  if (rows[0]?.keeps !== false) return false
  const dropped = await withShortLocks(client, async () => {
    await client.query('lock table log_batch, log_term in access exclusive mode')
    const { rows: again } = await client.query<{ keeps: boolean }>(keeps(suffix))
    if (again[0]?.keeps !== false) return false
    for (const table of ['log_batch', 'log_term']) {
      await client.query(`alter table ${table} detach partition ${table}_${suffix}`)
      await client.query(`drop table ${table}_${suffix}`)
    }
    return true
  })
  return dropped === true
}

const batchesPerStep = 50
const termsPerStep = 500

async function deleteRows(
  client: pg.Client,
  ledger: string,
  suffix: string,
  end: number,
  pace: Pace,
): Promise<number> {
  let deleted = 0
  for (;;) {
    const step = await deleteStep(client, ledger, suffix, end)
    deleted += step.batches
    if (step.batches === 0 && step.terms === 0) return deleted
    await pace()
  }
}

// The head's lock orders a step before or after a hold that is placed meanwhile, and keeps no append waiting for longer.
async function deleteStep(
  client: pg.Client,
  ledger: string,
  suffix: string,
  end: number,
): Promise<{ readonly batches: number; readonly terms: number }> {
  await client.query('begin')
  try {
    await client.query('select from ledger_head where ledger = $1 for share', [ledger])
    refuseUnderHold(await holdsNow(client, ledger))
    const batches = await client.query(
      `delete from log_batch_${suffix} where ledger = $1 and first = any(array(
        select b.first from log_batch_${suffix} b where b.ledger = $1 and b.first < $2 and not exists (
          select from unnest(b.erased) as e (index) where not exists (
            select from archive_segment s, json_array_elements_text(s.payloads::json -> 'erased') as there (index)
            where s.ledger = b.ledger and s.first <= e.index and s.stop > e.index and there.index::bigint = e.index))
        order by b.first limit $3))`,
      [ledger, end, batchesPerStep],
    )
    const terms = await client.query(
      `delete from log_term_${suffix} where ctid = any(array(
        select t.ctid from log_term_${suffix} t where t.ledger = $1 and t.first < $2 limit $3))`,
      [ledger, end, termsPerStep],
    )
    await client.query('commit')
    return { batches: batches.rowCount ?? 0, terms: terms.rowCount ?? 0 }
  } catch (error) {
    await client.query('rollback').catch((cause: unknown) => cause)
    throw error
  }
}

/** When records are no longer hot: the newest end of a partition that is old enough, else the start of its period. */
export async function coldBefore(client: Queryable, limit: Instant): Promise<Instant> {
  const ends = (await listPartitions(client)).map(({ upper }) => upper).filter((upper) => upper <= limit)
  return (ends.length === 0 ? limit - (limit % dayMs) : Math.max(...ends)) as Instant
}

const dayMs = 24 * 60 * 60 * 1000
