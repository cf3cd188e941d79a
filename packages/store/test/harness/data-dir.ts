import { mkdtemp, readdir, realpath, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { processExists, runningPostmaster } from '../../src/engine/postmaster-file.ts'
import { stopPostmaster } from '../../src/engine/postmaster.ts'

const dirPrefix = 'bailiwick-test-'

/** An empty directory for a test's data, named so that the next run can clear it away if this one is killed. */
export async function makeTestDir(): Promise<string> {
  return mkdtemp(path.join(await realpath(tmpdir()), `${dirPrefix}${process.pid}-`))
}

/** Stops every PostgreSQL that runs on a directory below `dir`, and removes it all. */
export async function removeTestDir(dir: string): Promise<void> {
  for (const entry of await readdir(dir, { recursive: true })) {
    if (path.basename(entry) !== 'postmaster.pid') continue
    const clusterDir = path.dirname(path.join(dir, entry))
    const running = await runningPostmaster(clusterDir)
    if (running !== undefined) await stopPostmaster(running.pid, clusterDir)
  }
  await rm(dir, { recursive: true, force: true })
}

/** Clears away what test runs that were killed left behind, servers included. */
export async function removeAbandonedTestDirs(): Promise<void> {
  const parent = await realpath(tmpdir())
  for (const name of await readdir(parent)) {
    const owner = Number.parseInt(name.slice(dirPrefix.length), 10)
    if (!name.startsWith(dirPrefix) || Number.isNaN(owner) || processExists(owner)) continue
    const dir = path.join(parent, name)
    if ((await stat(dir)).uid === process.getuid?.()) await removeTestDir(dir)
  }
}
