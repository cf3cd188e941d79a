import {
  appendLeaves,
  completeRoot,
  emptyFrontier,
  tileWidth,
  type Frontier,
  type BrokenLog,
} from '@bailiwick/core'
import { allLeafHashes } from './archive/cold-records.ts'
import type { Queryable } from './log/batches.ts'
import { TileHashes } from './log/tile-hashes.ts'

const hashBytes = 32

const any = {
  name: 'tile_hashes_any',
  text: 'select exists (select from log_tile_hash where ledger = $1 and level = $2) as is_any',
}

const beyond = {
  name: 'tile_hashes_beyond',
  text: `select level, index from log_tile_hash
    where ledger = $1 and (index + 1) * power(256::numeric, level) > $2 order by level, index limit 1`,
}

/**
 * Holds the stored hashes of tiles against the head of a log that has been found intact: the hashes of a level, taken as
 * leaves, have to lead to the subtrees of the head, which takes a 256th of hashing the log. Hashes that have not been
 * written down yet are no problem; one that does not belong to the log is.
 */
export async function tileHashesProblem(
  client: Queryable,
  ledger: string,
  head: Frontier,
): Promise<BrokenLog | undefined> {
  const hashes = new TileHashes(
    client,
    ledger,
    {
      leafHashes: (from, to) => allLeafHashes(client, ledger, from, to),
      recordTexts: () => Promise.resolve([]),
    },
    false,
  )
  for (let level = 1; head.size >= tileWidth ** level; level++) {
    // Working all of them out only to find that none is written down would take as long as hashing the log.
    if (!(await isAnyStored(client, ledger, level))) continue
    const bad = await firstWrong(hashes, level, head)
    if (bad !== undefined) return broken(level, bad)
  }
  const { rows } = await client.query<{ level: number; index: string }>({
    ...beyond,
    values: [ledger, head.size],
  })
  const [row] = rows
  return row && broken(row.level, Number(row.index))
}

async function isAnyStored(client: Queryable, ledger: string, level: number): Promise<boolean> {
  const { rows } = await client.query<{ is_any: boolean }>({ ...any, values: [ledger, level] })
  return rows[0]?.is_any !== false
}

async function firstWrong(hashes: TileHashes, level: number, head: Frontier): Promise<number | undefined> {
  const complete = Math.floor(head.size / tileWidth ** level)
  let frontier = emptyFrontier
  while (frontier.size < complete) {
    const to = Math.min(complete, frontier.size + tileWidth)
    frontier = appendLeaves(frontier, await hashes.read(level, frontier.size, to))
  }
  // The head's subtrees of this level's width and above are the same ones.
  const isRight = frontier.hashes.every((hash, at) => head.hashes[at]?.equals(hash) === true)
  return isRight ? undefined : await searched(hashes, level, complete)
}

// The level below has been found right, so each hash can be worked out from it.
async function searched(hashes: TileHashes, level: number, complete: number): Promise<number> {
  for (let index = 0; index < complete; index++) {
    const stored = await hashes.read(level, index, index + 1)
    const below = await hashes.read(level - 1, index * tileWidth, (index + 1) * tileWidth)
    if (!stored.equals(completeRoot(below, 0, below.length / hashBytes))) return index
  }
  return complete
}

function broken(level: number, index: number): BrokenLog {
  return {
    kind: 'broken',
    index: null,
    problem: `the records are intact, but hash ${index} of level ${level} in \`log_tile_hash\` is not theirs, so that proofs made from it do not hold`,
    fix: 'Delete the rows of this ledger from `log_tile_hash`: they are worked out again. Find out who could write to the database.',
  }
}
