import { afterAll, beforeAll, expect, test } from 'vitest'
import { ledgerSite, type LedgerSite } from './harness/ledger.ts'
import { describeOnPostgres } from './harness/postgres.ts'

/**
 * Tables that are not spread by ledger, each with its reason in docs/SCALING.md. A database that is distributed by
 * ledger holds what the others hold of one ledger in one place.
 */
const notByLedger = [
  'agent_owner',
  'api_key',
  'credential',
  'migration',
  'outbox',
  'passkey_challenge',
  'person',
  'session',
  'sign_in_attempt',
  'sign_in_link',
  'sign_in_step',
  'sign_out',
]

describeOnPostgres('ledgers share nothing', (postgres) => {
  let site: LedgerSite
  beforeAll(async () => {
    site = await ledgerSite(postgres)
  })
  afterAll(() => site.remove())

  test('in any table but those that SCALING.md names: the ledger begins every key', async () => {
    const keys = await site.query<{ table: string; index: string; columns: string[] }>(
      `select t.relname as table, i.relname as index, array_agg(a.attname::text order by k.n) as columns
      from pg_index x join pg_class t on t.oid = x.indrelid join pg_class i on i.oid = x.indexrelid,
        unnest(x.indkey::int2[]) with ordinality as k (attnum, n), pg_attribute a
      where x.indisunique and t.relnamespace = 'bailiwick'::regnamespace
        and a.attrelid = t.oid and a.attnum = k.attnum
      group by 1, 2`,
    )
    expect(keys.length).toBeGreaterThan(10)
    const others = keys.filter(({ columns }) => columns[0] !== 'ledger').map(({ table }) => table)
    expect([...new Set(others)].sort()).toEqual(notByLedger)
  })
})
