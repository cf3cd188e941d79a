import { Fault } from '@bailiwick/core'
import type pg from 'pg'
import { hasCode } from '../engine/errno.ts'

/** How long verification waits for a table that somebody else has locked. */
const lockTimeout = '10s'

/**
 * Begins the transaction in which a log is verified. It never waits long for a table: whoever asks for all of one, as `VACUUM FULL`
 * does, waits for verification to end, and a connection of verification that asked for it after them would wait for them;
 * PostgreSQL sees no circle there, and decisions would stand in the same queue.
 *
 * @param snapshot of another connection; absent: its own
 */
export async function beginSnapshot(client: pg.Client, snapshot?: string): Promise<void> {
  await client.query('begin transaction isolation level repeatable read read only')
  if (snapshot !== undefined) await client.query(`set transaction snapshot ${client.escapeLiteral(snapshot)}`)
  await client.query(`set local lock_timeout = '${lockTimeout}'`)
}

/** The fault for a table that was locked for too long; any other error as it is. */
export function lockedOrAsIs(error: unknown): unknown {
  if (!isLocked(error)) return error
  return new Fault('store_unavailable', 'somebody else has locked a table of the log', {
    fix: 'Run it again once whatever changes the table, such as `VACUUM FULL`, has ended.',
    cause: error,
  })
}

/** Whether a table was locked for too long. */
export function isLocked(error: unknown): boolean {
  return hasCode(error, '55P03')
}
