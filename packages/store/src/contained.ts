import {
  emptyFrontier,
  Fault,
  frontierRoot,
  proveConsistency,
  verifyConsistency,
  type BrokenLog,
  type Checkpoint,
  type Frontier,
} from '@bailiwick/core'
import type { CheckpointCopy } from './checkpoints/copies.ts'
import { extended, followHead } from './head.ts'
import type { Queryable } from './log/batches.ts'
import type { LogTiles } from './tiles.ts'

/** A log with a head that is known to go on from what it published. */
export interface HeldLog {
  readonly client: Queryable
  readonly ledger: string
  readonly tiles: LogTiles
  readonly head: Frontier
  readonly published: Checkpoint | undefined
}

/**
 * Holds a log against checkpoints that are kept elsewhere: each has to be of its own first records (G6). An old checkpoint
 * that was put back in the data directory says nothing of what came after it; these do.
 *
 * @throws Fault `log_broken` where it does not contain one of them
 */
export async function refuseUncontained(log: HeldLog, copies: readonly CheckpointCopy[]): Promise<void> {
  const { client, ledger, tiles, head, published } = log
  for (const copy of copies) {
    const { size } = copy.checkpoint
    if (size === 0) continue
    if (size > head.size) throw uncontained(copy, `has ${head.size} records`)
    // A handful of hashes; only where they do not convince, all leaf hashes are read.
    if (published !== undefined && (await isProven(tiles, copy.checkpoint, published))) continue
    const start = await extended(client, ledger, emptyFrontier, size)
    if (!isOf(start, copy.checkpoint)) throw uncontained(copy, 'has other ones')
    await followHead(client, ledger, start)
  }
}

/** The first of these checkpoints, by their size, that a stored log's leaf hashes do not lead to. */
export async function uncontainedProblem(
  client: Queryable,
  ledger: string,
  copies: readonly CheckpointCopy[],
): Promise<BrokenLog | undefined> {
  let frontier = emptyFrontier
  for (const copy of copies.toSorted((a, b) => a.checkpoint.size - b.checkpoint.size)) {
    frontier = await extended(client, ledger, frontier, copy.checkpoint.size)
    if (isOf(frontier, copy.checkpoint)) continue
    const { message, fix } = uncontained(copy, 'does not hold them')
    return { kind: 'broken', index: null, problem: message, fix }
  }
  return undefined
}

function isOf(frontier: Frontier, { size, root }: Checkpoint): boolean {
  return frontier.size === size && frontierRoot(frontier).equals(root)
}

async function isProven(tiles: LogTiles, from: Checkpoint, to: Checkpoint): Promise<boolean> {
  if (from.size > to.size) return false
  try {
    const proof = await proveConsistency(tiles.nodes(to.size), from.size, to.size)
    return verifyConsistency({
      from: from.size,
      to: to.size,
      fromRoot: from.root,
      toRoot: to.root,
      proof,
    })
  } catch (fault) {
    if (fault instanceof Fault && fault.code !== 'store_unavailable') return false
    throw fault
  }
}

function uncontained({ path, checkpoint }: CheckpointCopy, but: string): Fault {
  return new Fault(
    'log_broken',
    `\`${path}\` is a checkpoint for ${checkpoint.size} records of this log, which ${but}`,
    {
      fix: 'Keep the checkpoint and the database as evidence: the log was cut off, rewritten or restored from an older backup after that checkpoint. Go on only from a database that contains it.',
    },
  )
}
