import { serve, type ServerType } from '@hono/node-server'
import { Fault, systemPorts, type Instant } from '@bailiwick/core'
import {
  Access,
  ApprovalWaits,
  createNoticeFeed,
  createOutbox,
  keepPartitions,
  Ledger,
  loadPolicies,
  migrate,
  openDatabase,
  stopIfUnused,
  tryServiceLock,
  type HeldLock,
  type OpenedDatabase,
  type PolicySet,
} from '@bailiwick/store'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { archiveOnSchedule } from './archive-schedule.ts'
import { archiveSettings } from './archive-settings.ts'
import { createOutboxWorker } from './delivery/outbox-worker.ts'
import { targetsFromEnvironment } from './delivery/targets.ts'
import { createApp } from './http/app.ts'
import { readConsoleFiles } from './http/console-files.ts'
import { createLookups, type Lookups } from './lookup/lookups.ts'
import { lookupSettings } from './lookup/settings.ts'
import { unansweredFacts } from './lookup/unanswered.ts'
import { repeat } from './repeat.ts'

/** How a service is started. */
export interface ServiceOptions {
  /** A policy file or a directory of them. */
  readonly policies: string
  /** Where the embedded database, the checkpoint and its key live. */
  readonly dataDir: string
  /** 0 takes any free port. */
  readonly port: number
  /** The address to listen on; loopback unless the operator decides otherwise. */
  readonly host: string
  /** A PostgreSQL server; absent or empty: the embedded one. */
  readonly databaseUrl?: string | undefined
  /** Where webhook targets and sources of facts are named, and the address that links should bear (`BAILIWICK_URL`). */
  readonly env: Readonly<Record<string, string | undefined>>
  /** The environment it runs in, as policies name it, such as `prod`. */
  readonly environment?: string | undefined
  readonly log: (line: string) => void
}

/** A service that answers. */
export interface RunningService {
  readonly url: string
  /** A one-time link, while nobody has a session. */
  readonly signInUrl: string | undefined
  readonly warnings: PolicySet['warnings']
  /** Resolves when the service has lost what it cannot go on without; it should then be stopped. */
  readonly failed: Promise<Fault>
  /** Finishes what is under way, publishes the last checkpoint, and stops. Can be called again. */
  stop(): Promise<void>
}

const firstAdministrator = 'admin@localhost'
const sweepMs = 500
const checkpointMs = 1_000
const consoleDir = fileURLToPath(new URL('../console/', import.meta.url))

/**
 * Starts the service: database, log, workers, HTTP.
 *
 * @throws Fault where the policies are wrong, the database is unfit, the port is taken, or another
 *   service runs on the same data directory. Then nothing is left running.
 */
export async function startService(options: ServiceOptions): Promise<RunningService> {
  const undo: (() => Promise<unknown>)[] = []
  let stopping: Promise<void> | undefined
  const stop = (): Promise<void> => (stopping ??= undoAll(undo))
  try {
    return await start(options, undo, stop)
  } catch (error) {
    await stop().catch((cause: unknown) => options.log(`stopping: ${messageOf(cause)}`))
    throw error
  }
}

// Whatever is started registers how to end it; the end goes in the opposite order. A step that fails,
// as where the database has gone, must not keep the others running; the first failure is told at the end.
async function undoAll(undo: (() => Promise<unknown>)[]): Promise<void> {
  const failures: unknown[] = []
  for (const step of undo.reverse()) await step().catch((error: unknown) => failures.push(error))
  if (failures.length > 0) throw failures[0]
}

async function start(
  options: ServiceOptions,
  undo: (() => Promise<unknown>)[],
  stop: () => Promise<void>,
): Promise<RunningService> {
  // Everything that people wrote is read first: a mistake in it must not cost a running database.
  const policies = await loadPolicies(options.policies)
  const targets = targetsFromEnvironment(options.env)
  const retention = archiveSettings(options.env)
  const lookups = startLookups(options, policies, undo)
  const listener = await listen(options)
  undo.push(() => listener.close())
  const url = options.env['BAILIWICK_URL']?.replace(/\/+$/, '') ?? listener.url

  const database = await openDatabase({ dataDir: options.dataDir, databaseUrl: options.databaseUrl })
  undo.push(() => stopIfUnused(database))
  const lock = keepLock(await onlyService(database), database)
  undo.push(() => lock.release())
  await migrate(database.connection)
  await keepPartitions(database.connection, retention.partition, Date.now() as Instant)
  const ledger = await Ledger.open({
    connection: database.connection,
    policies,
    dataDir: options.dataDir,
    consoleUrl: url,
    env: options.environment,
    lookups,
    archive: retention.store,
  })
  undo.push(() => ledger.close())
  const access = new Access(ledger)
  const waits = new ApprovalWaits(ledger, systemPorts)
  undo.push(async () => waits.close())
  startWorkers({ ledger, targets, url, options, undo })
  const schedule = archiveOnSchedule(ledger, database.connection, retention, options)
  undo.push(() => schedule.stop())

  const consoleFiles = await readConsoleFiles(consoleDir)
  const signInUrl = await firstSignIn(access, ledger, url)
  listener.answerWith(
    createApp({ ledger, access, waits, consoleFiles, publicUrl: url, log: options.log }).fetch,
  )
  // Undone first: whoever asks from then on, as every wait that is ended does, is told to try again.
  undo.push(async () => listener.answerWith(notReady))
  return { url: listener.url, signInUrl, warnings: policies.warnings, failed: lock.failed, stop }
}

function startLookups(
  { env, log }: ServiceOptions,
  policies: PolicySet,
  undo: (() => Promise<unknown>)[],
): Lookups {
  const settings = lookupSettings(env)
  // No reason not to start: such a fact counts against the calls that need it, and others can be decided.
  for (const line of unansweredFacts(policies.all, settings)) log(line)
  const lookups = createLookups(settings)
  undo.push(() => lookups.close())
  return lookups
}

interface Workers {
  readonly ledger: Ledger
  readonly targets: ReturnType<typeof targetsFromEnvironment>
  readonly url: string
  readonly options: ServiceOptions
  readonly undo: (() => Promise<unknown>)[]
}

function startWorkers({ ledger, targets, url, options, undo }: Workers): void {
  const { pool, name } = ledger
  const worker = createOutboxWorker({
    feed: createNoticeFeed({ pool, ledger: name, name: 'notices' }),
    outbox: createOutbox({ pool, ledger: name }),
    targets,
    links: { consoleUrl: url },
    clock: { now: () => Date.now() as Instant },
    random: Math.random,
    log: options.log,
  })
  worker.start()
  undo.push(() => worker.stop())
  ledger.onCommit(() => worker.poke())

  const sweep = repeat(
    sweepMs,
    () => ledger.expireOverdue(),
    (error) => options.log(`expiry: ${messageOf(error)}`),
  )
  undo.push(() => sweep.stop())
  const publish = repeat(
    checkpointMs,
    () => ledger.checkpoint(),
    (error) => options.log(`checkpoint: ${messageOf(error)}`),
  )
  undo.push(() => publish.stop())
}

// On a server several services may share a ledger; in an embedded data directory there is one, because
// its checkpoint and its database are started and stopped together.
async function onlyService(database: OpenedDatabase): Promise<HeldLock | undefined> {
  if (database.kind === 'server') return undefined
  const lock = await tryServiceLock(database.connection)
  if (lock !== undefined) return lock
  throw new Fault('conflict', 'another service already runs on this data directory', {
    fix: 'Stop it first, or choose another data directory with --data.',
  })
}

const lockAttemptsMax = 60
const lockPauseMs = 500

interface KeptLock {
  /** Resolves when the lock is lost for good; never where it is released or there is none. */
  readonly failed: Promise<Fault>
  release(): Promise<void>
}

// A database that restarts after a crash drops the lock. Whoever gets it back in time goes on.
function keepLock(first: HeldLock | undefined, database: OpenedDatabase): KeptLock {
  const ended = new AbortController()
  let lock = first
  let fail: (fault: Fault) => void
  const failed = new Promise<Fault>((resolve) => {
    fail = resolve
  })
  const keep = async (): Promise<void> => {
    while (lock !== undefined && !ended.signal.aborted) {
      await lock.lost
      lock = await retaken(database, ended.signal)
    }
    if (ended.signal.aborted || first === undefined) return
    fail(
      new Fault('store_unavailable', 'the embedded database has stopped', {
        fix: 'Start the service again.',
      }),
    )
  }
  const kept = keep()
  return {
    failed,
    release: async () => {
      ended.abort()
      await lock?.release()
      await kept
      // It may have come back just as it was being let go.
      await lock?.release()
    },
  }
}

async function retaken(database: OpenedDatabase, ended: AbortSignal): Promise<HeldLock | undefined> {
  for (let attempt = 0; attempt < lockAttemptsMax; attempt++) {
    await systemPorts.sleep(lockPauseMs, ended)
    if (ended.aborted) return undefined
    // A database that is still recovering refuses; that is what the next attempt is for.
    const lock = await tryServiceLock(database.connection).catch(() => undefined)
    if (lock !== undefined) return lock
  }
  return undefined
}

async function firstSignIn(access: Access, ledger: Ledger, url: string): Promise<string | undefined> {
  const people = await access.people()
  if (people.length === 0) await access.setPerson(firstAdministrator, ['administrator', 'approver'])
  const { rows } = await ledger.pool.query('select 1 from session where expires_at > now() limit 1')
  if (rows.length > 0 || people.some(({ id }) => id !== firstAdministrator)) return undefined
  return `${url}/sign-in#token=${await access.createSignInToken(firstAdministrator)}`
}

interface Listener {
  readonly url: string
  answerWith(fetch: (request: Request) => Response | Promise<Response>): void
  close(): Promise<void>
}

// The port is taken before the database is opened, because links need to know it. Until everything is
// ready, every request is told so.
async function listen(options: ServiceOptions): Promise<Listener> {
  let answer: (request: Request) => Response | Promise<Response> = notReady
  const server = await new Promise<ServerType>((resolve, reject) => {
    const created = serve(
      { fetch: (request) => answer(request), port: options.port, hostname: options.host },
      () => resolve(created),
    )
    created.once('error', (cause: NodeJS.ErrnoException) => reject(portFault(options, cause)))
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://${options.host.includes(':') ? `[${options.host}]` : options.host}:${port}`,
    answerWith: (fetch) => {
      answer = fetch
    },
    close: () => closed(server),
  }
}

function notReady(request: Request): Response {
  if (new URL(request.url).pathname === '/healthz') return Response.json({ status: 'ok' })
  const body = {
    type: 'urn:bailiwick:problem:store_unavailable',
    title: 'Store unavailable',
    status: 503,
    detail: 'the service is starting or stopping',
    fix: 'Try again after a second.',
  }
  return new Response(JSON.stringify(body), {
    status: 503,
    headers: { 'content-type': 'application/problem+json', 'retry-after': '1' },
  })
}

function closed(server: ServerType): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    // Streams and kept-alive connections never end by themselves; requests under way get a moment.
    if ('closeIdleConnections' in server) server.closeIdleConnections()
    setTimeout(() => {
      if ('closeAllConnections' in server) server.closeAllConnections()
    }, 1_000).unref()
  })
}

function portFault(options: ServiceOptions, cause: NodeJS.ErrnoException): Fault {
  const taken = cause.code === 'EADDRINUSE'
  return new Fault(
    'bad_input',
    taken ? `port ${options.port} is taken` : `cannot listen on ${options.host}:${options.port}`,
    {
      fix: 'Choose another with --port or BAILIWICK_PORT.',
      cause,
    },
  )
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
