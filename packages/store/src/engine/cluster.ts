import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmod, chown, mkdir, open, readdir, readFile, realpath, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { Fault } from '@bailiwick/core'
import { findPostgres, type PostgresBinaries } from './binaries.ts'
import { hasCode } from './errno.ts'
import { canEnter, canRun, choosePrivileges, commandWith } from './privileges.ts'
import type { Privileges, RootMode } from './privileges.ts'
import { processExists } from './postmaster-file.ts'
import { chooseSocketDir } from './socket-dir.ts'

/** The database user that owns everything in an embedded cluster, and the database that the store uses. */
export const embeddedName = 'bailiwick'

/** PostgreSQL's files on disk, complete and ready to be served. */
export interface Cluster {
  /** Absolute, without symbolic links. */
  readonly dir: string
  /** Where a server started here listens. */
  readonly socketDir: string
  /** What the server says goes here, beside the cluster. */
  readonly logFile: string
  readonly binaries: PostgresBinaries
  readonly privileges: Privileges
}

/** How to find or make a cluster. */
export interface ClusterOptions {
  readonly dataDir: string
  readonly binaries?: PostgresBinaries | undefined
  readonly rootMode?: RootMode | undefined
  /** False: do not wait for the disk when making the cluster. For tests. */
  readonly durable: boolean
  readonly onLog: (line: string) => void
}

/**
 * The cluster in `dataDir/postgres`, made first where there is none. A crash at any moment leaves either no
 * cluster or a whole one.
 *
 * @throws Fault where the directory cannot be used, or needs another PostgreSQL than the ones found
 */
export async function prepareCluster(options: ClusterOptions): Promise<Cluster> {
  const dataDir = await prepareDataDir(options.dataDir)
  const dir = path.join(dataDir, 'postgres')
  const existing = await existingCluster(dir)
  const [binaries, privileges] = await Promise.all([
    binariesFor(existing?.version, options.binaries, dir),
    choosePrivileges(existing, options.rootMode),
  ])
  await openTheWay(dataDir, privileges, binaries, options.onLog)

  await removeAbandonedAttempts(dataDir)
  if (existing === undefined) {
    options.onLog(`making a PostgreSQL ${binaries.version} cluster in ${dir}`)
    await makeCluster(dir, { binaries, privileges, durable: options.durable })
  }
  const socketDir = await chooseSocketDir(dir, privileges)
  return { dir, socketDir, logFile: path.join(dataDir, 'postgres.log'), binaries, privileges }
}

async function prepareDataDir(dataDir: string): Promise<string> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 })
    return await realpath(dataDir)
  } catch (cause) {
    throw new Fault('store_unavailable', `the data directory \`${dataDir}\` cannot be made`, {
      fix: 'Choose a BAILIWICK_DATA that you may write to.',
      cause,
    })
  }
}

interface ExistingCluster {
  readonly version: number
  readonly uid: number
  readonly gid: number
}

async function existingCluster(dir: string): Promise<ExistingCluster | undefined> {
  try {
    const version = (await readFile(path.join(dir, 'PG_VERSION'), 'utf8')).trim()
    if (!/^\d{1,3}(\.\d+)?$/.test(version)) throw new Error('PG_VERSION holds no version')
    const { uid, gid } = await stat(dir)
    return { version: Number.parseInt(version, 10), uid, gid }
  } catch (cause) {
    if (hasCode(cause, 'ENOENT') && (await isAbsentOrEmpty(dir))) return undefined
    throw new Fault(
      'store_unavailable',
      `\`${dir}\` is there but is no PostgreSQL cluster that can be read`,
      {
        fix: 'Move it away, choose another BAILIWICK_DATA, or run as the user who owns it.',
        cause,
      },
    )
  }
}

async function isAbsentOrEmpty(dir: string): Promise<boolean> {
  try {
    return (await readdir(dir)).length === 0
  } catch (cause) {
    return hasCode(cause, 'ENOENT')
  }
}

async function binariesFor(
  version: number | undefined,
  given: PostgresBinaries | undefined,
  dir: string,
): Promise<PostgresBinaries> {
  if (version === undefined) return given ?? (await findPostgres())
  if (given !== undefined) {
    if (given.version === version) return given
    throw missingVersion(version, dir)
  }
  try {
    return await findPostgres('installed', version)
  } catch (cause) {
    if (cause instanceof Fault && cause.code === 'bad_input') throw cause
    throw missingVersion(version, dir, cause)
  }
}

function missingVersion(version: number, dir: string, cause?: unknown): Fault {
  return new Fault(
    'store_unavailable',
    `\`${dir}\` was made by PostgreSQL ${version}, which is not found here`,
    {
      fix: `Install PostgreSQL ${version} or set BAILIWICK_POSTGRES_BIN to its bin directory; to move to another version, use pg_dump and restore.`,
      cause,
    },
  )
}

/** Makes sure that whoever runs PostgreSQL reaches its programs and its files. */
async function openTheWay(
  dataDir: string,
  privileges: Privileges,
  binaries: PostgresBinaries,
  onLog: (line: string) => void,
): Promise<void> {
  if (privileges.kind !== 'account') return
  const { name } = privileges.account
  const { uid, mode } = await stat(dataDir)
  if (uid === 0 && (mode & 0o001) === 0) {
    // Passing through without listing: the service's own files in it stay closed by their own modes.
    onLog(`letting user ${name}, as whom PostgreSQL runs, pass through ${dataDir}`)
    await chmod(dataDir, (mode & 0o7777) | 0o001)
  }
  const fix = 'Run as a normal user, choose another BAILIWICK_DATA, or set DATABASE_URL to a server.'
  if (!(await canEnter(privileges, dataDir))) {
    throw new Fault(
      'store_unavailable',
      `PostgreSQL does not run as root, and user \`${name}\` cannot reach \`${dataDir}\``,
      { fix },
    )
  }
  if (!(await canRun(privileges, path.join(binaries.binDir, 'postgres')))) {
    throw new Fault(
      'store_unavailable',
      `PostgreSQL does not run as root, and user \`${name}\` cannot run the one in \`${binaries.binDir}\``,
      { fix: 'Run as a normal user, install PostgreSQL, or set DATABASE_URL to a server.' },
    )
  }
}

const attemptPrefix = 'postgres.making-'
const attemptAgeMsMax = 60 * 60 * 1000

async function makeCluster(
  dir: string,
  how: { binaries: PostgresBinaries; privileges: Privileges; durable: boolean },
): Promise<void> {
  const attempt = path.join(
    path.dirname(dir),
    `${attemptPrefix}${process.pid}-${randomBytes(6).toString('hex')}`,
  )
  try {
    await mkdir(attempt, { mode: 0o700 })
    if (how.privileges.kind === 'account') {
      await chown(attempt, how.privileges.account.uid, how.privileges.account.gid)
    }
    await runInitdb(attempt, how)
    // The one step that makes the cluster exist. Everything in it is on disk already: initdb syncs.
    await rename(attempt, dir)
    if (how.durable) await syncDir(path.dirname(dir))
  } catch (cause) {
    await rm(attempt, { recursive: true, force: true })
    // Another opener was first; its cluster is as good as ours.
    if (!hasCode(cause, 'ENOTEMPTY', 'EEXIST')) throw cause
  }
}

async function runInitdb(
  attempt: string,
  how: { binaries: PostgresBinaries; privileges: Privileges; durable: boolean },
): Promise<void> {
  const command = commandWith(how.privileges, path.join(how.binaries.binDir, 'initdb'), [
    `--pgdata=${attempt}`,
    `--username=${embeddedName}`,
    '--encoding=UTF8',
    '--no-locale',
    '--data-checksums',
    '--auth-local=trust', // Only the owner of the directory reaches the socket in it.
    '--auth-host=reject',
    '--no-instructions',
    ...(how.durable ? [] : ['--no-sync']),
  ])
  try {
    await promisify(execFile)(command.file, command.args, {
      ...command.options,
      cwd: '/',
      env: serverEnvironment(),
      timeout: 300_000,
    })
  } catch (cause) {
    const said = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim() : String(cause)
    throw new Fault('store_unavailable', `a PostgreSQL cluster cannot be made: \`${oneLine(said)}\``, {
      fix: 'Free disk space or choose another BAILIWICK_DATA, or set DATABASE_URL to a server.',
      cause,
    })
  }
}

/**
 * What a backend has freed it keeps, up to some MiB, where its C library is glibc: a batch needs a few pieces of 100 KiB and
 * more each time, and giving them back to the kernel and asking for them anew can take longer than the work
 * (`docs/decisions/0057-backends-keep-what-they-freed.md`).
 */
const keptMemory = {
  MALLOC_TRIM_THRESHOLD_: String(8 * 1024 * 1024),
  MALLOC_MMAP_THRESHOLD_: String(4 * 1024 * 1024),
}

/** The environment for PostgreSQL's programs: none of the service's secrets, none of the caller's `PG…` settings. */
export function serverEnvironment(): Record<string, string> {
  const environment: Record<string, string> = { LC_ALL: 'C', TZ: 'UTC', ...keptMemory }
  for (const name of ['PATH', 'TMPDIR', 'LD_LIBRARY_PATH', 'DYLD_LIBRARY_PATH']) {
    const value = process.env[name]
    if (value !== undefined) environment[name] = value
  }
  return environment
}

/** The last lines of a program's output as one line for a message. */
export function oneLine(output: string): string {
  return output.trim().split('\n').slice(-6).join(' / ').replaceAll('`', "'").slice(-1500)
}

async function syncDir(dir: string): Promise<void> {
  const handle = await open(dir, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Removes what initdb left behind when the process that ran it was killed. */
async function removeAbandonedAttempts(dataDir: string): Promise<void> {
  for (const name of await readdir(dataDir)) {
    if (!name.startsWith(attemptPrefix)) continue
    const attempt = path.join(dataDir, name)
    const pid = Number.parseInt(name.slice(attemptPrefix.length), 10)
    if (processExists(pid) && !(await isOlderThan(attempt, attemptAgeMsMax))) continue
    await rm(attempt, { recursive: true, force: true, maxRetries: 5 }).catch((cause: unknown) => {
      // An orphaned initdb may still be writing into it; the next start finds it again.
      if (!hasCode(cause, 'ENOTEMPTY', 'EBUSY')) throw cause
    })
  }
}

async function isOlderThan(file: string, ms: number): Promise<boolean> {
  try {
    return Date.now() - (await stat(file)).mtimeMs > ms
  } catch (cause) {
    if (hasCode(cause, 'ENOENT')) return false // Renamed into place meanwhile: it was not abandoned.
    throw cause
  }
}
