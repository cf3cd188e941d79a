import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Ledger } from '../src/ledger.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'
import { agent, ledgerSite, minute, type LedgerSite } from './harness/ledger.ts'
import { counting, mail, refundFor } from './harness/uses.ts'

const daily = 'counted under daily than the log says was used'
const calm = 'counted under calm than the log says was used'

describeOnOnePostgres('G5: verification finds in what is stored of counters', (postgres) => {
  let site: LedgerSite
  let ledger: Ledger
  let first: number

  beforeAll(async () => {
    site = await ledgerSite(postgres)
    ledger = await site.open(counting(), 'main')
    // A key may hold anything, also what PostgreSQL does not read.
    first = (await ledger.decide(agent, refundFor('c1 \\u0000 \u0000 "é', 10.25))).record.index
    await ledger.decide(agent, refundFor('c1', 20, { callId: 'c\\u0000' }))
    await Promise.all(Array.from({ length: 3 }, () => ledger.decide(agent, mail)))
    const { id } = await ledger.decide(agent, refundFor('c2', 30))
    await ledger.reportOutcome(agent, id, { status: 'failed', detail: '\u0000' })
    await site.query('create table saved_entry as table counter_entry')
  })
  afterEach(async () => {
    await site.query('truncate counter_entry; insert into counter_entry table saved_entry')
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })
  afterAll(() => site.remove())

  const foundIn = async (index: number | null, problem: string) =>
    expect(await ledger.verify()).toMatchObject({
      kind: 'broken',
      ...(index === null ? {} : { index }),
      problem,
      fix: expect.stringContaining('evidence'),
    })

  test('every row that is gone', async () => {
    const rows = await site.query<{ decision: number; counter: string }>(
      'select decision::int, counter from counter_entry order by 1',
    )
    expect(rows.length).toBeGreaterThan(2)
    for (const { decision, counter } of rows.toReversed()) {
      await site.query('delete from counter_entry where decision = $1', [decision])
      await foundIn(
        counter === 'daily' ? decision : null,
        `less is counted under ${counter} than the log says was used`,
      )
    }
  })

  test.each([
    ['amount, lowered', 'amount = amount - 0.01', `less is ${daily}`],
    ['amount, raised', 'amount = amount + 0.01', `more is ${daily}`],
    ['amount, no number', `amount = 'NaN'`, 'the use of daily by dec_1 is no amount that a call can use'],
    ['key', `key = sha256('another')`, `less is ${daily}`],
    ['counter', `counter = 'hourly'`, `less is ${daily}`],
    ['instant', `at = at - interval '1 second'`, `less is ${daily}`],
    ['instant, never', `at = '-infinity'`, `less is ${daily}`],
    ['decision', 'decision = decision + 1000', `less is ${daily}`],
    ['window', 'window_ms = 1', `less is ${daily}`],
    ['window, for longer', 'window_ms = window_ms + 1', `less is ${daily}`],
    ['being given back', 'releasable = false', `less is ${daily}`],
    ['ledger', `ledger = 'elsewhere'`, `less is ${daily}`],
  ])('a changed %s', async (_what, change, problem) => {
    await site.query('alter table counter_entry drop constraint if exists counter_entry_amount_check')
    await site.query(`update counter_entry set ${change} where decision = $1`, [first])
    await foundIn(first, problem)
  })

  test('a rate that was lowered, or whose rows were made one', async () => {
    await site.query(`update counter_entry set amount = amount - 0.5 where counter = 'calm'`)
    await foundIn(null, `less is ${calm}`)
  })

  test('a row too many, also one that counts no more by what it says itself', async () => {
    for (const [windowMs, releasable] of [
      [86_400_000, true],
      [1, true],
      [60_000, false],
    ] as const) {
      await site.query(
        `insert into counter_entry select ledger, decision, sha256('more'), 'daily', at, 1, $2, $3 from saved_entry
        where decision = $1`,
        [first, windowMs, releasable],
      )
      await foundIn(first, `more is ${daily}`)
      await site.query('truncate counter_entry; insert into counter_entry table saved_entry')
    }
  })

  test('what was given back and is counted again', async () => {
    const [last] = await site.query<{ index: number }>(
      `select max(index)::int as index from log_entry where kind = 'decision'`,
    )
    await site.query(
      `insert into counter_entry select ledger, $1, key, counter, at, 30, window_ms, releasable from saved_entry
      where decision = $2`,
      [last?.index, first],
    )
    await foundIn(last?.index ?? null, `more is ${daily}`)
  })

  test('nothing where the same sum of a rate lies in other rows', async () => {
    const [row] = await site.query<{ decision: number }>(
      `select min(decision)::int as decision from counter_entry where counter = 'calm'`,
    )
    await site.query(
      `update counter_entry set amount = amount - 0.5 where counter = 'calm' and decision = $1`,
      [row?.decision],
    )
    await site.query(
      `insert into counter_entry select ledger, decision + 1000, key, counter, at, 0.5, window_ms, releasable
      from saved_entry where decision = $1`,
      [row?.decision],
    )
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  describe('where the payload was erased, and nobody knows the key any more,', () => {
    beforeAll(() =>
      ledger.erase({ target: { decision: `dec_${first}` }, reason: 'asked for', by: 'operator' }),
    )

    test('what was lowered or deleted, and another key is as good as the right one', async () => {
      await site.query('update counter_entry set amount = amount - 1 where decision = $1', [first])
      await foundIn(first, `less is ${daily}`)
      await site.query('delete from counter_entry where decision = $1', [first])
      await foundIn(first, `less is ${daily}`)
      await site.query('truncate counter_entry; insert into counter_entry table saved_entry')
      await site.query('update counter_entry set amount = amount + 1 where decision = $1', [first])
      await foundIn(first, `more is ${daily}`)
      await site.query('truncate counter_entry; insert into counter_entry table saved_entry')
      await site.query(`update counter_entry set key = sha256('another') where decision = $1`, [first])
      expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
    })
  })

  describe('once it counts no more,', () => {
    beforeAll(() => {
      site.clock.advance(25 * 60 * minute)
    })

    test('that more is stored, and not that it is gone', async () => {
      await site.query('update counter_entry set amount = amount + 1 where decision = $1', [first])
      await foundIn(first, `more is ${daily}`)
      await site.query('delete from counter_entry')
      expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
    })
  })
})
