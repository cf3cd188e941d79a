import { afterEach, beforeEach, expect, test } from 'vitest'
import pg from 'pg'
import { inSchema, migrate } from '../src/migrate.ts'
import { describeOnPostgres, type TestDatabase } from './harness/postgres.ts'
import { faultOf } from './harness/ledger.ts'

describeOnPostgres('migrating', (postgres) => {
  let database: TestDatabase
  beforeEach(async () => {
    database = await postgres.createEmptyDatabase()
  })
  afterEach(() => database.drop())

  async function query<Row extends pg.QueryResultRow>(text: string): Promise<Row[]> {
    const client = new pg.Client(inSchema(database.config))
    await client.connect()
    try {
      return (await client.query<Row>(text)).rows
    } finally {
      await client.end()
    }
  }
  const applied = () => query<{ name: string; applied_at: Date }>('select * from migration order by name')

  test('an empty database gives it every table, and doing it again changes nothing', async () => {
    await migrate(database.config)
    const first = await applied()
    expect(first.map(({ name }) => name)).toEqual(first.map(({ name }) => name).toSorted())
    expect(first[0]?.name).toBe('0001_log.sql')
    await migrate(database.config)
    expect(await applied()).toEqual(first)
  })

  test('from eight processes at once applies each migration once', async () => {
    await Promise.all(Array.from({ length: 8 }, () => migrate(database.config)))
    const names = (await applied()).map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
  })

  test('keeps what the database holds', async () => {
    await migrate(database.config)
    await query(`insert into ledger_head values ('main', 0, '')`)
    await migrate(database.config)
    expect(await query('select ledger from ledger_head')).toEqual([{ ledger: 'main' }])
  })

  test('a database of a newer version is refused, and left as it is', async () => {
    await migrate(database.config)
    await query(`insert into migration (name) values ('9999_from_the_future.sql')`)
    const before = await applied()
    const fault = await faultOf(migrate(database.config))
    expect(fault).toMatchObject({
      code: 'store_unavailable',
      message: expect.stringContaining('9999_from_the_future.sql'),
    })
    expect(await applied()).toEqual(before)
  })

  test('shares a database with tables of other schemas', async () => {
    await query('create table public.ledger_head (unrelated int)')
    await migrate(database.config)
    expect(await query('select * from ledger_head')).toEqual([])
  })
})
