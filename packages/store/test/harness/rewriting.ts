import { appendLeaves, emptyFrontier, encodeFrontier } from '@bailiwick/core'
import type { LedgerSite } from './ledger.ts'

/** A database that somebody owns. */
export type OwnedDatabase = Pick<LedgerSite, 'query'>

/** What an attacker does who can rewrite the whole database: makes head and tree fit the records that are left. */
export async function recomputeHead(database: OwnedDatabase, ledger: string): Promise<void> {
  const rows = await database.query<{ leaf_hash: Buffer }>(
    'select leaf_hash from log_entry where ledger = $1 order by index',
    [ledger],
  )
  const head = appendLeaves(
    emptyFrontier,
    rows.map((row) => row.leaf_hash),
  )
  await database.query('update ledger_head set size = $2, frontier = $3 where ledger = $1', [
    ledger,
    head.size,
    encodeFrontier(head),
  ])
}

/** Cuts off the records from one that begins a batch on, so that the log fits as if they had never been. */
export async function cutTail(database: OwnedDatabase, ledger: string, from: number): Promise<void> {
  for (const table of ['log_batch', 'log_term']) {
    await database.query(`delete from ${table} where ledger = $1 and first >= $2`, [ledger, from])
  }
  await recomputeHead(database, ledger)
}
