import { Fault } from '@bailiwick/core'
import pg from 'pg'
import { oldestVersion } from './binaries.ts'
import { openEmbedded, type EmbeddedPostgres } from './embedded.ts'
import { hasCode } from './errno.ts'
import { whileConnected } from './one-connection.ts'
import { wasKilled } from './postmaster-file.ts'
import { embeddedClusterName } from './socket-dir.ts'
import { shareUsage, tryStopLock } from './service-lock.ts'

/** Which database to open. */
export interface OpenOptions {
  /** A server's connection string. Absent or empty: the embedded PostgreSQL in `dataDir`. */
  readonly databaseUrl?: string | undefined
  readonly dataDir: string
  readonly onLog?: ((line: string) => void) | undefined
  /**
   * Accept a server that loses acknowledged records when it crashes. For tests and nothing else; also by
   * BAILIWICK_ALLOW_UNSAFE=1.
   */
  readonly allowUnsafe?: boolean | undefined
}

/** A database that answers, keeps what it acknowledges, and is new enough. */
export interface OpenedDatabase {
  readonly kind: 'embedded' | 'server'
  /** What to call it for people: the data directory, or host, port and database. */
  readonly place: string
  /** May hold a password: never print it. */
  readonly connection: pg.ClientConfig
  /** As the server says it, such as `15.18`. */
  readonly serverVersion: string
  /** Whether this process started the server. */
  readonly startedHere: boolean
  /**
   * Starts an embedded server again that was killed, in the same place, so that connections to it work as before. One
   * that somebody stopped stays stopped, and nothing happens to any other. Can be called at any time.
   *
   * @throws pg's error, or a Fault, where it does not answer
   */
  revive(): Promise<void>
  /** Ends our use of it; the server runs on. */
  leave(): Promise<void>
  /** Stops an embedded server, whoever else uses it; only leaves any other. Can be called again. */
  stop(): Promise<void>
}

/**
 * Opens the database that the store is to use: a server, or the embedded PostgreSQL.
 *
 * @throws Fault where it cannot be reached or is not fit for a log; never with the password in it
 */
export function openDatabase(options: OpenOptions): Promise<OpenedDatabase> {
  const allowUnsafe = options.allowUnsafe ?? process.env['BAILIWICK_ALLOW_UNSAFE'] === '1'
  if (options.databaseUrl === undefined || options.databaseUrl === '') {
    return openEmbeddedDatabase(options, allowUnsafe)
  }
  return openServer(options.databaseUrl, allowUnsafe)
}

/**
 * Stops the embedded server unless a service or anyone else has it open. For commands that opened it for
 * themselves; the last one out stops it.
 *
 * @returns whether it was stopped
 */
export async function stopIfUnused(database: OpenedDatabase): Promise<boolean> {
  await database.leave()
  if (database.kind === 'server') return false
  const lock = await stopLockUnlessGone(database.connection)
  if (lock === undefined) return false
  // Under the lock: whoever arrives now waits for it, loses its connection, and opens the database anew.
  await database.stop()
  await lock.release()
  return true
}

async function stopLockUnlessGone(connection: pg.ClientConfig) {
  try {
    return await tryStopLock(connection)
  } catch (cause) {
    // Anything but a complaint of a server that runs on: somebody else was the last one out.
    if (cause instanceof pg.DatabaseError && !hasCode(cause, '57P01', '57P03')) throw cause
    return undefined
  }
}

const embeddedAttemptsMax = 4

async function openEmbeddedDatabase(options: OpenOptions, allowUnsafe: boolean): Promise<OpenedDatabase> {
  const { dataDir, onLog } = options
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await useEmbedded(await openEmbedded({ dataDir, ...(onLog && { onLog }) }), options, allowUnsafe)
    } catch (cause) {
      if (cause instanceof Fault) throw cause
      if (hasCode(cause, 'EROFS', 'ENOSPC', 'EDQUOT', 'EACCES', 'EPERM')) throw unusable(dataDir, cause)
      // The one who had the server open stopped it just as we came. It can be started again.
      if (attempt === embeddedAttemptsMax) {
        throw new Fault('store_unavailable', `the PostgreSQL in \`${dataDir}\` stopped as it was opened`, {
          fix: 'Try again; if it stays so, read postgres.log in that directory.',
          cause,
        })
      }
    }
  }
}

function unusable(dataDir: string, cause: unknown): Fault {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new Fault('store_unavailable', `the data directory \`${dataDir}\` cannot be used: ${why}`, {
    fix: 'Free disk space, or make the directory writable for the service, or choose another BAILIWICK_DATA.',
    cause,
  })
}

async function useEmbedded(
  opened: EmbeddedPostgres,
  { dataDir, onLog }: OpenOptions,
  allowUnsafe: boolean,
): Promise<OpenedDatabase> {
  const { connection, startedHere } = opened
  let embedded = opened
  // Asked at the same time: the answer counts only where the lock was taken, and so the server stays.
  const asking = askServer(new pg.Client(connection))
  asking.catch(() => undefined)
  const usage = await keepUsage(connection)
  try {
    const facts = await asking
    refuseUnfit(facts, 'the data directory', allowUnsafe)
    return {
      kind: 'embedded',
      place: `the data directory \`${dataDir}\``,
      connection,
      serverVersion: facts.version,
      startedHere,
      revive: async () => {
        // Whoever else revives it at the same time gets the same server.
        if (await wasKilled(dataDir)) embedded = await openEmbedded({ dataDir, ...(onLog && { onLog }) })
        await usage.again()
      },
      leave: () => usage.release(),
      stop: async () => {
        await usage.release()
        await embedded.stop()
      },
    }
  } catch (cause) {
    await usage.release()
    throw cause
  }
}

interface KeptUsage {
  /** Says anew that the database is in use, where a restart of the server has forgotten it. */
  again(): Promise<void>
  release(): Promise<void>
}

async function keepUsage(connection: pg.ClientConfig): Promise<KeptUsage> {
  let lock = await shareUsage(connection)
  let isHeld = true
  let isOver = false
  const watch = () => {
    void lock.lost.then(() => {
      isHeld = false
    })
  }
  watch()
  return {
    again: async () => {
      if (isHeld || isOver) return
      lock = await shareUsage(connection)
      isHeld = true
      watch()
    },
    release: async () => {
      isOver = true
      await lock.release()
    },
  }
}

async function openServer(databaseUrl: string, allowUnsafe: boolean): Promise<OpenedDatabase> {
  const connection = { connectionString: databaseUrl, connectionTimeoutMillis: 10_000 }
  const client = clientFor(connection)
  const place = `${client.host}:${client.port}/${client.database ?? ''}`
  const facts = await askServer(client).catch((cause: unknown) => {
    throw new Fault('store_unavailable', `the PostgreSQL server at \`${place}\` cannot be used`, {
      fix: connectionFix(cause),
      cause,
    })
  })
  refuseUnfit(facts, `\`${place}\``, allowUnsafe)
  if (facts.clusterName === embeddedClusterName && !allowUnsafe) throw embeddedElsewhere(place)
  const nothing = () => Promise.resolve()
  return {
    kind: 'server',
    place: `\`${place}\``,
    connection,
    serverVersion: facts.version,
    startedHere: false,
    revive: nothing,
    leave: nothing,
    stop: nothing,
  }
}

// It is started and stopped by those who open its data directory, without asking anybody else; and its checkpoint and key
// are there.
function embeddedElsewhere(place: string): Fault {
  return new Fault('conflict', `the server at \`${place}\` is the embedded one of a data directory`, {
    fix: 'Leave out DATABASE_URL, and name that data directory with --data or BAILIWICK_DATA.',
  })
}

function clientFor(connection: { readonly connectionString: string }): pg.Client {
  // The driver takes other text for the name of a database on a host that nobody named.
  if (!/^postgres(?:ql)?:\/\//i.test(connection.connectionString)) throw unreadableUrl()
  try {
    return new pg.Client(connection)
  } catch {
    // No cause: an error about a URL carries the URL, and with it the password.
    throw unreadableUrl()
  }
}

function unreadableUrl(): Fault {
  return new Fault('bad_input', '`DATABASE_URL` is no PostgreSQL URL', {
    fix: 'Write it as postgresql://user:password@host:5432/database, with special characters percent-encoded.',
  })
}

function connectionFix(cause: unknown): string {
  if (hasCode(cause, '28P01', '28000')) return 'Correct the user and the password in DATABASE_URL.'
  if (hasCode(cause, '3D000')) return 'Create the database, or correct its name in DATABASE_URL.'
  return 'Check that the server runs and that DATABASE_URL names it.'
}

/** What decides whether a server is fit for a log that must keep what it acknowledged. */
export interface ServerFacts {
  readonly versionNumber: number
  readonly version: string
  readonly encoding: string
  readonly fsync: string | null
  readonly synchronousCommit: string | null
  readonly readOnly: string
  readonly clusterName: string
}

const ASK_SERVER = `
  select
    current_setting('server_version_num')::int as "versionNumber",
    split_part(current_setting('server_version'), ' ', 1) as "version",
    current_setting('server_encoding') as "encoding",
    current_setting('fsync', true) as "fsync",
    current_setting('synchronous_commit', true) as "synchronousCommit",
    current_setting('transaction_read_only') as "readOnly",
    current_setting('cluster_name') as "clusterName"`

function askServer(client: pg.Client): Promise<ServerFacts> {
  return whileConnected(client, async () => {
    const { rows } = await client.query<ServerFacts>(ASK_SERVER)
    if (rows[0] === undefined) throw new Error('a select without from gave no row')
    return rows[0]
  })
}

/**
 * Why a server is not fit for the log, with what to do; undefined where it is.
 *
 * @param allowUnsafe accept one that may lose what it acknowledged
 */
export function unfitness(
  facts: ServerFacts,
  allowUnsafe: boolean,
): { readonly why: string; readonly fix: string } | undefined {
  if (facts.versionNumber < oldestVersion * 10_000) {
    const fix = `Use PostgreSQL ${oldestVersion} or newer.`
    return { why: `is PostgreSQL ${facts.version}`, fix }
  }
  if (facts.encoding !== 'UTF8') {
    return { why: `has the encoding ${facts.encoding}`, fix: 'Create the database with encoding UTF8.' }
  }
  if (facts.readOnly === 'on') {
    return { why: 'only reads', fix: 'Name the primary server, not a standby, in DATABASE_URL.' }
  }
  if (facts.fsync === 'off' && !allowUnsafe) {
    return { why: 'has fsync off', fix: 'Set fsync = on: without it a crash loses acknowledged records.' }
  }
  if (facts.synchronousCommit === 'off' && !allowUnsafe) {
    const fix = 'Set synchronous_commit = on: without it a crash loses acknowledged records.'
    return { why: 'has synchronous_commit off', fix }
  }
  return undefined
}

function refuseUnfit(facts: ServerFacts, place: string, allowUnsafe: boolean): void {
  const unfit = unfitness(facts, allowUnsafe)
  if (unfit === undefined) return
  throw new Fault('store_unavailable', `the database at ${place} ${unfit.why}`, { fix: unfit.fix })
}
