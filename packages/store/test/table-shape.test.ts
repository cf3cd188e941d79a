import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Ledger } from '../src/ledger.ts'
import { migrate } from '../src/migrate.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'
import { agent, faultOf, ledgerSite, refund, type LedgerSite } from './harness/ledger.ts'

describeOnOnePostgres('G5: what stands in the place of a table', (postgres) => {
  let site: LedgerSite
  let ledger: Ledger
  beforeAll(async () => {
    site = await ledgerSite(postgres)
    ledger = await site.open()
    await ledger.decide(agent, refund(80, { callId: 'one' }))
  })
  afterAll(async () => {
    await ledger.close()
    await site.remove()
  })

  const asView = `alter table call rename to call_elsewhere;
    create view call as select * from call_elsewhere where current_setting('transaction_isolation') = 'repeatable read'`
  test.each([
    [
      'a view that shows others other rows',
      asView,
      'drop view call; alter table call_elsewhere rename to call',
      'is no table',
    ],
    [
      'a rule',
      'create rule quiet as on delete to call do instead nothing',
      'drop rule quiet on call',
      'has rules',
    ],
    [
      'a policy for rows',
      'alter table vote enable row level security',
      'alter table vote disable row level security',
      'hides rows by policies',
    ],
    [
      'a table that inherits',
      'create table call_more () inherits (call)',
      'drop table call_more',
      'has tables that inherit from it',
    ],
  ])('%s: the log is broken, and no service starts on it', async (_what, change, back, problem) => {
    await site.query(change)
    const found = `in the database ${problem}`
    expect(await ledger.verify()).toMatchObject({ kind: 'broken', problem: expect.stringContaining(found) })
    expect(await faultOf(migrate(site.database.config))).toMatchObject({
      code: 'log_broken',
      message: expect.stringContaining(found),
    })
    await site.query(back)
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
    await migrate(site.database.config)
  })

  test('a relation that is found first under the same name: both say so', async () => {
    const client = new pg.Client(site.database.config)
    await client.connect()
    await client.query('set allow_system_table_mods = on')
    await client.query('create view pg_catalog.outcome as select * from bailiwick.outcome where false')
    const found = '`outcome` in the database is found elsewhere first, in the schema pg_catalog'
    expect(await ledger.verify()).toMatchObject({ kind: 'broken', problem: found })
    expect(await faultOf(migrate(site.database.config))).toMatchObject({ code: 'log_broken', message: found })
    await client.query('drop view pg_catalog.outcome')
    await client.end()
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })
})
