import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { describeOnOnePostgres } from './harness/postgres.ts'
import {
  cast,
  escalated,
  ledgerSite,
  minute,
  policiesOf,
  records,
  terms,
  voter,
  type LedgerSite,
} from './harness/ledger.ts'
import type { Ledger } from '../src/ledger.ts'

describeOnOnePostgres('people are told again of what waits', (postgres) => {
  let site: LedgerSite
  beforeAll(async () => {
    site = await ledgerSite(postgres)
  })
  afterEach(() => site.closeLedgers())
  afterAll(() => site.remove())

  const route = '{ remind: [1m, 3m], escalate_to: [{ after: 2m, approvers: [role:ops] }], deadline: 4m }'
  const reminders = async (ledger: Ledger) =>
    (await records(site, ledger)).flatMap((record) =>
      record.kind === 'reminder' ? [[record.approval, record.asks.join(), Date.parse(record.at)]] : [],
    )

  test('when the policy says so, and whom else to ask, each once, whoever looks and how often', async () => {
    const one = await site.open(policiesOf(terms(route)))
    const two = await site.open(policiesOf(terms(route)), one.name)
    const start = site.clock.now()
    const id = await escalated(one)
    for (let passed = 0; passed < 4 * minute; passed += minute / 2) {
      await Promise.all([one.remindDue(), two.remindDue(), one.remindDue()])
      site.clock.advance(minute / 2)
    }
    expect(await reminders(one)).toEqual([
      [id, '', start + minute],
      [id, 'role:ops', start + 2 * minute],
      [id, '', start + 3 * minute],
    ])
    expect(await one.verify()).toMatchObject({ kind: 'intact' })
  })

  test('once for all that came due while nobody looked', async () => {
    const ledger = await site.open(policiesOf(terms(route)))
    const id = await escalated(ledger)
    site.clock.advance(2.5 * minute)
    expect([await ledger.remindDue(), await ledger.remindDue()]).toEqual([1, 0])
    expect(await reminders(ledger)).toEqual([[id, 'role:ops', site.clock.now()]])
  })

  test('not once it is answered, and not when its time is up', async () => {
    const ledger = await site.open(policiesOf(terms(route)))
    const [answered, late] = [await escalated(ledger), await escalated(ledger)]
    await cast(ledger, voter('ann'), answered, { vote: 'reject' })
    site.clock.advance(4 * minute)
    expect(await ledger.remindDue()).toBe(0)
    expect((await ledger.approval(late, {})).status).toBe('expired')
  })

  test('not where the policy does not say so', async () => {
    const ledger = await site.open()
    await escalated(ledger)
    site.clock.advance(4 * minute)
    expect(await ledger.remindDue()).toBe(0)
  })

  test('outside of business hours the clock stands still, for reminders as for the deadline', async () => {
    // The clock of these tests begins on a Sunday, at 09:00 UTC.
    const hours = '{ zone: UTC, days: [mon], from: "08:00", to: "18:00" }'
    const ledger = await site.open(policiesOf(terms(`{ deadline: 1h, remind: [30m], hours: ${hours} }`)))
    const sunday = site.clock.now()
    const id = await escalated(ledger)
    const { deadline } = await ledger.approval(id, {})
    const monday = Date.parse('2026-03-02T08:00:00Z')
    expect(Date.parse(deadline)).toBe(monday + 60 * minute)
    site.clock.advance(monday - sunday + 30 * minute - 1)
    expect(await ledger.remindDue()).toBe(0)
    site.clock.advance(1)
    expect(await ledger.remindDue()).toBe(1)
    expect(await cast(ledger, voter('ann'), id, { vote: 'approve' })).toBe('approved')
  })
})
