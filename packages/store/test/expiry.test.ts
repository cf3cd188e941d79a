import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { describeOnOnePostgres } from './harness/postgres.ts'
import {
  cast,
  agent,
  escalated,
  ledgerSite,
  minute,
  records,
  refund,
  voter,
  type LedgerSite,
} from './harness/ledger.ts'

describeOnOnePostgres('G3: silence is a denial', (postgres) => {
  let site: LedgerSite
  beforeAll(async () => {
    site = await ledgerSite(postgres)
  })
  afterEach(() => site.closeLedgers())
  afterAll(() => site.remove())

  test('each deadline that passes is recorded once, also by two processes at once and again later', async () => {
    const one = await site.open()
    const two = await site.open(undefined, one.name)
    const ids = await Promise.all(Array.from({ length: 20 }, () => escalated(one)))
    expect(await one.expireOverdue()).toBe(0)
    site.clock.advance(5 * minute)
    const counts = await Promise.all([one, two, one, two].map((ledger) => ledger.expireOverdue()))
    expect(counts.reduce((sum, count) => sum + count)).toBe(20)
    expect(await two.expireOverdue()).toBe(0)
    const expiries = (await records(site, one)).filter((record) => record.kind === 'expiry')
    expect(expiries.map(({ approval }) => approval).sort()).toEqual([...ids].sort())
    expect(expiries[0]).toMatchObject({ agent, action: 'issue_refund', payload: null })
    expect(await one.verify()).toMatchObject({ kind: 'intact' })
  })

  test('an approval that nobody used in time expires too; a rejected or used one does not', async () => {
    const ledger = await site.open()
    const [unused, rejected, used] = [
      await escalated(ledger),
      await escalated(ledger),
      await escalated(ledger),
    ]
    await cast(ledger, voter('ann'), unused, { vote: 'approve' })
    await cast(ledger, voter('ann'), rejected, { vote: 'reject' })
    await cast(ledger, voter('ann'), used, { vote: 'approve' })
    await ledger.decide(agent, refund(600, { approvalId: used }))
    site.clock.advance(5 * minute)
    expect(await ledger.expireOverdue()).toBe(1)
    const statuses = async () =>
      Promise.all([unused, rejected, used].map(async (id) => (await ledger.approval(id, {})).status))
    expect(await statuses()).toEqual(['expired', 'rejected', 'consumed'])
  })

  test('what is recorded as expired stays so, also where another process has a slow clock', async () => {
    const ledger = await site.open()
    const id = await escalated(ledger)
    await cast(ledger, voter('ann'), id, { vote: 'approve' })
    site.clock.advance(5 * minute)
    await ledger.expireOverdue()
    site.clock.advance(-5 * minute)
    expect((await ledger.decide(agent, refund(600, { approvalId: id }))).effect).toBe('deny')
    expect((await ledger.approval(id, {})).status).toBe('expired')
  })

  test('a deadline that has passed shows in lists before it is recorded, and just before it does not', async () => {
    const ledger = await site.open()
    const id = await escalated(ledger)
    const listed = async (status: string) =>
      (await ledger.approvals({ limit: 10, status })).map((view) => view.id)
    site.clock.advance(5 * minute - 1)
    expect([await listed('pending'), await listed('expired')]).toEqual([[id], []])
    site.clock.advance(1)
    expect([await listed('pending'), await listed('expired')]).toEqual([[], [id]])
    await ledger.expireOverdue()
    expect(await listed('expired')).toEqual([id])
  })
})
