import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { inject } from 'vitest'
import { openDatabase, stopIfUnused } from '../../src/engine/open.ts'

/** Makes a data directory with a cluster in which nothing was recorded, as a service makes it, and sooner. */
export async function makeDataDir(dataDir: string): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  // With its owner, who may be another user than the one who runs the tests.
  await promisify(execFile)('cp', ['-a', inject('clusterTemplate'), path.join(dataDir, 'postgres')])
}

/**
 * The same, with its PostgreSQL running until the returned function is called: each command finds it, and none starts and
 * stops one of its own.
 */
export async function makeRunningDataDir(dataDir: string): Promise<() => Promise<unknown>> {
  await makeDataDir(dataDir)
  const database = await openDatabase({ dataDir })
  return () => stopIfUnused(database)
}
