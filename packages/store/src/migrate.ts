import { readdir, readFile } from 'node:fs/promises'
import { Fault } from '@bailiwick/core'
import pg from 'pg'
import { fixShape, tableShapeProblem } from './table-shape.ts'

const migrationsDir = new URL('../migrations/', import.meta.url)
/** Any two processes that migrate the same database take turns on this advisory lock. */
const migrationLock = 7_420_001

/** All of Bailiwick's tables live in this schema, so that it can share a database. */
export const schemaName = 'bailiwick'

/** A connection's configuration with Bailiwick's schema first on its search path. */
export function inSchema(config: pg.ClientConfig): pg.ClientConfig {
  return { ...config, options: `${config.options ?? ''} -c search_path=${schemaName} -c timezone=UTC`.trim() }
}

/**
 * Brings the database to this version's tables. Each migration is one transaction, applied once;
 * a database from a newer version is refused.
 *
 * @throws Fault `store_unavailable` where the database knows migrations that this version does not; `log_broken` where
 *   something else stands in the place of a table
 */
export async function migrate(config: pg.ClientConfig): Promise<void> {
  const client = new pg.Client(inSchema(config))
  await client.connect()
  try {
    await client.query('select pg_advisory_lock($1)', [migrationLock])
    await client.query(`create schema if not exists ${schemaName}`)
    await client.query(
      'create table if not exists migration (name text primary key, applied_at timestamptz not null default now())',
    )
    const applied = await client.query<{ name: string }>('select name from migration')
    const done = new Set(applied.rows.map(({ name }) => name))
    const files = (await readdir(migrationsDir)).filter((name) => name.endsWith('.sql')).sort()
    refuseNewer(done, files)
    for (const file of files.filter((name) => !done.has(name))) await apply(client, file)
    await refuseStrangeTables(client)
  } finally {
    await client.end()
  }
}

async function refuseStrangeTables(client: pg.Client): Promise<void> {
  const problem = await tableShapeProblem(client, schemaName)
  if (problem !== undefined) throw new Fault('log_broken', problem, { fix: fixShape })
}

function refuseNewer(done: ReadonlySet<string>, files: readonly string[]): void {
  const unknown = [...done].find((name) => !files.includes(name))
  if (unknown === undefined) return
  throw new Fault(
    'store_unavailable',
    `the database has the migration \`${unknown}\`, which this version lacks`,
    {
      fix: 'Run the version of Bailiwick that last ran on this database, or a newer one.',
    },
  )
}

async function apply(client: pg.Client, file: string): Promise<void> {
  const sql = await readFile(new URL(file, migrationsDir), 'utf8')
  await client.query('begin')
  try {
    await client.query(sql)
    await client.query('insert into migration (name) values ($1)', [file])
    await client.query('commit')
  } catch (cause) {
    await client.query('rollback')
    throw new Fault('store_unavailable', `the migration \`${file}\` failed`, {
      fix: 'See the cause; nothing of this migration was applied.',
      cause,
    })
  }
}
