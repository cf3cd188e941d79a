import pg from 'pg'
import type { Instant } from '@bailiwick/core'
import { hasCode } from '../engine/errno.ts'
import { whileConnected } from '../engine/one-connection.ts'
import { inSchema } from '../migrate.ts'
import { ColdFolds, type ColdFoldsOptions } from './cold-folds.ts'
import { openArchiveStore } from './open-store.ts'
import { refuseAbsent } from './right-place.ts'
import { archivedEnd } from './segments.ts'
import { verifyColdSegments } from './verify-archive.ts'

/** Which archive to verify. */
export interface VerifyArchiveOptions extends Omit<ColdFoldsOptions, 'now'> {
  readonly ledger: string
  /** To open its stores with; absent: nothing is read. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
  /** Default: now. */
  readonly now?: Instant | undefined
}

/** What is known of an archive. */
export interface VerifiedArchive {
  readonly records: number
  readonly verified: boolean
  readonly erased: number
}

/**
 * How many records of a stored log are archived and, with an environment to open their stores with, whether reading all
 * of them back shows them whole, and the tables that are folded from the records as all records have them.
 *
 * @throws Fault as `verifyColdSegments` and `ColdFolds` do
 */
export async function verifyStoredArchive(options: VerifyArchiveOptions): Promise<VerifiedArchive> {
  const { connection, ledger, env, now = Date.now() as Instant } = options
  return await whileConnected(new pg.Client(inSchema(connection)), async (client) => {
    const archived = await recordedEnd(client, ledger)
    if (env === undefined) return { records: archived, verified: false, erased: 0 }
    if (archived === 0) return { records: 0, verified: true, erased: 0 }
    await refuseAbsent(client, ledger, (address) => openArchiveStore(address, env))
    const folds = await ColdFolds.begin(ledger, { ...options, now })
    try {
      const { records, erased } = await verifyColdSegments(client, ledger, env, undefined, (record, entry) =>
        folds.take(record, entry),
      )
      folds.check()
      return { records, erased, verified: true }
    } finally {
      folds.close()
    }
  })
}

// A log that nobody has written yet has no archive. A table that is gone later on is an error, and nothing verified.
async function recordedEnd(client: pg.Client, ledger: string): Promise<number> {
  try {
    return await archivedEnd(client, ledger)
  } catch (error) {
    if (hasCode(error, '42P01', '3F000')) return 0
    throw error
  }
}
