import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import pg from 'pg'
import { AppendQuery, type StatementValue } from '../src/log/append-query.ts'
import { describeOnPostgres } from './harness/postgres.ts'
import { ledgerSite, type LedgerSite } from './harness/ledger.ts'

describeOnPostgres('appending a batch', (postgres) => {
  let site: LedgerSite
  let client: pg.Client
  beforeAll(async () => {
    site = await ledgerSite(postgres)
    client = new pg.Client({ ...site.database.config, pipeline: true })
    await client.connect()
  })
  afterEach(() => site.closeLedgers())
  afterAll(async () => {
    await client.end()
    await site.remove()
  })

  const prepared = new Set<string>()

  function counted(name: string, text: string, values: readonly StatementValue[]): Promise<number> {
    return new Promise((resolve, reject) => {
      client.query(
        new AppendQuery({ name, text, values }, prepared, (error, rows) => {
          if (error === undefined) resolve(rows)
          else reject(error)
        }),
      )
    })
  }

  test('finds what was recorded by names that PostgreSQL would have to quote', async () => {
    const ledger = await site.open()
    const names = ['a"b', 'c\\d', '{e,f}', "g'h", '€\u{1f602}', 'NULL', '"', '\\"\\']
    for (const name of names) await ledger.decide(name, { action: `act${name}`, params: { name } })
    for (const name of names) {
      const { decisions: found } = await ledger.decisions({ agent: name, limit: 10 })
      expect(found).toMatchObject([{ agent: name, action: `act${name}` }])
    }
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  test('sends bytes and texts of any length as they are, and counts the rows that come back', async () => {
    const text = 'select 1 from generate_series(1, 3) where $1::bytea = decode($2, $3)'
    for (const length of [0, 1, 100, 70_000, 1_000_000]) {
      const bytes = Buffer.alloc(length, 7)
      expect(await counted('same', text, [bytes, bytes.toString('hex'), 'hex'])).toBe(3)
      expect(await counted('same', text, [bytes, `${bytes.toString('hex')}00`, 'hex'])).toBe(0)
    }
  })

  test('answers statements that are on their way together each for itself', async () => {
    const rows = Array.from({ length: 20 }, (_, at) =>
      counted('many', 'select 1 from generate_series(1, $1::int)', [String(at)]),
    )
    expect(await Promise.all(rows)).toEqual(rows.map((_, at) => at))
  })

  test('tells of a statement that fails, and of those alone', async () => {
    const text = 'select 1 / $1::int'
    const answers = await Promise.allSettled(
      ['1', '0', '2'].map((divisor) => counted('divided', text, [divisor])),
    )
    expect(answers).toMatchObject([
      { status: 'fulfilled', value: 1 },
      { status: 'rejected', reason: { code: '22012' } },
      { status: 'fulfilled', value: 1 },
    ])
  })
})
