import { spawn } from 'node:child_process'
import { constants } from 'node:fs'
import { open, rename, stat, type FileHandle } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Fault } from '@bailiwick/core'
import pg from 'pg'
import { embeddedName, oneLine, serverEnvironment, type Cluster } from './cluster.ts'
import { hasCode } from './errno.ts'
import { whileConnected } from './one-connection.ts'
import {
  readPostmasterFile,
  refuseCopyOfRunning,
  runningPostmaster,
  servesCluster,
} from './postmaster-file.ts'
import { commandWith } from './privileges.ts'
import { embeddedClusterName, embeddedPort } from './socket-dir.ts'

/** A server that accepts connections. */
export interface Postmaster {
  readonly pid: number
  readonly socketDir: string
  /** False: it ran already, whoever started it. */
  readonly startedHere: boolean
}

/** A server that was stopped in good order is up within a few of these. */
const lookMs = 5
const silenceMsMax = 60_000
const recoveryMsMax = 600_000
const logBytesMax = 8 * 1024 * 1024

/** How an embedded server is set up. Given on its command line, so that no file in the cluster can weaken it. */
const embeddedSettings: Readonly<Record<string, string>> = {
  // By which a server that DATABASE_URL names is known to be one of these.
  cluster_name: embeddedClusterName,
  listen_addresses: '',
  port: String(embeddedPort),
  unix_socket_permissions: '0700',
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  wal_compression: 'on',
  shared_buffers: '128MB',
  max_connections: '60',
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_checkpoints: 'off',
  logging_collector: 'off',
  log_destination: 'stderr',
}

/**
 * The server on the cluster: the one that runs already, else a new one. However many openers come at once,
 * all get the same.
 *
 * @param settings server settings that replace the usual ones; for tests
 * @throws Fault with the server's own last words where it does not start
 */
export async function startOrAdopt(
  cluster: Cluster,
  settings: Readonly<Record<string, string>>,
): Promise<Postmaster> {
  const startedAt = performance.now()
  // Before anything clears away the file that tells.
  await refuseCopyOfRunning(cluster.dir)
  for (;;) {
    const running = await runningPostmaster(cluster.dir)
    const found = running === undefined ? await start(cluster, settings) : await adopt(cluster, running.pid)
    if (found !== undefined) return found
    // Another opener's server got there first, or a dying one is not quite gone. Look again.
    if (performance.now() - startedAt > silenceMsMax) throw notAnswering(cluster, await logTail(cluster, 0))
    await delay(50)
  }
}

async function adopt(cluster: Cluster, pid: number): Promise<Postmaster | undefined> {
  const ready = await waitUntilReady(cluster, pid, () => servesCluster(pid, cluster.dir))
  return ready === undefined ? undefined : { pid, socketDir: ready, startedHere: false }
}

async function start(
  cluster: Cluster,
  settings: Readonly<Record<string, string>>,
): Promise<Postmaster | undefined> {
  const logStart = await keepLogSmall(cluster)
  const { pid, exited } = await spawnPostgres(cluster, { ...embeddedSettings, ...settings })
  const ready = await waitUntilReady(cluster, pid, () => Promise.resolve(!exited.aborted))
  if (ready !== undefined) return { pid, socketDir: ready, startedHere: true }

  const said = await logTail(cluster, logStart)
  // Two servers on one cluster exclude each other by these two locks; the loser adopts the winner. A file that names
  // nobody is one that its author is about to fill, or died over: it is looked at again.
  if (
    /lock file "[^"]*" (?:already exists|is empty)|bogus data in lock file|pre-existing shared memory/.test(
      said,
    )
  ) {
    return undefined
  }
  throw new Fault(
    'store_unavailable',
    `PostgreSQL in \`${cluster.dir}\` does not start: \`${oneLine(said)}\``,
    {
      fix: `Read ${cluster.logFile}, or set DATABASE_URL to a server.`,
    },
  )
}

/** Spawns the server; the signal is aborted when it exits. */
async function spawnPostgres(
  cluster: Cluster,
  settings: Readonly<Record<string, string>>,
): Promise<{ pid: number; exited: AbortSignal }> {
  const { file, args, options } = commandWith(
    cluster.privileges,
    path.join(cluster.binaries.binDir, 'postgres'),
    ['-D', cluster.dir, ...settingArguments(cluster, settings)],
  )
  // A file and not a pipe: the server must go on, and be heard, when this process is killed.
  const log = await openLog(cluster)
  try {
    const child = spawn(file, args, {
      ...options,
      cwd: '/',
      env: serverEnvironment(),
      stdio: ['ignore', log.fd, log.fd],
      // Its own session: Ctrl-C in the terminal is for the service, which stops the server last.
      detached: true,
    })
    const exit = new AbortController()
    child.once('exit', () => exit.abort())
    await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject))
    child.unref()
    if (child.pid === undefined) throw new Error('a spawned process has a pid')
    return { pid: child.pid, exited: exit.signal }
  } catch (cause) {
    throw new Fault('store_unavailable', `PostgreSQL in \`${cluster.binaries.binDir}\` cannot be run`, {
      fix: 'Install PostgreSQL 15 or newer, or set DATABASE_URL to a server.',
      cause,
    })
  } finally {
    await log.close()
  }
}

async function openLog(cluster: Cluster): Promise<FileHandle> {
  try {
    return await open(cluster.logFile, 'a', 0o600)
  } catch (cause) {
    throw unwritable(cluster, cause)
  }
}

function unwritable({ logFile }: Cluster, cause: unknown): Fault {
  const why = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown'
  return new Fault('store_unavailable', `\`${logFile}\` cannot be written (${why})`, {
    fix: 'Make the data directory writable for the service, on a disk that is not read-only, or choose another BAILIWICK_DATA.',
    cause,
  })
}

function settingArguments(cluster: Cluster, settings: Readonly<Record<string, string>>): readonly string[] {
  // The setting is a list: quotes keep a comma or a space in a path from splitting it.
  const socketDirs = `"${cluster.socketDir.replaceAll('"', '""')}"`
  return Object.entries({ ...settings, unix_socket_directories: socketDirs }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ])
}

/** Waits until the server accepts connections; undefined when it is gone before. Gives its socket's directory. */
async function waitUntilReady(
  cluster: Cluster,
  pid: number,
  lives: () => Promise<boolean>,
): Promise<string | undefined> {
  const startedAt = performance.now()
  let recovering = false
  while (await lives()) {
    const file = await readPostmasterFile(cluster.dir)
    // Whoever answers on the socket is this server only if the lock file bears its pid.
    if (file?.pid === pid && file.socketDir !== undefined) {
      const answer = await ask(file.socketDir)
      if (answer === 'ready') return file.socketDir
      recovering ||= answer === 'starting'
    }
    if (performance.now() - startedAt > (recovering ? recoveryMsMax : silenceMsMax)) {
      throw notAnswering(cluster, await logTail(cluster, 0))
    }
    // Rarer the longer it takes: recovering wants the processor for itself.
    await delay(Math.min(lookMs + (performance.now() - startedAt) / 20, 100))
  }
  return undefined
}

async function ask(socketDir: string): Promise<'ready' | 'starting' | 'silent'> {
  const client = new pg.Client(embeddedConnection(socketDir, 'postgres'))
  try {
    return await whileConnected(client, () => Promise.resolve('ready'))
  } catch (cause) {
    if (hasCode(cause, '57P03')) return 'starting' // cannot_connect_now: starting, recovering or stopping
    if (hasCode(cause, '53300')) return 'ready' // too_many_connections: it lives, and is busy
    return 'silent'
  }
}

/** How to connect to an embedded server's socket. */
export function embeddedConnection(socketDir: string, database: string): pg.ClientConfig {
  return {
    host: socketDir,
    port: embeddedPort,
    user: embeddedName,
    database,
    ssl: false,
    connectionTimeoutMillis: 10_000,
  }
}

function notAnswering(cluster: Cluster, said: string): Fault {
  const message = `PostgreSQL in \`${cluster.dir}\` does not answer; it said: \`${oneLine(said)}\``
  return new Fault('store_unavailable', message, {
    fix: `Read ${cluster.logFile}, stop whatever else uses the directory, and try again.`,
  })
}

/** Sets a log that has grown large aside; gives the length that the log has now. */
async function keepLogSmall(cluster: Cluster): Promise<number> {
  const { logFile } = cluster
  try {
    const { size } = await stat(logFile)
    if (size <= logBytesMax) return size
    await rename(logFile, `${logFile}.1`)
  } catch (cause) {
    if (!hasCode(cause, 'ENOENT')) throw unwritable(cluster, cause)
  }
  return 0
}

/** The last words in the log, none from before `from`. */
async function logTail(cluster: Cluster, from: number): Promise<string> {
  const log = await open(cluster.logFile, constants.O_RDONLY | constants.O_CREAT, 0o600)
  try {
    const { size } = await log.stat()
    const tailStart = Math.max(from, size - 8192)
    const { buffer, bytesRead } = await log.read({ buffer: Buffer.alloc(8192), position: tailStart })
    return buffer.toString('utf8', 0, bytesRead)
  } finally {
    await log.close()
  }
}

const fastStopMsMax = 60_000
const immediateStopMsMax = 15_000

/**
 * Stops the server: open transactions are rolled back, everything committed is on disk. Returns when it is
 * gone; does nothing where it is gone already.
 *
 * @throws Fault where it does not stop
 */
export async function stopPostmaster(pid: number, clusterDir: string): Promise<void> {
  if (await stopsOn('SIGINT', fastStopMsMax, pid, clusterDir)) return
  // An immediate stop is a crash to PostgreSQL, and a crash loses nothing that was committed.
  if (await stopsOn('SIGQUIT', immediateStopMsMax, pid, clusterDir)) return
  throw new Fault('store_unavailable', `the PostgreSQL process ${pid} does not stop`, {
    fix: `Stop it with \`kill -QUIT ${pid}\` before you start the service again.`,
  })
}

async function stopsOn(
  signal: NodeJS.Signals,
  msMax: number,
  pid: number,
  clusterDir: string,
): Promise<boolean> {
  // Asked anew each time: the number may belong to another program by now.
  if (!(await servesCluster(pid, clusterDir))) return true
  try {
    process.kill(pid, signal)
  } catch (cause) {
    if (hasCode(cause, 'ESRCH')) return true
    throw cause
  }
  const startedAt = performance.now()
  while (await servesCluster(pid, clusterDir)) {
    if (performance.now() - startedAt > msMax) return false
    await delay(20)
  }
  return true
}
