import {
  appendLeaves,
  decodeFrontier,
  emptyFrontier,
  encodeFrontier,
  Fault,
  frontierRoot,
  type Checkpoint,
  type Frontier,
} from '@bailiwick/core'
import type { OwnHeads } from './checkpoints/own-heads.ts'
import type { Queryable } from './log/batches.ts'
import { closedFault, type MoveState } from './move/head-state.ts'

/** The committed head as it is stored, unchecked; the empty one where nothing has been recorded yet. */
export async function readStoredHead(
  client: Queryable,
  ledger: string,
): Promise<{ readonly size: number; readonly frontier: Buffer }> {
  const { rows } = await client.query<{ size: string; frontier: Buffer }>(
    'select size, frontier from ledger_head where ledger = $1',
    [ledger],
  )
  const row = rows[0]
  return row === undefined
    ? { size: 0, frontier: encodeFrontier(emptyFrontier) }
    : { size: Number(row.size), frontier: row.frontier }
}

/**
 * The committed head, to append to or to sign.
 *
 * @throws Fault `log_broken` where the stored one is malformed; `conflict` or `store_unavailable` where the log has moved
 *   to another database or is being moved: it must not go on in two places (G6)
 */
export async function readHead(client: Queryable, ledger: string): Promise<Frontier> {
  const { rows } = await client.query<StoredHeadRow>(
    'select size, frontier, move_state, move_other from ledger_head where ledger = $1',
    [ledger],
  )
  const [row] = rows
  if (row === undefined) return emptyFrontier
  if (row.move_state !== null) throw closedFault(ledger, row.move_state, row.move_other ?? '')
  return decodeFrontier(Number(row.size), row.frontier)
}

interface StoredHeadRow {
  readonly size: string
  readonly frontier: Buffer
  readonly move_state: MoveState | null
  readonly move_other: string | null
}

/**
 * The committed head, held against one that was committed before: the records in between must lead from
 * the one to the other. So a process that runs never goes on with a history that was rewritten or
 * rewound under it (G6).
 *
 * @param own heads of which it is known here, without reading what lies between them
 * @throws Fault `log_broken` where they do not
 */
export async function followHead(
  client: Queryable,
  ledger: string,
  before: Frontier | undefined,
  own?: OwnHeads,
): Promise<Frontier> {
  const head = await readHead(client, ledger)
  if (before === undefined || own?.areOneLog(before, head) === true) return head
  const followed = await extended(client, ledger, before, head.size)
  if (followed.size === head.size && encodeFrontier(followed).equals(encodeFrontier(head))) return head
  throw otherRecords(ledger, before.size)
}

function otherRecords(ledger: string, size: number): Fault {
  return new Fault(
    'log_broken',
    `the ledger \`${ledger}\` no longer holds the ${size} records that it held before`,
    {
      fix: 'Run `bailiwick log verify`; somebody has rewritten the database, or restored an older one.',
    },
  )
}

/** The frontier at `size` by the leaf hashes that the database holds from `from` on, or at the last record before a gap. */
export async function extended(
  client: Queryable,
  ledger: string,
  from: Frontier,
  size: number,
  rest?: () => Promise<void>,
): Promise<Frontier> {
  let frontier = from
  while (frontier.size < size) {
    const leaves = await leafHashes(
      client,
      ledger,
      frontier.size,
      Math.min(size, frontier.size + leavesPerRead),
    )
    if (leaves.length === 0) break
    frontier = appendLeaves(frontier, leaves)
    await rest?.()
  }
  return frontier
}

const leavesPerRead = 10_000
const hashBytes = 32

/** The leaf hashes from `from` to before `to`, archived ones too, up to the first gap. */
export async function leafHashes(
  client: Queryable,
  ledger: string,
  from: number,
  to: number,
): Promise<Buffer[]> {
  const { rows } = await client.query<{ first: string; leaf_hashes: Buffer }>(
    `select first, hashes as leaf_hashes from archive_leaf where ledger = $1 and first < $3 and first >= coalesce(
      (select c.first from archive_leaf c where c.ledger = $1 and c.first <= $2 order by c.first desc limit 1), $2)
    union all
    select first, leaf_hashes from log_batch where ledger = $1 and first < $3 and first >= coalesce(
      (select c.first from log_batch c where c.ledger = $1 and c.first <= $2 order by c.first desc limit 1), $2)
    order by first`,
    [ledger, from, to],
  )
  const leaves: Buffer[] = []
  // Rows whole: the first may begin before `from`, the last may go on after `to`, and records that are about to leave
  // are in both tables.
  for (const { first, leaf_hashes: hashes } of rows) {
    for (let at = 0; at < hashes.length; at += hashBytes) {
      const index = Number(first) + at / hashBytes
      // After a gap nothing follows on.
      if (index === from + leaves.length && index < to) leaves.push(hashes.subarray(at, at + hashBytes))
    }
  }
  return leaves
}

/**
 * Refuses a database that does not begin with the records that were published: going on would issue the same
 * indices again with other records, and contradict a published checkpoint (G6).
 *
 * @returns the head, which contains what was published
 * @param kept the frontier at the checkpoint, where it was kept; without it all leaf hashes before it are read
 */
export async function refuseRestoredBackup(
  client: Queryable,
  ledger: string,
  published: Checkpoint | undefined,
  kept: Frontier | undefined,
): Promise<Frontier> {
  const head = await readHead(client, ledger)
  if (published === undefined) return head
  if (head.size < published.size) {
    throw new Fault(
      'log_broken',
      `the database has ${head.size} records of the ledger \`${ledger}\`, but a checkpoint for ${published.size} was published`,
      {
        fix: 'Restore the newest backup of the database, or start a new ledger; see the threat model on restored backups.',
      },
    )
  }
  if (head.size === published.size && frontierRoot(head).equals(published.root)) return head
  const start = kept ?? (await extended(client, ledger, emptyFrontier, published.size))
  if (!frontierRoot(start).equals(published.root)) throw otherRecords(ledger, published.size)
  return await followHead(client, ledger, start)
}
