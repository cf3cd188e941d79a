import { Fault } from '@bailiwick/core'
import pg from 'pg'
import type { PostgresBinaries } from './binaries.ts'
import { embeddedName, prepareCluster } from './cluster.ts'
import { hasCode } from './errno.ts'
import { whileConnected } from './one-connection.ts'
import { embeddedConnection, startOrAdopt, stopPostmaster } from './postmaster.ts'
import type { RootMode } from './privileges.ts'

/** Where and how to run the embedded PostgreSQL. */
export interface EmbeddedOptions {
  /** Made where absent. The cluster is `postgres` in it, the server's log `postgres.log`. */
  readonly dataDir: string
  /** Those to use; by default the best ones found, of the version that made the cluster. */
  readonly binaries?: PostgresBinaries
  /** Hears, line by line, what is being done. */
  readonly onLog?: (line: string) => void
  /** How root sheds its privileges; by default as the machine allows. */
  readonly rootMode?: RootMode
  /** Server settings that replace the usual ones, such as `fsync`; for tests. Ignored by a server that runs already. */
  readonly settings?: Readonly<Record<string, string>>
}

/** A PostgreSQL that runs on a data directory of ours. */
export interface EmbeddedPostgres {
  /** Over a Unix socket that only the owner of the data directory reaches. */
  readonly connection: pg.ClientConfig
  /** The major version. */
  readonly version: number
  readonly pid: number
  /** Whether it ran already: left by a killed service, or opened by another process. */
  readonly adopted: boolean
  readonly startedHere: boolean
  /** Stops the server, whoever started it and whoever else is connected. Can be called again. */
  stop(): Promise<void>
}

/**
 * Opens the PostgreSQL in a data directory: makes the cluster where there is none, starts the server or
 * adopts the one that runs, and makes sure that the database `bailiwick` exists. The server outlives this
 * process if it is killed; the next opener adopts it.
 *
 * @throws Fault where that cannot be done, with the server's own words
 */
export async function openEmbedded(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  if (process.platform === 'win32') {
    throw new Fault('store_unavailable', 'the embedded PostgreSQL does not run on Windows', {
      fix: 'Set DATABASE_URL to a server, or run in WSL.',
    })
  }
  const onLog = options.onLog ?? (() => undefined)
  const settings = options.settings ?? {}
  const cluster = await prepareCluster({ ...options, durable: settings['fsync'] !== 'off', onLog })
  const { pid, socketDir, startedHere } = await startOrAdopt(cluster, settings)
  const { version } = cluster.binaries
  onLog(`PostgreSQL ${version} ${startedHere ? 'started' : 'was running already'}, process ${pid}`)
  await createDatabaseIfAbsent(socketDir)

  let stopped: Promise<void> | undefined
  return {
    connection: embeddedConnection(socketDir, embeddedName),
    version,
    pid,
    adopted: !startedHere,
    startedHere,
    stop: () => (stopped ??= stopPostmaster(pid, cluster.dir)),
  }
}

async function createDatabaseIfAbsent(socketDir: string): Promise<void> {
  const client = new pg.Client(embeddedConnection(socketDir, 'postgres'))
  try {
    await whileConnected(client, async () => {
      const found = await client.query('select from pg_database where datname = $1', [embeddedName])
      if (found.rowCount === 0) await client.query(`create database ${embeddedName}`)
    })
  } catch (cause) {
    // duplicate_database, or its index's unique_violation: another opener made it at the same moment.
    if (!hasCode(cause, '42P04', '23505')) throw cause
  }
}
