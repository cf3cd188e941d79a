import { decodeFrontier, emptyFrontier, encodeFrontier, Fault, type Checkpoint, type Frontier } from '@bailiwick/core'
import type { Queryable } from './log/read.ts'

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

/** The committed head. @throws Fault `log_broken` where the stored one is malformed */
export async function readHead(client: Queryable, ledger: string): Promise<Frontier> {
  const { size, frontier } = await readStoredHead(client, ledger)
  return decodeFrontier(size, frontier)
}

/**
 * Refuses a database that has fewer records than were published: going on would issue the same
 * indices again with other records, and contradict a published checkpoint (G6).
 */
export async function refuseRestoredBackup(
  client: Queryable,
  ledger: string,
  published: Checkpoint | undefined,
): Promise<void> {
  const head = await readHead(client, ledger)
  if (published === undefined || head.size >= published.size) return
  throw new Fault(
    'log_broken',
    `the database has ${head.size} records of the ledger \`${ledger}\`, but a checkpoint for ${published.size} was published`,
    { fix: 'Restore the newest backup of the database, or start a new ledger; see the threat model on restored backups.' },
  )
}
