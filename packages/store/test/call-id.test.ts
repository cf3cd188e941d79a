import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { describeOnOnePostgres } from './harness/postgres.ts'
import {
  cast,
  agent,
  decisionRecords,
  escalated,
  faultOf,
  ledgerSite,
  otherAgent,
  policiesOf,
  refund,
  supportPolicy,
  voter,
  type LedgerSite,
} from './harness/ledger.ts'

describeOnOnePostgres('a call id', (postgres) => {
  let site: LedgerSite
  beforeAll(async () => {
    site = await ledgerSite(postgres)
  })
  afterEach(() => site.closeLedgers())
  afterAll(() => site.remove())

  test.each([1, 600, Number.NaN])(
    'gives a retry with the amount %d its first answer, and records nothing',
    async (amount) => {
      const ledger = await site.open()
      const first = await ledger.decide(agent, refund(amount, { callId: 'c1' }))
      const again = await ledger.decide(agent, refund(amount, { callId: 'c1' }))
      expect(first).not.toHaveProperty('replayed')
      expect(again).toEqual({ ...first, replayed: true, outcome: null })
      expect(await decisionRecords(site, ledger)).toHaveLength(1)
    },
  )

  test('of a call is the same call however its parameters are ordered and its numbers are spelled', async () => {
    const ledger = await site.open()
    await ledger.decide(agent, { action: 'issue_refund', params: { amount: 100, note: 'n' }, callId: 'c1' })
    const params = JSON.parse('{"note":"n","amount":1.00e2}')
    expect(await ledger.decide(agent, { action: 'issue_refund', params, callId: 'c1' })).toMatchObject({
      replayed: true,
    })
  })

  test.each([
    ['other parameters', refund(2)],
    ['another action', { action: 'apply_discount', params: { amount: 1 } }],
    ['malformed parameters', refund(Number.NaN)],
  ])('is refused for a call with %s, and nothing is recorded', async (_what, request) => {
    const ledger = await site.open()
    await ledger.decide(agent, refund(1, { callId: 'c1' }))
    expect((await faultOf(ledger.decide(agent, { ...request, callId: 'c1' }))).code).toBe('call_id_reused')
    expect(await decisionRecords(site, ledger)).toHaveLength(1)
  })

  test('of a malformed call is refused for a well-formed one', async () => {
    const ledger = await site.open()
    await ledger.decide(agent, refund(Number.NaN, { callId: 'c1' }))
    expect((await faultOf(ledger.decide(agent, refund(1, { callId: 'c1' })))).code).toBe('call_id_reused')
  })

  test('belongs to its agent: another agent may use the same one for another call', async () => {
    const ledger = await site.open(policiesOf(supportPolicy(), supportPolicy('', otherAgent)))
    await ledger.decide(agent, refund(1, { callId: 'c1' }))
    const other = await ledger.decide(otherAgent, refund(2, { callId: 'c1' }))
    expect(other.replayed).toBeUndefined()
    expect(await decisionRecords(site, ledger)).toHaveLength(2)
  })

  test('that 50 callers use at once, through two processes, is recorded once', async () => {
    const one = await site.open()
    const two = await site.open(undefined, one.name)
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, at) => (at % 2 ? one : two).decide(agent, refund(1, { callId: 'c1' }))),
    )
    expect(answers.filter(({ replayed }) => replayed !== true)).toHaveLength(1)
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1)
    expect(await decisionRecords(site, one)).toHaveLength(1)
  })

  test.each(['succeeded', 'failed', 'unknown'] as const)(
    'of a call that %s tells a retry so',
    async (status) => {
      const ledger = await site.open()
      const { id } = await ledger.decide(agent, refund(1, { callId: 'c1' }))
      await ledger.reportOutcome(agent, id, { status })
      expect(await ledger.decide(agent, refund(1, { callId: 'c1' }))).toMatchObject({
        id,
        replayed: true,
        outcome: { status },
      })
    },
  )

  test('stands for the allowed decision once its approval has been used', async () => {
    const ledger = await site.open()
    const approvalId = await escalated(ledger, { callId: 'c1' })
    await cast(ledger, voter('ann'), approvalId, { vote: 'approve' })
    const allowed = await ledger.decide(agent, refund(600, { callId: 'c1', approvalId }))
    expect(allowed.effect).toBe('allow')
    // A second use is denied, and leaves what the call id stands for as it was.
    expect((await ledger.decide(agent, refund(600, { callId: 'c1', approvalId }))).effect).toBe('deny')
    expect(await ledger.decide(agent, refund(600, { callId: 'c1' }))).toMatchObject({
      id: allowed.id,
      replayed: true,
    })
  })

  test('that has been allowed is not allowed again through the approval of another call', async () => {
    const ledger = await site.open()
    const first = await escalated(ledger, { callId: 'c1' })
    const second = await escalated(ledger, { callId: 'c2' })
    for (const id of [first, second]) await cast(ledger, voter('ann'), id, { vote: 'approve' })
    await ledger.decide(agent, refund(600, { callId: 'c1', approvalId: first }))
    const crossed = await ledger.decide(agent, refund(600, { callId: 'c1', approvalId: second }))
    expect(crossed).toMatchObject({
      effect: 'deny',
      reasons: [`Approval ${second} was given for another call`],
    })
    expect((await ledger.decide(agent, refund(600, { callId: 'c2', approvalId: second }))).effect).toBe(
      'allow',
    )
  })
})
