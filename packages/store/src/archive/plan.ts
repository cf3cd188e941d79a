import { instantText, type Instant } from '@bailiwick/core'
import type { Queryable } from '../log/batches.ts'

/** How large a segment may be. */
export interface SegmentLimits {
  readonly records: number
  /** As PostgreSQL stores records and payloads. */
  readonly bytes: number
}

export const segmentLimits: SegmentLimits = { records: 250_000, bytes: 128 * 1024 * 1024 }

/** How many segments one run makes at most; the next one goes on. */
const segmentsMax = 400
const batchesPerRead = 2000

/**
 * Where segments are to end, ascending: none reaches a record of `before` or later, or an approval that is open, whose
 * terms and params deciding still needs. They end where batches end.
 *
 * @param first the index of the first record that is not archived
 */
export async function segmentEnds(
  client: Queryable,
  ledger: string,
  first: number,
  before: Instant,
  limits: SegmentLimits,
): Promise<readonly number[]> {
  const end = await endOf(client, ledger, first, before)
  const ends: number[] = []
  let size = { records: 0, bytes: 0 }
  let last = first
  for (let next = first; next < end && ends.length < segmentsMax;) {
    const { rows } = await client.query<{ first: string; records: number; bytes: number }>(
      `select first, octet_length(leaf_hashes) / 32 as records, pg_column_size(records) + pg_column_size(bodies) as bytes
      from log_batch where ledger = $1 and first >= $2 and first < $3 order by first limit $4`,
      [ledger, next, end, batchesPerRead],
    )
    for (const row of rows) {
      const full = size.records + row.records > limits.records || size.bytes + row.bytes > limits.bytes
      if (full && size.records > 0) {
        ends.push(Number(row.first))
        size = { records: 0, bytes: 0 }
      }
      size = { records: size.records + row.records, bytes: size.bytes + row.bytes }
      last = Number(row.first) + row.records
    }
    if (rows.length === 0) break
    next = last
  }
  if (size.records > 0 && ends.length < segmentsMax) ends.push(last)
  return ends
}

// The first batch, by the index, that has to stay.
async function endOf(client: Queryable, ledger: string, first: number, before: Instant): Promise<number> {
  const { rows } = await client.query<{ stop: string | null }>(
    `select least(
      (select min(first) from log_batch where ledger = $1 and first >= $2 and at >= $3::timestamptz),
      (select max(b.first) from log_batch b where b.ledger = $1 and b.first <= (
        select min(decision) from approval where ledger = $1 and decision >= $2 and status in ('pending', 'approved'))),
      (select size from ledger_head where ledger = $1)
    ) as stop`,
    [ledger, first, instantText(before)],
  )
  return Number(rows[0]?.stop ?? first)
}
