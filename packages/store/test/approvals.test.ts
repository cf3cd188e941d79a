import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { DecisionRequest } from '@bailiwick/core'
import type { Ledger } from '../src/ledger.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'
import {
  cast,
  agent,
  decisionRecords,
  escalated,
  ledgerSite,
  minute,
  otherAgent,
  policiesOf,
  refund,
  supportPolicy,
  terms,
  voter,
  type LedgerSite,
} from './harness/ledger.ts'

describeOnOnePostgres('G3: an approval is good for exactly one call', (postgres) => {
  let site: LedgerSite
  beforeAll(async () => {
    site = await ledgerSite(postgres)
  })
  afterEach(() => site.closeLedgers())
  afterAll(() => site.remove())

  const approve = { vote: 'approve' } as const
  const refusal = (why: string) => ({
    effect: 'deny',
    reasons: [expect.stringMatching(new RegExp(`${why}$`))],
  })

  test('an approved call is allowed when it is decided again, and uses the approval up', async () => {
    const ledger = await site.open()
    const approvalId = await escalated(ledger)
    expect(await cast(ledger, voter('ann'), approvalId, approve)).toBe('approved')
    const allowed = await ledger.decide(agent, refund(600, { approvalId }))
    expect(allowed).toMatchObject({
      effect: 'allow',
      rules: [{ effect: 'allow' }, { id: 'escalation_rules[0]' }],
    })
    const record = (await decisionRecords(site, ledger)).at(-1)
    expect(record?.claims).toEqual({ id: approvalId, consumed: true })
    expect(await ledger.approval(approvalId, {})).toMatchObject({
      status: 'consumed',
      consumedBy: allowed.id,
    })
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  test('without naming the approval, the same call waits for people again', async () => {
    const ledger = await site.open()
    const approvalId = await escalated(ledger)
    await cast(ledger, voter('ann'), approvalId, approve)
    const again = await ledger.decide(agent, refund(600))
    expect(again.effect).toBe('escalate')
    expect(again.approval?.id).not.toBe(approvalId)
  })

  test('50 concurrent uses through two processes allow exactly one call', async () => {
    const one = await site.open()
    const two = await site.open(undefined, one.name)
    const approvalId = await escalated(one)
    await cast(two, voter('ann'), approvalId, approve)
    const uses = Array.from({ length: 50 }, (_, at) =>
      (at % 2 ? one : two).decide(
        agent,
        refund(600, { approvalId, ...(at % 3 ? {} : { callId: `c${at}` }) }),
      ),
    )
    const answers = await Promise.all(uses)
    expect(answers.filter(({ effect }) => effect === 'allow')).toHaveLength(1)
    expect(answers.filter(({ effect }) => effect === 'deny')).toHaveLength(49)
    const claims = (await decisionRecords(site, one)).flatMap((record) => record.claims ?? [])
    expect(claims).toHaveLength(50)
    expect(claims.filter(({ consumed }) => consumed)).toHaveLength(1)
    expect(await one.verify()).toMatchObject({ kind: 'intact' })
  })

  describe('for the call that people saw', () => {
    const others: readonly (readonly [string, DecisionRequest])[] = [
      ['another amount', refund(601)],
      ['a parameter more', { action: 'issue_refund', params: { amount: 600, note: '' } }],
      ['a parameter less', { action: 'issue_refund', params: {} }],
      ['the amount as text', { action: 'issue_refund', params: { amount: '600' } }],
      ['another action', { action: 'apply_discount', params: { amount: 600 } }],
    ]
    test.each(others)(
      '%s does not pass, and leaves the approval for the right call',
      async (_what, request) => {
        const ledger = await site.open()
        const approvalId = await escalated(ledger)
        await cast(ledger, voter('ann'), approvalId, approve)
        expect(await ledger.decide(agent, { ...request, approvalId })).toMatchObject(refusal('another call'))
        expect((await decisionRecords(site, ledger)).at(-1)).toMatchObject({ code: 'approval_refused' })
        expect((await ledger.decide(agent, refund(600, { approvalId }))).effect).toBe('allow')
      },
    )

    test("another agent's approval looks like one that does not exist", async () => {
      const ledger = await site.open(policiesOf(supportPolicy(), supportPolicy('', otherAgent)))
      const approvalId = await escalated(ledger)
      await cast(ledger, voter('ann'), approvalId, approve)
      expect(await ledger.decide(otherAgent, refund(600, { approvalId }))).toMatchObject(
        refusal('is not known'),
      )
      expect(await ledger.decide(otherAgent, refund(600, { approvalId: 'apr_999' }))).toMatchObject(
        refusal('is not known'),
      )
      expect((await ledger.approval(approvalId, {})).status).toBe('approved')
    })

    test.each(['apr_0', 'dec_2', 'apr_', 'nonsense', 'apr_99999999999999999999'])(
      '%s is no approval, and denies even a call that needs none',
      async (approvalId) => {
        const ledger = await site.open()
        expect(await ledger.decide(agent, refund(1, { approvalId }))).toMatchObject(refusal('is not known'))
      },
    )

    test('a policy that has changed since refuses it', async () => {
      const before = await site.open()
      const approvalId = await escalated(before)
      await cast(before, voter('ann'), approvalId, approve)
      const changed = await site.open(policiesOf(supportPolicy('version: 2')), before.name)
      expect(await changed.decide(agent, refund(600, { approvalId }))).toMatchObject(
        refusal('under another policy'),
      )
      expect((await before.decide(agent, refund(600, { approvalId }))).effect).toBe('allow')
    })

    test('a policy that has changed since voids it, whether it waits or is approved, and it says so wherever it is read', async () => {
      const before = await site.open()
      const waits = await escalated(before)
      const approved = await escalated(before)
      await cast(before, voter('ann'), approved, approve)
      const used = await escalated(before)
      await cast(before, voter('ann'), used, approve)
      await before.decide(agent, refund(600, { approvalId: used }))
      const statuses = { [waits]: 'pending', [approved]: 'approved', [used]: 'consumed' }

      const readEverywhere = async (ledger: Ledger) => [
        ...(await Promise.all(Object.keys(statuses).map((id) => ledger.approval(id, {})))),
        ...(await ledger.approvals({ limit: 10 })),
        ...(await ledger.reads.opened(0, 1000, voter('ann'))),
      ]
      for (const view of await readEverywhere(before)) expect(view.voidedBy).toBeUndefined()
      const changed = await site.open(policiesOf(supportPolicy('version: 2')), before.name)
      const views = await readEverywhere(changed)
      expect(views).toHaveLength(7)
      for (const { id, status, voidedBy } of views) {
        expect(status).toBe(statuses[id])
        expect(voidedBy).toBe(id === used ? undefined : 'policy_change')
      }

      // Nothing but the view says so: a vote is still taken, and under the earlier policy it is good.
      expect(await cast(changed, voter('ann'), waits, approve)).toBe('approved')
      expect(await changed.approval(waits, {})).toMatchObject({
        status: 'approved',
        voidedBy: 'policy_change',
      })
      expect((await before.approval(waits, {})).voidedBy).toBeUndefined()
      expect((await before.decide(agent, refund(600, { approvalId: waits }))).effect).toBe('allow')
    })

    test('where no policy governs its agent any more, it is void, too', async () => {
      const before = await site.open()
      const approvalId = await escalated(before)
      const changed = await site.open(policiesOf(supportPolicy('', otherAgent)), before.name)
      expect((await changed.approval(approvalId, {})).voidedBy).toBe('policy_change')
      expect((await changed.decide(agent, refund(600, { approvalId }))).effect).toBe('deny')
    })

    describe('where its routes say that it survives a change of the policy', () => {
      const route = (more = '') =>
        `approvals: { human_approval_required: { survives_policy_change: true${more} } }\n`
      const approved = async () => {
        const before = await site.open(policiesOf(supportPolicy(route())))
        const approvalId = await escalated(before)
        await cast(before, voter('ann'), approvalId, approve)
        return { name: before.name, approvalId }
      }

      test('a change elsewhere leaves it good', async () => {
        const { name, approvalId } = await approved()
        const changed = await site.open(policiesOf(supportPolicy(`version: 2\n${route()}`)), name)
        expect((await changed.approval(approvalId, {})).voidedBy).toBeUndefined()
        expect((await changed.decide(agent, refund(600, { approvalId }))).effect).toBe('allow')
        expect(await changed.verify()).toMatchObject({ kind: 'intact' })
      })

      test.each([', quorum: 2', ', deadline: 4m', ', approvers: [role:lead]', ', signed: true'])(
        'a change of what they ask does not: %s',
        async (more) => {
          const { name, approvalId } = await approved()
          const changed = await site.open(policiesOf(supportPolicy(route(more))), name)
          expect((await changed.approval(approvalId, {})).voidedBy).toBe('policy_change')
          expect(await changed.decide(agent, refund(600, { approvalId }))).toMatchObject(
            refusal('under another policy'),
          )
        },
      )

      test('nor where the new policy does not say so any more', async () => {
        const { name, approvalId } = await approved()
        const changed = await site.open(policiesOf(supportPolicy('version: 2')), name)
        expect(await changed.decide(agent, refund(600, { approvalId }))).toMatchObject(
          refusal('under another policy'),
        )
      })

      test('and what the new policy denies is denied', async () => {
        const { name, approvalId } = await approved()
        const deny = "rules: [{ id: stop, on: issue_refund, condition: 'true', effect: deny }]\n"
        const changed = await site.open(policiesOf(supportPolicy(deny + route())), name)
        expect(await changed.decide(agent, refund(600, { approvalId }))).toMatchObject({ effect: 'deny' })
      })
    })

    test('of a suspended agent it lets nothing through, and says why', async () => {
      const ledger = await site.open()
      const approvalId = await escalated(ledger)
      await cast(ledger, voter('ann'), approvalId, approve)
      const change = { agent, by: 'operator', reason: 'looks odd' }
      await ledger.changeSuspension({ ...change, state: 'suspended' })
      expect(await ledger.decide(agent, refund(600, { approvalId }))).toMatchObject({
        effect: 'deny',
        reasons: ['The agent is suspended: looks odd'],
      })
      await ledger.changeSuspension({ ...change, state: 'active' })
      expect((await ledger.decide(agent, refund(600, { approvalId }))).effect).toBe('allow')
    })

    test('an action that the policy forbids stays forbidden whatever was approved', async () => {
      const ledger = await site.open()
      const approvalId = await escalated(ledger)
      await cast(ledger, voter('ann'), approvalId, approve)
      const forbidden = await ledger.decide(agent, {
        action: 'delete_account',
        params: { amount: 600 },
        approvalId,
      })
      expect(forbidden.reasons).toEqual(['Action is forbidden by policy'])
    })

    test('a context that asks for other people waits for them: the approval answers for its own route', async () => {
      const policy = supportPolicy().replace('params.is_vip', 'context.vip')
      const ledger = await site.open(policiesOf(policy))
      const approvalId = await escalated(ledger, { context: { vip: false } })
      await cast(ledger, voter('ann'), approvalId, approve)
      const vip = await ledger.decide(agent, refund(600, { approvalId, context: { vip: true } }))
      expect(vip).toMatchObject({
        effect: 'escalate',
        reasons: ['Escalation required: human_review_before_action'],
      })
      expect((await ledger.approval(approvalId, {})).status).toBe('approved')
    })
  })

  describe('once, and before its deadline', () => {
    test.each([
      ['still waits', undefined, 0, 'still waiting for people'],
      ['was rejected', 'reject', 0, 'was rejected'],
      ['was approved, but whose deadline has come', 'approve', 5 * minute, 'expired'],
      ['nobody answered', undefined, 5 * minute, 'expired'],
    ] as const)('one that %s lets nothing through', async (_what, vote, ms, reason) => {
      const ledger = await site.open()
      const approvalId = await escalated(ledger)
      if (vote) await cast(ledger, voter('ann'), approvalId, { vote })
      site.clock.advance(ms)
      expect(await ledger.decide(agent, refund(600, { approvalId }))).toMatchObject(refusal(reason))
    })

    test('an approved one is good until just before its deadline', async () => {
      const ledger = await site.open()
      const approvalId = await escalated(ledger)
      await cast(ledger, voter('ann'), approvalId, approve)
      site.clock.advance(5 * minute - 1)
      expect((await ledger.decide(agent, refund(600, { approvalId }))).effect).toBe('allow')
    })

    test('one that was used is not good again', async () => {
      const ledger = await site.open()
      const approvalId = await escalated(ledger)
      await cast(ledger, voter('ann'), approvalId, approve)
      await ledger.decide(agent, refund(600, { approvalId }))
      expect(await ledger.decide(agent, refund(600, { approvalId }))).toMatchObject(
        refusal('already been used'),
      )
    })

    test('the deadline is the one that the policy gives, and the record says', async () => {
      const ledger = await site.open(policiesOf(terms('{ deadline: 90s }')))
      const { approval } = await ledger.decide(agent, refund(600))
      expect(approval?.deadline).toBe(new Date(site.clock.now() + 90_000).toISOString())
      expect(approval?.url).toBe(`http://console.test/approvals/${approval?.id}`)
      expect((await decisionRecords(site, ledger)).at(-1)?.opens).toMatchObject({
        id: approval?.id,
        deadline: approval?.deadline,
      })
    })
  })
})
