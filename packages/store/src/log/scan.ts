import type pg from 'pg'
import { columns, timedBatchOf, type TimedBatch, type TimedRow } from './batch-row.ts'

/** Which batches to scan: those that begin at `from` or later, and before `below`. */
export interface ScanRange {
  readonly ledger: string
  /** Negative infinity for all that come before. */
  readonly from: number
  /** Infinity for all that follow. */
  readonly below: number
}

/** About how much text a scan fetches at a time, and how many batches at the most. */
const scanTextLength = 256 * 1024
const scanRowsMax = 512

/**
 * Every row of a range in order, also where several say that they begin at the same record, in bounded memory: some
 * batches at a time, while the next ones are on their way. Call it in a transaction, once at a time.
 */
export async function* scanBatches(
  client: pg.Client,
  { ledger, from, below }: ScanRange,
): AsyncGenerator<TimedBatch> {
  await client.query(
    `declare log_scan no scroll cursor for select ${columns}, b.at, b.at <> date_trunc('milliseconds', b.at) as finer
    from log_batch b where b.ledger = ${client.escapeLiteral(ledger)} ${bounds(from, below)}
    order by b.first`,
  )
  const fetch = async (limit: number) => {
    const { rows } = await client.query<TimedRow>(`fetch ${limit} from log_scan`)
    return { rows, isLast: rows.length < limit, limit }
  }
  try {
    let next = fetch(4)
    for (;;) {
      const { rows, isLast, limit } = await next
      const length = rows.reduce((sum, row) => sum + row.records.length + row.bodies.length, 0)
      if (!isLast) {
        const fitting = Math.floor((scanTextLength * rows.length) / (length + 1))
        next = fetch(Math.max(1, Math.min(scanRowsMax, fitting, limit * 4)))
        // Heard when it is waited for.
        next.catch(() => undefined)
      }
      // One after the other: entries that wait would only have to be moved about in memory.
      for (const row of rows) yield timedBatchOf(row)
      // What the driver still holds of an answer, and of all before it, keeps no rows: collecting them took a fifth of the time.
      rows.length = 0
      if (isLast) break
    }
  } finally {
    // Whoever stops early may scan again. Where the transaction has failed, the cursor went with it.
    await client.query('close log_scan').catch((error: unknown) => error)
  }
}

// The first range and the last one are open: rows may say that they begin anywhere.
function bounds(from: number, below: number): string {
  const since = Number.isSafeInteger(from) ? ` and b.first >= ${from}` : ''
  return Number.isSafeInteger(below) ? `${since} and b.first < ${below}` : since
}
