import { Fault } from '@bailiwick/core'
import pg from 'pg'
import { whileConnected } from './engine/one-connection.ts'
import { ColdLog } from './archive/cold-log.ts'
import { recordsOf } from './archive/cold-records.ts'
import type { ArchiveStore } from './archive/store.ts'
import { readCheckpoint } from './checkpoints/checkpoint-file.ts'
import { readLogKeys } from './checkpoints/log-keys.ts'
import { hasCode } from './engine/errno.ts'
import { inSchema } from './migrate.ts'
import type { ProofSource } from './prove.ts'
import { LogTiles } from './tiles.ts'

/** Which stored log to make proofs of. */
export interface StoredLogOptions {
  readonly connection: pg.ClientConfig
  /** Where the checkpoint and its keys are kept. */
  readonly dataDir: string
  readonly ledger?: string | undefined
  /** Where archived records are read from. */
  readonly archive?: ArchiveStore | undefined
}

/**
 * Makes proofs of a stored log against the checkpoint that was published last. Needs no opened ledger and changes
 * nothing; the service may run.
 *
 * @throws Fault `not_found` where there is no log, or no checkpoint of it
 */
export async function withStoredProofs<Result>(
  { connection, dataDir, ledger = 'main', archive }: StoredLogOptions,
  work: (source: ProofSource) => Promise<Result>,
): Promise<Result> {
  const published = await readCheckpoint(dataDir, ledger)
  if (published === undefined) throw unpublished(dataDir)
  const { verifierKeys } = await readLogKeys(dataDir, ledger)
  try {
    // Several tiles are read at once.
    const reading = new pg.Client({ ...inSchema(connection), pipeline: true })
    return await whileConnected(reading, async (client) => {
      const size = (): Promise<number> => Promise.resolve(published.checkpoint.size)
      const cold = new ColdLog(client, ledger, archive)
      const records = recordsOf(client, ledger, cold)
      const tiles = new LogTiles({ client, ledger, published: size, records, keep: false })
      return await work({ client, ledger, tiles, cold, note: published.note, verifierKeys })
    })
  } catch (error) {
    // Tables that are not there hold no records.
    if (hasCode(error, '42P01', '3F000')) throw unpublished(dataDir)
    throw error
  }
}

function unpublished(dataDir: string): Fault {
  return new Fault('not_found', `no log was published in \`${dataDir}\``, {
    fix: 'Start the service once, or name its data directory with --data and its database with DATABASE_URL.',
  })
}
