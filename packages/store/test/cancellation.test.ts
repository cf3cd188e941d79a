import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { describeOnOnePostgres } from './harness/postgres.ts'
import {
  agent,
  cast,
  escalated,
  faultOf,
  knows,
  ledgerSite,
  minute,
  otherAgent,
  records,
  refund,
  voter,
  type LedgerSite,
} from './harness/ledger.ts'

describeOnOnePostgres('G3: an approval can be withdrawn', (postgres) => {
  let site: LedgerSite
  beforeAll(async () => {
    site = await ledgerSite(postgres)
  })
  afterEach(() => site.closeLedgers())
  afterAll(() => site.remove())

  const reason = 'the order was a mistake'
  const approve = { vote: 'approve' } as const

  test('by its agent: it takes no more votes, lets nothing through, and the log says so', async () => {
    const ledger = await site.open()
    const id = await escalated(ledger)
    expect(await ledger.cancel(id, { agent, reason })).toBe('cancelled')
    const last = (await records(site, ledger)).at(-1)
    expect(last).toMatchObject({
      kind: 'cancellation',
      approval: id,
      agent,
      action: 'issue_refund',
      by: 'agent',
    })
    expect(JSON.stringify(last)).not.toContain('mistake')
    expect(await ledger.approval(id, {})).toMatchObject({
      status: 'cancelled',
      cancelled: { by: 'agent', reason, at: new Date(site.clock.now()).toISOString() },
    })
    const fault = await faultOf(cast(ledger, voter('ann'), id, approve))
    expect([fault.code, fault.message]).toEqual([
      'approval_closed',
      `${id} is cancelled and takes no more votes`,
    ])
    expect(await ledger.decide(agent, refund(600, { approvalId: id }))).toMatchObject({
      effect: 'deny',
      reasons: [`Approval ${id} was cancelled`],
    })
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  test('by a person, also after it was approved and before it is used', async () => {
    const ledger = await site.open()
    const id = await escalated(ledger)
    await cast(ledger, voter('ann'), id, approve)
    await knows(ledger, voter('olga', ['operator']))
    expect(await ledger.cancel(id, { by: 'olga@example.com', reason })).toBe('cancelled')
    expect((await ledger.decide(agent, refund(600, { approvalId: id }))).effect).toBe('deny')
    expect((await ledger.approval(id, {})).cancelled).toMatchObject({ by: 'olga@example.com' })
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  test('not by a person whose role was taken away, whoever was asked before', async () => {
    const ledger = await site.open()
    const id = await escalated(ledger)
    await knows(ledger, voter('olga', ['viewer']))
    const fault = await faultOf(ledger.cancel(id, { by: 'olga@example.com', reason }))
    expect([fault.code, fault.message]).toEqual([
      'not_permitted',
      '`olga@example.com` may not do this: it takes the role operator or administrator',
    ])
    expect((await ledger.approval(id, {})).status).toBe('pending')
  })

  test('not by another agent, for whom it does not exist', async () => {
    const ledger = await site.open()
    const id = await escalated(ledger)
    expect((await faultOf(ledger.cancel(id, { agent: otherAgent, reason }))).code).toBe('not_found')
    expect((await ledger.approval(id, {})).status).toBe('pending')
  })

  test('once, and not after it has ended another way', async () => {
    const ledger = await site.open()
    const [twice, rejected, used, late] = await Promise.all([0, 1, 2, 3].map(() => escalated(ledger)))
    await ledger.cancel(twice ?? '', { agent, reason })
    await cast(ledger, voter('ann'), rejected ?? '', { vote: 'reject' })
    await cast(ledger, voter('ann'), used ?? '', approve)
    await ledger.decide(agent, refund(600, { approvalId: used }))
    site.clock.advance(5 * minute)
    for (const id of [twice, rejected, used, late]) {
      expect((await faultOf(ledger.cancel(id ?? '', { agent, reason }))).code).toBe('approval_closed')
    }
  })

  test.each(['', 'x'.repeat(2001), '\uDC00'])('%j is no reason', async (wrong) => {
    const ledger = await site.open()
    const id = await escalated(ledger)
    expect((await faultOf(ledger.cancel(id, { agent, reason: wrong }))).code).toBe('bad_input')
  })

  test('of its use and its withdrawal through two processes at once, one wins and the other is told so', async () => {
    const one = await site.open()
    const two = await site.open(undefined, one.name)
    for (let round = 0; round < 20; round++) {
      const id = await escalated(one)
      await cast(two, voter('ann'), id, approve)
      const [used, cancelled] = await Promise.allSettled([
        one.decide(agent, refund(600, { approvalId: id })),
        two.cancel(id, { agent, reason }),
      ])
      const isUsed = used.status === 'fulfilled' && used.value.effect === 'allow'
      expect(isUsed).toBe(cancelled.status === 'rejected')
      expect((await one.approval(id, {})).status).toBe(isUsed ? 'consumed' : 'cancelled')
    }
    expect(await one.verify()).toMatchObject({ kind: 'intact' })
  })

  test('what was said of a call that is erased is erased with it', async () => {
    const ledger = await site.open()
    const id = await escalated(ledger)
    await ledger.cancel(id, { agent, reason })
    const decision = id.replace('apr', 'dec')
    await ledger.erase({ target: { decision }, reason: 'asked to', by: 'operator' })
    expect((await ledger.approval(id, {})).cancelled).toMatchObject({ reason: null })
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })
})
