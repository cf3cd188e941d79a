import { availableParallelism } from 'node:os'
import type pg from 'pg'
import { inSchema } from '../migrate.ts'
import { connectedTo, runnerOn, type Runner } from './runner.ts'
import { canStartThreads, ThreadRunner } from './thread-runner.ts'
import type { WindowSettings } from './window.ts'

/** More threads than this gain little: PostgreSQL has to keep up. */
const workersDefaultMax = 4
/** A log of fewer records is verified sooner than threads start. */
const recordsForThreads = 50_000

/** How a stored log is verified by several. */
export interface RunnerOptions {
  readonly connection: pg.ClientConfig
  readonly workers?: number | undefined
  readonly recordsPerPart?: number | undefined
}

/**
 * Starts what verifies the parts of a log in the snapshot of `client`: threads for a large log, and otherwise `client`
 * itself. Where threads cannot be started, several connections in this thread.
 */
export async function startRunners(
  client: pg.Client,
  settings: WindowSettings,
  options: RunnerOptions,
): Promise<readonly Runner[]> {
  const workers = options.workers ?? Math.min(workersDefaultMax, availableParallelism())
  // Whoever says how many, or how large, is obeyed.
  const isSaid = options.workers !== undefined || options.recordsPerPart !== undefined
  const isLarge = settings.size >= recordsForThreads || isSaid
  if (workers <= 1 || !isLarge) return [runnerOn(client, settings)]
  const connection = inSchema(options.connection)
  const snapshot = await exportedSnapshot(client)
  if (canStartThreads() && canBeSent(connection)) {
    return Array.from({ length: workers }, () => new ThreadRunner({ connection, snapshot, settings }))
  }
  return await Promise.all(
    Array.from({ length: workers }, () => connectionRunner(connection, snapshot, settings)),
  )
}

async function exportedSnapshot(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ snapshot: string }>('select pg_export_snapshot() as snapshot')
  return rows[0]?.snapshot ?? ''
}

async function connectionRunner(
  connection: pg.ClientConfig,
  snapshot: string,
  settings: WindowSettings,
): Promise<Runner> {
  const own = await connectedTo(snapshot, connection)
  return { ...runnerOn(own, settings), close: () => own.end() }
}

// A connection may be described by functions, such as one that asks for the password.
function canBeSent(connection: pg.ClientConfig): boolean {
  try {
    structuredClone(connection)
    return true
  } catch {
    return false
  }
}
