import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { noticesOf } from '@bailiwick/core'
import { describeOnOnePostgres } from './harness/postgres.ts'
import {
  agent,
  cast,
  escalated,
  faultOf,
  ledgerSite,
  minute,
  policiesOf,
  records,
  refund,
  supportPolicy,
  terms,
  voter,
  type LedgerSite,
} from './harness/ledger.ts'

describeOnOnePostgres('G3: breaking the glass', (postgres) => {
  let site: LedgerSite
  beforeAll(async () => {
    site = await ledgerSite(postgres)
  })
  afterEach(() => site.closeLedgers())
  afterAll(() => site.remove())

  const route = '{ approvers: [role:finance], quorum: 3, break_glass: { approvers: [role:oncall] } }'
  const open = () => site.open(policiesOf(terms(route)))
  const oncall = (name: string) => voter(name, ['oncall'])
  const emergency = { vote: 'approve', breakGlass: true, comment: 'the warehouse is on fire' } as const

  test('takes two people who may, each with a reason, and everybody hears of it', async () => {
    const ledger = await open()
    const id = await escalated(ledger)
    expect(await cast(ledger, oncall('ann'), id, emergency)).toBe('pending')
    expect(await cast(ledger, oncall('bob'), id, emergency)).toBe('approved')
    const votes = (await records(site, ledger)).filter(({ kind }) => kind === 'vote')
    expect(votes).toMatchObject([{ breakGlass: true }, { breakGlass: true, status: 'approved' }])
    expect(JSON.stringify(votes)).not.toContain('fire')
    expect(votes.map((vote) => noticesOf(vote).map(({ kind, severity }) => [kind, severity]))).toEqual([
      [['approval.break_glass', 'critical']],
      [
        ['approval.break_glass', 'critical'],
        ['approval.decided', 'info'],
      ],
    ])
    expect((await ledger.approval(id, {})).votes).toMatchObject([
      { person: 'ann@example.com', breakGlass: true, comment: emergency.comment },
      { person: 'bob@example.com', breakGlass: true },
    ])
    expect((await ledger.decide(agent, refund(600, { approvalId: id }))).effect).toBe('allow')
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  test('is not added up with the votes of those who are asked', async () => {
    const ledger = await open()
    const id = await escalated(ledger)
    await cast(ledger, oncall('ann'), id, emergency)
    for (const name of ['eve', 'lea']) {
      expect(await cast(ledger, voter(name, ['finance']), id, { vote: 'approve' })).toBe('pending')
    }
    expect(await cast(ledger, voter('kim', ['finance']), id, { vote: 'approve' })).toBe('approved')
  })

  test('is for nobody else, not twice for one, and ends with the deadline', async () => {
    const ledger = await open()
    const id = await escalated(ledger)
    expect((await faultOf(cast(ledger, voter('eve', ['finance']), id, emergency))).code).toBe('not_permitted')
    // Who may break the glass is not asked otherwise.
    expect((await faultOf(cast(ledger, oncall('ann'), id, { vote: 'approve' }))).code).toBe('not_permitted')
    await cast(ledger, oncall('ann'), id, emergency)
    expect((await faultOf(cast(ledger, oncall('ann'), id, emergency))).code).toBe('already_voted')
    site.clock.advance(5 * minute)
    expect((await faultOf(cast(ledger, oncall('bob'), id, emergency))).code).toBe('approval_closed')
  })

  test('is not for who stands behind the call', async () => {
    const ledger = await open()
    const id = await escalated(ledger, { context: { principal: 'ann@example.com' } })
    expect((await faultOf(cast(ledger, oncall('ann'), id, emergency))).code).toBe('not_permitted')
  })

  test('is for nobody where the policy does not say so, or one of two routes does not', async () => {
    const usual = await site.open()
    const id = await escalated(usual)
    expect((await faultOf(cast(usual, oncall('ann'), id, emergency))).code).toBe('not_permitted')
    const one = supportPolicy(`approvals: { human_approval_required: ${route} }\n`)
    const ledger = await site.open(policiesOf(one))
    const { approval } = await ledger.decide(agent, {
      action: 'issue_refund',
      params: { amount: 600, is_vip: true },
    })
    expect((await faultOf(cast(ledger, oncall('ann'), approval?.id ?? '', emergency))).code).toBe(
      'not_permitted',
    )
  })

  test.each([
    [{ comment: ' ' }],
    [{ comment: undefined }],
    [{ vote: 'reject' as const }],
    [{ for: 'bob@example.com' }],
  ])('with %j it is refused', async (wrong) => {
    const ledger = await open()
    const id = await escalated(ledger)
    expect((await faultOf(cast(ledger, oncall('ann'), id, { ...emergency, ...wrong }))).code).toBe(
      'bad_input',
    )
  })
})
