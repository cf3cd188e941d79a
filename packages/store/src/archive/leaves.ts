import { hashBytes } from '@bailiwick/core'
import type pg from 'pg'
import { leafHashes } from '../head.ts'
import type { Pace } from './pace.ts'

const leavesPerRow = 4096

/**
 * Keeps the leaf hashes of records that are to leave. Call it before the segment is recorded: rows that no segment
 * follows on are written again by the next run, and until then say the same as the records do.
 */
export async function keepLeaves(
  client: pg.Client,
  ledger: string,
  first: number,
  end: number,
  pace: Pace,
): Promise<void> {
  await client.query('delete from archive_leaf where ledger = $1 and first >= $2', [ledger, first])
  for (let from = first; from < end; from += leavesPerRow) {
    const leaves = await leafHashes(client, ledger, from, Math.min(end, from + leavesPerRow))
    await client.query('insert into archive_leaf (ledger, first, hashes) values ($1, $2, $3)', [
      ledger,
      from,
      Buffer.concat(leaves, leaves.length * hashBytes),
    ])
    await pace()
  }
}
