import type { Queryable } from '../log/batches.ts'
import { closedFault, readHeadMove } from '../move/head-state.ts'

/** Runs that archive take turns on this lock, one for each ledger. */
export const archiveLock = 7_420_003
/** Whoever rewrites payloads of a ledger's segments holds this lock on the connection that says so in the database. */
export const coldErasureLock = 7_420_006

/**
 * Takes both on a connection, until it ends: from then on nobody changes the archive or what the database says of it. False
 * where somebody does.
 */
export async function tryArchiveTurns(client: Queryable, ledger: string): Promise<boolean> {
  const { rows } = await client.query<{ taken: boolean }>(
    `select pg_try_advisory_lock($1, hashtext($3)) and pg_try_advisory_lock($2, hashtext($3)) as taken`,
    [archiveLock, coldErasureLock, ledger],
  )
  return rows[0]?.taken === true
}

/**
 * Refuses to change the archive of a log that has moved or is being moved: what the database says of it here is no longer what
 * counts. Asked by who has a turn, which a move needs as well.
 *
 * @throws Fault
 */
export async function refuseMoved(client: Queryable, ledger: string): Promise<void> {
  const move = await readHeadMove(client, ledger)
  if (move?.state !== undefined) throw closedFault(ledger, move.state, move.other)
}
