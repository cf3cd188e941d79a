import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { approvalDigest } from '@bailiwick/core'
import { describeOnOnePostgres } from './harness/postgres.ts'
import {
  agent,
  cast,
  decisionRecords,
  escalated,
  faultOf,
  ledgerSite,
  policiesOf,
  records,
  refund,
  supportPolicy,
  terms,
  voter,
  type LedgerSite,
} from './harness/ledger.ts'

const vip = { action: 'issue_refund', params: { amount: 1, is_vip: true } }

describeOnOnePostgres('G3: a vote is for what the person saw', (postgres) => {
  let site: LedgerSite
  beforeAll(async () => {
    site = await ledgerSite(postgres)
  })
  afterEach(() => site.closeLedgers())
  afterAll(() => site.remove())

  test('the view shows the digest, and the record of the vote has it', async () => {
    const ledger = await site.open()
    const id = await escalated(ledger)
    const opened = (await decisionRecords(site, ledger)).find(({ opens }) => opens?.id === id)
    const { digest } = await ledger.approval(id, {})
    expect(opened && approvalDigest(opened)).toBe(digest)
    await cast(ledger, voter('ann'), id, { vote: 'approve' })
    expect((await records(site, ledger)).at(-1)).toMatchObject({ kind: 'vote', digest })
  })

  test("another call's digest is refused, also of one with the same parameters", async () => {
    const ledger = await site.open()
    const [id, other] = [await escalated(ledger), await escalated(ledger)]
    const { digest } = await ledger.approval(other, {})
    expect((await faultOf(cast(ledger, voter('ann'), id, { vote: 'approve', digest }))).code).toBe('conflict')
    expect((await ledger.approval(id, {})).votes).toEqual([])
    expect(await cast(ledger, voter('ann'), other, { vote: 'approve' })).toBe('approved')
  })

  test('an approval of another ledger lends its digest to nobody', async () => {
    const [one, two] = [await site.open(), await site.open()]
    const [here, there] = [await escalated(one), await escalated(two)]
    expect(here).toBe(there)
    const { digest } = await two.approval(there, {})
    expect((await faultOf(cast(one, voter('ann'), here, { vote: 'approve', digest }))).code).toBe('conflict')
    await cast(two, voter('ann'), there, { vote: 'approve' })
    expect(await one.decide(agent, refund(600, { approvalId: here }))).toMatchObject({
      effect: 'deny',
      reasons: [`Approval ${here} is still waiting for people`],
    })
  })

  test.each(['', 'x', '0'.repeat(64)])('%j is the digest of nothing', async (digest) => {
    const ledger = await site.open()
    const id = await escalated(ledger)
    for (const vote of ['approve', 'reject'] as const) {
      expect((await faultOf(cast(ledger, voter('ann'), id, { vote, digest }))).code).toBe('conflict')
    }
  })

  describe('to consent and to have looked are two things', () => {
    test('a review asks for acknowledgement, and the record says that the person has looked', async () => {
      const ledger = await site.open()
      const { approval } = await ledger.decide(agent, vip)
      const id = approval?.id ?? ''
      expect((await ledger.approval(id, {})).terms.asks).toBe('acknowledgement')
      expect((await faultOf(cast(ledger, voter('ann'), id, { vote: 'approve' }))).code).toBe('conflict')
      expect(await cast(ledger, voter('ann'), id, { vote: 'acknowledge' })).toBe('approved')
      expect((await records(site, ledger)).at(-1)).toMatchObject({ vote: 'acknowledge', status: 'approved' })
      expect((await ledger.decide(agent, { ...vip, approvalId: id })).effect).toBe('allow')
      expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
    })

    test('to have looked is not to consent, where consent is asked for', async () => {
      const ledger = await site.open()
      const id = await escalated(ledger)
      expect((await faultOf(cast(ledger, voter('ann'), id, { vote: 'acknowledge' }))).code).toBe('conflict')
      expect((await ledger.approval(id, {})).status).toBe('pending')
    })

    test('where one route asks for consent and another for a look, it takes consent', async () => {
      const ledger = await site.open()
      const { approval } = await ledger.decide(agent, {
        action: 'issue_refund',
        params: { amount: 600, is_vip: true },
      })
      expect((await ledger.approval(approval?.id ?? '', {})).terms.asks).toBe('consent')
    })

    test.each([
      ['human_approval_required: { asks: acknowledgement }', refund(600), 'acknowledge'],
      ['human_review_before_action: { asks: consent }', vip, 'approve'],
    ] as const)('a policy may say it otherwise: %s', async (route, call, vote) => {
      const ledger = await site.open(policiesOf(supportPolicy(`approvals: { ${route} }\n`)))
      const { approval } = await ledger.decide(agent, call)
      expect(await cast(ledger, voter('ann'), approval?.id ?? '', { vote })).toBe('approved')
    })

    test('either may be rejected', async () => {
      const ledger = await site.open()
      const { approval } = await ledger.decide(agent, vip)
      expect(await cast(ledger, voter('ann'), approval?.id ?? '', { vote: 'reject' })).toBe('rejected')
    })
  })

  test('where votes have to be signed, one without a signature is refused', async () => {
    const ledger = await site.open(policiesOf(terms('{ signed: true }')))
    const id = await escalated(ledger)
    expect((await ledger.approval(id, {})).terms.signed).toBe(true)
    for (const vote of ['approve', 'reject'] as const) {
      expect((await faultOf(cast(ledger, voter('ann'), id, { vote }))).code).toBe('signature_required')
    }
    expect((await ledger.approval(id, {})).status).toBe('pending')
  })
})
