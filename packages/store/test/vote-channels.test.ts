import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import {
  agent,
  cast,
  escalated,
  faultOf,
  ledgerSite,
  policiesOf,
  records,
  refund,
  terms,
  voter,
  type LedgerSite,
} from './harness/ledger.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'

const approve = { vote: 'approve' } as const

describeOnOnePostgres('the channel of a vote', (postgres) => {
  let site: LedgerSite
  beforeAll(async () => {
    site = await ledgerSite(postgres)
  })
  afterEach(() => site.closeLedgers())
  afterAll(() => site.remove())

  const opened = async (route: string) => {
    const ledger = await site.open(policiesOf(terms(route)))
    return { ledger, id: await escalated(ledger) }
  }

  test('is in its record and in what people see; a program that has the ledger open is one, too', async () => {
    const { ledger, id } = await opened('{ quorum: 3 }')
    await cast(ledger, voter('ann'), id, { ...approve, channel: 'slack' })
    await cast(ledger, voter('bob'), id, { ...approve, channel: 'email' })
    await cast(ledger, voter('cyd'), id, approve)
    const votes = (await records(site, ledger)).filter(({ kind }) => kind === 'vote')
    expect(votes.map((vote) => 'channel' in vote && vote.channel)).toEqual(['slack', 'email', 'api'])
    expect((await ledger.approval(id, {})).votes).toMatchObject(votes.map(() => ({ vote: 'approve' })))
    expect((await ledger.approval(id, {})).votes.map(({ channel }) => channel)).toEqual([
      'slack',
      'email',
      'api',
    ])
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  describe('that the policy does not take', () => {
    test('gives no vote, though the person may vote over another', async () => {
      const { ledger, id } = await opened('{ channels: [console, slack] }')
      for (const channel of ['email', 'api', undefined] as const) {
        const fault = await faultOf(cast(ledger, voter('ann'), id, { ...approve, channel }))
        expect([fault.code, fault.fix]).toEqual(['not_permitted', 'Answer in the console or in Slack.'])
      }
      expect((await ledger.approval(id, {})).votes).toEqual([])
      expect(await cast(ledger, voter('ann'), id, { ...approve, channel: 'slack' })).toBe('approved')
      expect(await ledger.decide(agent, refund(600, { approvalId: id }))).toMatchObject({ effect: 'allow' })
      expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
    })

    test('gives no rejection and breaks no glass either', async () => {
      const { ledger, id } = await opened(
        '{ channels: [console], break_glass: { approvers: ["role:approver"] } }',
      )
      const rejected = cast(ledger, voter('ann'), id, { vote: 'reject', channel: 'email' })
      expect((await faultOf(rejected)).code).toBe('not_permitted')
      const emergency = { ...approve, breakGlass: true, comment: 'it burns' }
      const broken = cast(ledger, voter('ann'), id, { ...emergency, channel: 'slack' })
      expect((await faultOf(broken)).code).toBe('not_permitted')
      expect(await cast(ledger, voter('ann'), id, { ...emergency, channel: 'console' })).toBe('pending')
    })

    test('is any, where two routes have none in common: the call is denied when its time is up', async () => {
      const ledger = await site.open(
        policiesOf(
          terms('{ channels: [console] }') + '  human_review_before_action: { channels: [slack] }\n',
        ),
      )
      const id = await escalated(ledger, { params: { amount: 600, is_vip: true } })
      for (const channel of ['console', 'slack', 'email', 'api'] as const) {
        const fault = await faultOf(cast(ledger, voter('ann'), id, { ...approve, channel }))
        expect(fault.code, channel).toBe('not_permitted')
      }
      expect((await ledger.approval(id, {})).status).toBe('pending')
    })
  })
})
