import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { describeOnOnePostgres } from './harness/postgres.ts'
import { agent, faultOf, ledgerSite, otherAgent, records, refund, type LedgerSite } from './harness/ledger.ts'

describeOnOnePostgres('an outcome', (postgres) => {
  let site: LedgerSite
  beforeAll(async () => {
    site = await ledgerSite(postgres)
  })
  afterEach(() => site.closeLedgers())
  afterAll(() => site.remove())

  test('of an allowed call is recorded, with its detail apart from the record', async () => {
    const ledger = await site.open()
    const { id } = await ledger.decide(agent, refund(1))
    const { index } = await ledger.reportOutcome(agent, id, {
      status: 'failed',
      detail: 'card expired',
      result: { code: 5 },
    })
    expect((await records(site, ledger)).at(-1)).toMatchObject({
      kind: 'outcome',
      index,
      decision: id,
      status: 'failed',
    })
    expect(JSON.stringify(await records(site, ledger))).not.toContain('card expired')
    expect((await ledger.decision(id)).outcome).toMatchObject({ status: 'failed', detail: 'card expired' })
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  test.each([
    ['denied', { action: 'delete_account', params: {} }],
    ['escalated', refund(600)],
  ])('of a call that was %s is refused', async (_what, request) => {
    const ledger = await site.open()
    const { id } = await ledger.decide(agent, request)
    expect((await faultOf(ledger.reportOutcome(agent, id, { status: 'succeeded' }))).code).toBe('conflict')
  })

  test("of another agent's call is refused as if there were no such call", async () => {
    const ledger = await site.open()
    const { id } = await ledger.decide(agent, refund(1))
    const theirs = await faultOf(ledger.reportOutcome(otherAgent, id, { status: 'succeeded' }))
    const nobodys = await faultOf(ledger.reportOutcome(agent, 'dec_999', { status: 'succeeded' }))
    expect(theirs).toMatchObject({ code: 'not_found', message: nobodys.message.replace('dec_999', id) })
    expect((await ledger.decision(id)).outcome).toBeNull()
  })

  test.each(['dec_', 'dec_01', 'apr_1', 'dec_-1', 'dec_1e3', 'x', 'dec_999999999999999999999'])(
    'of %s, which is no decision, is refused',
    async (id) => {
      const ledger = await site.open()
      expect((await faultOf(ledger.reportOutcome(agent, id, { status: 'succeeded' }))).code).toBe('not_found')
    },
  )

  test('that 20 callers report at once is recorded once', async () => {
    const ledger = await site.open()
    const { id } = await ledger.decide(agent, refund(1))
    const before = (await ledger.head()).size
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => ledger.reportOutcome(agent, id, { status: 'succeeded' })),
    )
    expect(answers.filter(({ index }) => index !== null)).toHaveLength(1)
    expect((await ledger.head()).size).toBe(before + 1)
  })

  test.each(['succeeded', 'failed'] as const)(
    'that was %s stands: another one is a conflict',
    async (status) => {
      const ledger = await site.open()
      const { id } = await ledger.decide(agent, refund(1))
      await ledger.reportOutcome(agent, id, { status })
      for (const other of ['succeeded', 'failed', 'unknown'] as const) {
        if (other === status) continue
        expect((await faultOf(ledger.reportOutcome(agent, id, { status: other }))).code).toBe('conflict')
      }
      expect(await ledger.reportOutcome(agent, id, { status })).toEqual({ index: null })
    },
  )

  test('G8: that was unknown can be settled later, once', async () => {
    const ledger = await site.open()
    const { id } = await ledger.decide(agent, refund(1))
    await ledger.reportOutcome(agent, id, { status: 'unknown' })
    await ledger.reportOutcome(agent, id, { status: 'succeeded' })
    expect((await faultOf(ledger.reportOutcome(agent, id, { status: 'failed' }))).code).toBe('conflict')
    expect((await ledger.decision(id)).outcome).toMatchObject({ status: 'succeeded' })
    expect((await records(site, ledger)).filter(({ kind }) => kind === 'outcome')).toHaveLength(2)
  })

  test.each([
    ['a detail that is too long', { detail: 'x'.repeat(2001) }, 'bad_input'],
    ['a detail with half of a surrogate pair', { detail: '\uD800' }, 'bad_input'],
    ['a result that is not JSON', { result: Number.NaN }, 'bad_input'],
    ['a result over 64 KiB', { result: 'x'.repeat(64 * 1024) }, 'too_large'],
  ] as const)('with %s is refused, and nothing is recorded', async (_what, more, code) => {
    const ledger = await site.open()
    const { id } = await ledger.decide(agent, refund(1))
    expect((await faultOf(ledger.reportOutcome(agent, id, { status: 'failed', ...more }))).code).toBe(code)
    expect((await ledger.decision(id)).outcome).toBeNull()
  })
})
