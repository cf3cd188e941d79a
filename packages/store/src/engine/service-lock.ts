import pg from 'pg'

/** The first half of every advisory lock's key: "bail" in ASCII. */
const lockSpace = 0x6261696c
/** Shared by everyone who has an embedded database open; exclusive for whoever stops it. */
const usageLock = 1
/** Held by the one service of an embedded data directory; shared by the services on a server. */
const serviceLock = 2
/** Held by whoever moves the log to another database. */
const moveLock = 3

/** A lock that lives as long as its own connection, so that a killed holder cannot keep it. */
export interface HeldLock {
  /** Resolves when the connection ends: by `release`, or because the server has gone, and the lock with it. */
  readonly lost: Promise<void>
  /** Can be called again. */
  release(): Promise<void>
}

/**
 * Takes the lock that makes this process the only service on the database; undefined where another holds it.
 *
 * @throws pg's error where the database cannot be reached
 */
export function tryServiceLock(connection: pg.ClientConfig): Promise<HeldLock | undefined> {
  return hold(connection, `select pg_try_advisory_lock(${lockSpace}, ${serviceLock}) as taken`)
}

/**
 * Takes part in the lock that services on a server share; undefined where somebody has the database to himself: the
 * service of the data directory that it belongs to, or whoever moves its log.
 *
 * @throws pg's error where the database cannot be reached
 */
export function tryServiceShare(connection: pg.ClientConfig): Promise<HeldLock | undefined> {
  return hold(connection, `select pg_try_advisory_lock_shared(${lockSpace}, ${serviceLock}) as taken`)
}

/** Takes the right to move the log, while no service runs on it; undefined where one does, or another moves it. */
export function tryMoveLock(connection: pg.ClientConfig): Promise<HeldLock | undefined> {
  return hold(
    connection,
    `select pg_try_advisory_lock(${lockSpace}, ${serviceLock})
        and pg_try_advisory_lock(${lockSpace}, ${moveLock}) as taken`,
  )
}

/** For the transaction that is open on `client`: whether nobody moves the log. */
export async function tryMoveTurn(client: Pick<pg.ClientBase, 'query'>): Promise<boolean> {
  const { rows } = await client.query<{ taken: boolean }>(
    `select pg_try_advisory_xact_lock(${lockSpace}, ${moveLock}) as taken`,
  )
  return rows[0]?.taken === true
}

/** Says that the database is in use. Waits while somebody is stopping it; the wait then ends with pg's error. */
export async function shareUsage(connection: pg.ClientConfig): Promise<HeldLock> {
  const lock = await hold(
    connection,
    `select pg_advisory_lock_shared(${lockSpace}, ${usageLock}) is not null as taken`,
  )
  if (lock === undefined) throw new Error('a lock that was waited for was not taken')
  return lock
}

/** Takes the right to stop the server; undefined while a service or anyone else uses the database. */
export function tryStopLock(connection: pg.ClientConfig): Promise<HeldLock | undefined> {
  return hold(
    connection,
    `select pg_try_advisory_lock(${lockSpace}, ${usageLock})
        and pg_try_advisory_lock(${lockSpace}, ${serviceLock}) as taken`,
  )
}

async function hold(connection: pg.ClientConfig, statement: string): Promise<HeldLock | undefined> {
  const client = new pg.Client({ ...connection, keepAlive: true })
  // An idle client reports a lost server as `error`, and always says `end` after it.
  client.on('error', () => undefined)
  const lost = new Promise<void>((resolve) => client.once('end', () => resolve()))
  try {
    await client.connect()
    await client.query('set idle_session_timeout = 0')
    const { rows } = await client.query<{ taken: boolean }>(statement)
    if (rows[0]?.taken === true) return { lost, release: () => client.end() }
  } catch (cause) {
    await client.end()
    throw cause
  }
  await client.end()
  return undefined
}
