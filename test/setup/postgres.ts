import { rmSync } from 'node:fs'
import path from 'node:path'
import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { findPostgres } from '../../packages/store/src/engine/binaries.ts'
import { openEmbedded, type EmbeddedPostgres } from '../../packages/store/src/engine/embedded.ts'
import { migrate } from '../../packages/store/src/migrate.ts'
import { processExists } from '../../packages/store/src/engine/postmaster-file.ts'
import {
  makeTestDir,
  removeAbandonedTestDirs,
  removeTestDir,
} from '../../packages/store/test/harness/data-dir.ts'

/** A PostgreSQL that the tests run on: one of the machine's, or the one from npm. */
export type PostgresFlavour = 'installed' | 'npm'

/** What the workers learn of a flavour's server, or why there is none. */
export type TestServer =
  | { readonly flavour: PostgresFlavour; readonly version: number; readonly socketDir: string }
  | { readonly flavour: PostgresFlavour; readonly missing: string }

declare module 'vitest' {
  export interface ProvidedContext {
    testServers: readonly TestServer[]
    /** The files of a stopped embedded server with a migrated, empty database. */
    clusterTemplate: string
  }
}

/** Starts one throw-away server per flavour for the whole run, and removes them at its end. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await removeAbandonedTestDirs()
  const root = await makeTestDir()
  const started: EmbeddedPostgres[] = []
  // Where the run ends without its teardown, this is the last chance; it cannot wait.
  const lastChance = () => {
    for (const server of started) killQuietly(server.pid)
    rmSync(root, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
  }
  process.once('exit', lastChance)

  const flavours = ['installed', 'npm'] as const
  const servers = await Promise.all(flavours.map((flavour) => startServer(flavour, root, started)))
  for (const server of servers) {
    if ('missing' in server)
      console.error(`\n*** NOT TESTED on ${server.flavour} PostgreSQL: ${server.missing} ***\n`)
  }
  project.provide('testServers', servers)
  project.provide('clusterTemplate', await makeClusterTemplate(root))

  return async () => {
    await removeTestDir(root)
    process.off('exit', lastChance)
  }
}

async function startServer(
  flavour: PostgresFlavour,
  root: string,
  started: EmbeddedPostgres[],
): Promise<TestServer> {
  try {
    const binaries = await findPostgres(flavour)
    if ((binaries.origin === 'npm') !== (flavour === 'npm')) return { flavour, missing: 'it is not here' }
    const server = await openEmbedded({
      dataDir: path.join(root, flavour),
      binaries,
      // Nothing here outlives the run, so nothing needs to reach the disk.
      settings: { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '200' },
    })
    started.push(server)
    await makeTemplate(server)
    return { flavour, version: server.version, socketDir: String(server.connection.host) }
  } catch (cause) {
    return { flavour, missing: cause instanceof Error ? cause.message : String(cause) }
  }
}

/** The database that the tests' own are copies of: migrating each anew took a quarter of the whole run. */
export const templateDatabase = 'migrated'

async function makeTemplate({ connection }: EmbeddedPostgres): Promise<void> {
  const client = new pg.Client(connection)
  await client.connect()
  try {
    await client.query(`create database ${templateDatabase}`)
  } finally {
    await client.end()
  }
  await migrate({ ...connection, database: templateDatabase })
}

/** Making a cluster anew for each service that a test starts took more than a minute of the whole run. */
async function makeClusterTemplate(root: string): Promise<string> {
  const dataDir = path.join(root, 'cluster')
  const server = await openEmbedded({ dataDir, settings: { fsync: 'off' } })
  await migrate(server.connection)
  await server.stop()
  return path.join(dataDir, 'postgres')
}

function killQuietly(pid: number): void {
  // SIGQUIT: at once, taking its children along.
  if (processExists(pid)) process.kill(pid, 'SIGQUIT')
}
