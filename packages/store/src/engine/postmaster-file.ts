import { randomBytes } from 'node:crypto'
import { execFile } from 'node:child_process'
import { link, readFile, readlink, realpath, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { Fault } from '@bailiwick/core'
import { hasCode } from './errno.ts'

/** What `postmaster.pid` says of the server that runs on a cluster. */
export interface PostmasterFile {
  /** NaN in a file that begins with no number. */
  readonly pid: number
  /** The cluster that it was written for. */
  readonly clusterDir: string | undefined
  /** Absent while the server is still starting. */
  readonly socketDir: string | undefined
  readonly text: string
}

/** PostgreSQL writes the whole file in one go right after it has made it. */
const unfinishedAgeMsMax = 10_000

/**
 * The server that runs on the cluster, if one does. A file that names a program which is no such server is
 * moved out of the way: PostgreSQL itself clears only files that name nobody.
 *
 * @param clusterDir absolute, without symbolic links
 */
export async function runningPostmaster(clusterDir: string): Promise<PostmasterFile | undefined> {
  const file = await readPostmasterFile(clusterDir)
  if (file === undefined) return undefined
  if (await servesCluster(file.pid, clusterDir)) return file
  if (processExists(file.pid) || (await isAbandoned(clusterDir, file))) await removeStale(clusterDir, file)
  return undefined
}

/** What the cluster's `postmaster.pid` says; undefined where there is none. */
export async function readPostmasterFile(clusterDir: string): Promise<PostmasterFile | undefined> {
  const text = await readIfPresent(path.join(clusterDir, 'postmaster.pid'))
  if (text === undefined) return undefined
  const lines = text.split('\n')
  const socketDir = lines.length > 5 && lines[4] !== '' ? lines[4] : undefined
  const [pid = '', dir] = lines
  return { pid: /^\d+$/.test(pid) ? Number(pid) : Number.NaN, clusterDir: dir || undefined, socketDir, text }
}

/**
 * Whether the embedded server in `dataDir` is gone without having been stopped: one that stops, at whatever speed, takes
 * its file along.
 */
export async function wasKilled(dataDir: string): Promise<boolean> {
  const clusterDir = path.join(await realpath(dataDir), 'postgres')
  const file = await readPostmasterFile(clusterDir)
  return file !== undefined && !(await servesCluster(file.pid, clusterDir))
}

/** Whether a process has this pid, whoever owns it. */
export function processExists(pid: number): boolean {
  // 0 and below address groups of processes.
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (cause) {
    return hasCode(cause, 'EPERM')
  }
}

/** Whether the process is a server on the cluster: pids are reused, most of all in containers. */
export async function servesCluster(pid: number, clusterDir: string): Promise<boolean> {
  if (!processExists(pid)) return false
  if (process.platform !== 'linux') return commandNames(pid, clusterDir)
  try {
    // The server enters its cluster before it writes its pid there, and never leaves it.
    return (await readlink(`/proc/${pid}/cwd`)) === clusterDir
  } catch (cause) {
    if (hasCode(cause, 'ENOENT', 'ESRCH')) return false // Gone, or a zombie.
    if (hasCode(cause, 'EACCES', 'EPERM')) return wasStartedOn(pid, clusterDir) // Another user's.
    throw cause
  }
}

async function wasStartedOn(pid: number, clusterDir: string): Promise<boolean> {
  const [program = '', ...args] = (await readIfPresent(`/proc/${pid}/cmdline`))?.split('\0') ?? []
  return ['postgres', 'postmaster'].includes(path.basename(program)) && args.includes(clusterDir)
}

async function commandNames(pid: number, clusterDir: string): Promise<boolean> {
  try {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'command=', '-p', String(pid)])
    return stdout.includes('postgres') && stdout.includes(clusterDir)
  } catch (cause) {
    // `ps` exits with 1 where there is no such process.
    if (hasCode(cause, '1')) return false
    throw cause
  }
}

/**
 * Whether the file names no process and nobody is about to write one into it: a crash of the machine may leave it empty or
 * with anything in it, and PostgreSQL then refuses to start.
 */
async function isAbandoned(clusterDir: string, file: PostmasterFile): Promise<boolean> {
  if (!Number.isNaN(file.pid)) return false
  try {
    const { mtimeMs } = await stat(path.join(clusterDir, 'postmaster.pid'))
    return Date.now() - mtimeMs > unfinishedAgeMsMax
  } catch (cause) {
    if (hasCode(cause, 'ENOENT')) return false
    throw cause
  }
}

/**
 * Refuses a cluster that was copied while a server ran on the original: its files are of different moments, and what a
 * server makes of them is anybody's guess. One that was moved, its original gone, is none.
 *
 * @throws Fault
 */
export async function refuseCopyOfRunning(clusterDir: string): Promise<void> {
  const original = (await readPostmasterFile(clusterDir))?.clusterDir
  if (original === undefined || original === clusterDir) return
  const identity = await identityOf(clusterDir)
  if (identity === undefined || !(await identityOf(original))?.equals(identity)) return
  throw new Fault(
    'store_unavailable',
    `\`${clusterDir}\` was copied from \`${original}\` while PostgreSQL ran there`,
    {
      fix: 'Stop the service there and copy again, or use pg_dump. If it is a snapshot that the file system took at one instant, remove postmaster.pid from it.',
    },
  )
}

/** What initdb gave a cluster to be told by: the first eight bytes of its control file. */
async function identityOf(clusterDir: string): Promise<Buffer | undefined> {
  try {
    return (await readFile(path.join(clusterDir, 'global', 'pg_control'))).subarray(0, 8)
  } catch (cause) {
    if (hasCode(cause, 'ENOENT', 'ENOTDIR', 'EACCES')) return undefined
    throw cause
  }
}

async function removeStale(clusterDir: string, stale: PostmasterFile): Promise<void> {
  const original = path.join(clusterDir, 'postmaster.pid')
  const aside = `${original}.${randomBytes(6).toString('hex')}`
  try {
    await rename(original, aside)
    // Between our look and our move another opener's server may have put its own file there: give it back.
    if ((await readFile(aside, 'utf8')) !== stale.text) await link(aside, original)
    await rm(aside)
  } catch (cause) {
    if (!hasCode(cause, 'ENOENT', 'EEXIST')) throw cause
  }
}

async function readIfPresent(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    if (hasCode(cause, 'ENOENT')) return undefined
    throw cause
  }
}
