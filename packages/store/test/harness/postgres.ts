import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { describe, inject, test } from 'vitest'
import { missingInCi } from '../../../../test/tools.ts'
import { templateDatabase, type PostgresFlavour, type TestServer } from '../../../../test/setup/postgres.ts'

/** A server that runs for this test run only. Nothing on it is fsynced. */
export interface TestPostgres {
  readonly flavour: PostgresFlavour
  /** The major version. */
  readonly version: number
  /** A fresh database with all tables, and nothing in them. */
  createDatabase(): Promise<TestDatabase>
  /** A fresh database without tables. */
  createEmptyDatabase(): Promise<TestDatabase>
}

/** A database of one test. */
export interface TestDatabase {
  readonly config: pg.ClientConfig
  /** The same as a DATABASE_URL. Its server is fsync-less: BAILIWICK_ALLOW_UNSAFE=1 makes the service accept it. */
  readonly url: string
  /** Drops it, ending every connection to it. */
  drop(): Promise<void>
}

/** The servers that run; what is missing was announced when the run began. */
function testPostgres(): readonly TestPostgres[] {
  return inject('testServers').flatMap((server) => ('missing' in server ? [] : [postgresOf(server)]))
}

/**
 * Describes a suite once per flavour of PostgreSQL. A flavour that is missing on this machine is counted as
 * skipped, and in CI as failed.
 */
export function describeOnPostgres(name: string, suite: (postgres: TestPostgres) => void): void {
  for (const server of inject('testServers')) {
    if ('missing' in server) {
      const inCi = process.env['CI'] === 'true'
      test.skipIf(!inCi)(`${name} (${server.flavour} PostgreSQL: ${server.missing})`, () => {
        throw new Error(missingInCi(`the ${server.flavour} PostgreSQL`))
      })
    } else {
      describe(`${name} (PostgreSQL ${server.version}, ${server.flavour})`, () => suite(postgresOf(server)))
    }
  }
}

/**
 * As `describeOnPostgres`, on one of those that there are: for suites that take long, and whose SQL others run on both. Which one
 * follows from the name, so that each has about half of these suites, and a suite always the same one.
 */
export function describeOnOnePostgres(name: string, suite: (postgres: TestPostgres) => void): void {
  const servers = inject('testServers').filter((each) => !('missing' in each))
  const server = servers[Buffer.from(name).reduce((sum, byte) => sum + byte, 0) % servers.length]
  if (server === undefined || 'missing' in server) throw new Error('no PostgreSQL to test on')
  describe(`${name} (PostgreSQL ${server.version}, ${server.flavour})`, () => suite(postgresOf(server)))
}

/**
 * A fresh database with all tables on one flavour's server, or on the first that there is.
 *
 * @throws where the flavour is missing
 */
export function testDatabase(flavour?: PostgresFlavour): Promise<TestDatabase> {
  const postgres = testPostgres().find((found) => flavour === undefined || found.flavour === flavour)
  if (postgres === undefined) throw new Error(`no ${flavour ?? ''} PostgreSQL to test on`)
  return postgres.createDatabase()
}

type RunningServer = Exclude<TestServer, { readonly missing: string }>

function postgresOf(server: RunningServer): TestPostgres {
  const { flavour, version } = server
  // Copying files is faster than logging every page, where the server can be told.
  const copied = `template ${templateDatabase}${version >= 15 ? ' strategy file_copy' : ''}`
  return {
    flavour,
    version,
    createDatabase: () => createDatabase(server, copied),
    createEmptyDatabase: () => createDatabase(server, ''),
  }
}

async function createDatabase(server: RunningServer, options: string): Promise<TestDatabase> {
  const database = `t_${randomBytes(8).toString('hex')}`
  await administer(server, `create database ${database} ${options}`)
  const config = configFor(server, database)
  return {
    config,
    url: `postgresql://${config.user}@${encodeURIComponent(server.socketDir)}:${config.port}/${database}`,
    drop: () => administer(server, `drop database if exists ${database} with (force)`),
  }
}

function configFor(server: RunningServer, database: string) {
  return { host: server.socketDir, port: 5432, user: 'bailiwick', database, ssl: false } as const
}

async function administer(server: RunningServer, statement: string): Promise<void> {
  const client = new pg.Client(configFor(server, 'postgres'))
  try {
    await client.connect()
    await client.query(statement)
  } finally {
    await client.end()
  }
}
