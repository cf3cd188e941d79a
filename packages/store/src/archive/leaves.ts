import {
  appendLeaves,
  emptyFrontier,
  encodeFrontier,
  hashBytes,
  type BrokenLog,
  type Frontier,
} from '@bailiwick/core'
import type pg from 'pg'
import { leafHashes } from '../head.ts'
import type { Queryable } from '../log/batches.ts'
import type { Pace } from './pace.ts'
import { segmentsFrom } from './segments.ts'

const leavesPerRow = 4096
const rowsPerRead = 2

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

/**
 * The tree some thousands of records further on, by the leaf hashes that were kept of archived ones.
 *
 * @param to the index before which it ends
 * @returns the same tree where none are kept of the records that follow on it
 */
export async function alongKeptLeaves(
  client: Queryable,
  ledger: string,
  frontier: Frontier,
  to: number,
): Promise<Frontier> {
  const from = frontier.size
  const { rows } = await client.query<{ first: string; hashes: Buffer }>(
    `select first, hashes from archive_leaf where ledger = $1 and first < $3 and first >= coalesce(
      (select c.first from archive_leaf c where c.ledger = $1 and c.first <= $2 order by c.first desc limit 1), $2)
    order by first limit $4`,
    [ledger, from, to, rowsPerRead],
  )
  let reached = frontier
  for (const { first, hashes } of rows) {
    const [start, end] = [reached.size - Number(first), to - Number(first)]
    // A gap before it, or a row that is cut within a hash, keeps nothing.
    if (start < 0 || hashes.length % hashBytes !== 0) break
    reached = appendLeaves(reached, hashes.subarray(start * hashBytes, end * hashBytes))
  }
  return reached
}

/**
 * Holds the leaf hashes that were kept of archived records against the trees that the segments' manifests name. Proofs and
 * later heads rest on them.
 */
export async function keptLeavesProblem(client: Queryable, ledger: string): Promise<BrokenLog | undefined> {
  let frontier: Frontier = emptyFrontier
  for await (const { first, end, manifest } of segmentsFrom(client, ledger, 0)) {
    while (frontier.size < end) {
      const next = await alongKeptLeaves(client, ledger, frontier, end)
      if (next.size === frontier.size) return wrongLeaves(first, end)
      frontier = next
    }
    if (encodeFrontier(frontier).toString('hex') !== manifest.frontier) return wrongLeaves(first, end)
  }
  return undefined
}

/** What is wrong where the leaf hashes that were kept of archived records are not theirs. */
export function wrongLeaves(first: number, end: number): BrokenLog {
  const problem = `the leaf hashes kept of the records ${first} to ${end - 1} are not theirs`
  return { kind: 'broken', index: null, problem, fix: fixLeaves }
}

const fixLeaves =
  'Keep the database as evidence, and restore the table archive_leaf from a backup; `bailiwick log verify --cold` says whether the archive is as it was.'
