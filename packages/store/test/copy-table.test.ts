import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { inSchema, migrate } from '../src/migrate.ts'
import { copyTable, fingerprint } from '../src/move/copy-table.ts'
import { refuseUnlike, tablesToCopy, type Table } from '../src/move/tables.ts'
import { faultOf } from './harness/ledger.ts'
import { testDatabase, type TestDatabase } from './harness/postgres.ts'

const databases: TestDatabase[] = []
const clients: pg.Client[] = []
let tables: readonly Table[]
let source: pg.Client
let target: pg.Client

beforeAll(async () => {
  ;[source, target] = [await connected(), await connected()]
  tables = await tablesToCopy(source)
  // More than a chunk of each: rows of 100 kB, whose bytes hardly compress, and rows of 100 bytes under a key with text.
  await source.query(
    `insert into log_batch (ledger, first, at, leaf_hashes, records, salts, bodies)
    select l, n * 7, now(), sha256(n::text::bytea), (select string_agg(md5(n::text || i), E'\\n') from generate_series(1, 3000) i), '\\x00', 'ä"\\,{}()'
    from generate_series(0, 150) n, unnest(array['main', 'other']) l`,
  )
  await source.query(
    `insert into log_term (ledger, term, first, at) select 'main', 'agent=' || chr(97 + n % 26) || chr(65 + n % 7) || ' ' || n, n, now() from generate_series(1, 12000) n`,
  )
})
afterAll(async () => {
  for (const client of clients) await client.end()
  for (const database of databases) await database.drop()
})

async function connected(): Promise<pg.Client> {
  const database = await testDatabase()
  databases.push(database)
  await migrate(database.config)
  const client = new pg.Client(inSchema(database.config))
  await client.connect()
  clients.push(client)
  return client
}

function named(name: string): Table {
  return tables.find((table) => table.name === name) ?? expect.unreachable(`no table ${name}`)
}

/** Copies one table, and gives how many rows each chunk had. */
async function copied(name: string): Promise<readonly number[]> {
  const chunks: number[] = []
  await source.query('begin transaction isolation level repeatable read read only')
  await copyTable({ source, target, ledger: 'main' }, named(name), (count) => chunks.push(count))
  await source.query('commit')
  expect(await fingerprint(target, named(name), 'main')).toEqual(
    await fingerprint(source, named(name), 'main'),
  )
  return chunks
}

const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0)

describe('copying a table', () => {
  test('takes chunks of a few MiB, and the rows of its ledger only', async () => {
    const chunks = await copied('log_batch')
    expect(sum(chunks)).toBe(151)
    expect(chunks.length).toBeGreaterThan(2)
    expect(Math.max(...chunks)).toBeLessThan(100)
    expect((await target.query(`select from log_batch where ledger = 'other'`)).rowCount).toBe(0)
  })

  test('again copies what differs, whether it is changed, missing or too much, and nothing else', async () => {
    await target.query(`update log_batch set bodies = 'changed' where first = 70`)
    await target.query(`delete from log_batch where first in (0, 700)`)
    await target.query(
      `insert into log_batch select ledger, first + 3, at, leaf_hashes, records, salts, bodies from log_batch where first in (77, 1050)`,
    )
    await target.query(
      `insert into log_batch select ledger, first + 99999, at, leaf_hashes, records, salts, bodies from log_batch where first < 100`,
    )
    await target.query('create temporary table before as select first, xmin::text as version from log_batch')
    expect(sum(await copied('log_batch'))).toBe(151)
    const { rows } = await target.query<{ kept: string }>(
      'select count(*) as kept from log_batch join before using (first) where log_batch.xmin::text = version',
    )
    // Chunks in which all was right were left as they were.
    expect(Number(rows[0]?.kept)).toBeGreaterThan(30)
  })

  test('with text in its key does not depend on how the two databases sort text', async () => {
    expect(named('log_term').sortsAlike).toBe(false)
    expect(sum(await copied('log_term'))).toBe(12_000)
    await target.query(`delete from log_term where first % 5 = 0`)
    await target.query(`insert into log_term (ledger, term, first, at) values ('main', 'too much', 1, now())`)
    expect(sum(await copied('log_term'))).toBe(12_000)
    expect(sum(await copied('log_term'))).toBe(12_000)
  })

  test('that is empty at the source empties it at the target', async () => {
    await target.query(
      `insert into outcome (ledger, decision, index, status) values ('main', 1, 2, 'failed')`,
    )
    expect(await copied('outcome')).toEqual([])
  })

  test('keeps quotes, backslashes, nulls, arrays, instants and numbers as they are', async () => {
    await source.query(
      `insert into outbox (id, ledger, record_index, kind, target, body, enqueued_at, last_error) values
      ('a', 'main', 1, 'k', 't', E'\\\\ " '' , ( ) { } \\n \\t \\u00e4 \\U0001F600', '2026-01-02 03:04:05.678901+05', null),
      ('b', 'main', 1, 'k', 'u', '', 'infinity', 'NULL'), ('c', 'main', 1, 'k', 'v', 'NULL', '-infinity', '')`,
    )
    await source.query(
      `insert into counter_entry values ('main', 1, '\\x00ff5c22', 'c', now(), 12345678901234567890.000000001, 1, true)`,
    )
    await source.query(`insert into person values ('a@b', array['x', 'null', 'with "quote"', ''], now())`)
    for (const name of ['outbox', 'counter_entry', 'person'])
      expect(sum(await copied(name))).toBeGreaterThan(0)
  })
})

test('what belongs to one database or lets a person in is not copied, and everything else is', async () => {
  const { rows } = await source.query<{ name: string }>(
    `select tablename as name from pg_tables where schemaname = 'bailiwick'`,
  )
  const left = rows.map(({ name }) => name).filter((name) => !tables.some((table) => table.name === name))
  const people = ['session', 'sign_in_link', 'sign_in_step', 'sign_in_attempt', 'passkey_challenge']
  const known = ['ledger_head', 'migration', 'sequencer', ...people]
  // Partitions go with the table that they are part of.
  expect(left.filter((name) => !known.includes(name) && !/^log_(batch|term)_/.test(name))).toEqual([])
})

test('databases whose tables differ are refused', async () => {
  const tampered = tables.map((table) =>
    table.name === 'vote' ? { ...table, columns: 'something else' } : table,
  )
  const fault = await faultOf(Promise.resolve().then(() => refuseUnlike(tables, tampered)))
  expect(fault).toMatchObject({ code: 'store_unavailable', message: expect.stringContaining('vote') })
  expect(() => refuseUnlike(tables, tables)).not.toThrow()
})
