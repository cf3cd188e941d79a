import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { noticesOf, type DecisionRequest, type RecordedStanding, type Voter } from '@bailiwick/core'
import { Access } from '../src/access.ts'
import type { Ledger } from '../src/ledger.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'
import {
  agent,
  cast,
  decisionRecords,
  escalated,
  faultOf,
  knows,
  ledgerSite,
  minute,
  otherAgent,
  policiesOf,
  records,
  refund,
  supportPolicy,
  terms,
  voter,
  type LedgerSite,
} from './harness/ledger.ts'

const standingRoute = (more = '') =>
  `{ approvers: [role:approver], standing: { uses: 12, lasts: 8h, may_differ: { order_id: any, amount: up_to } }${more} }`
const policies = (more = '') => policiesOf(terms(standingRoute(more)))
const context = { customer: { id: 'c-1' } }

/** The nth refund of the morning. */
function nth(order: number, amount = 600, more: Partial<DecisionRequest> = {}): DecisionRequest {
  return { action: 'issue_refund', params: { amount, order_id: `A-${order}` }, context, ...more }
}

describeOnOnePostgres('G3: a standing grant', (postgres) => {
  let site: LedgerSite
  let ledger: Ledger
  beforeAll(async () => {
    site = await ledgerSite(postgres)
  })
  beforeEach(async () => {
    ledger = await site.open(policies())
  })
  afterEach(() => site.closeLedgers())
  afterAll(() => site.remove())

  const inMinutes = (minutes: number) => new Date(site.clock.now() + minutes * minute).toISOString()
  const standing = (uses: number, minutes = 60): RecordedStanding => ({ uses, until: inMinutes(minutes) })
  const open = async (request = nth(0)) => {
    const { approval } = await ledger.decide(agent, request)
    return approval?.id ?? 'it was not escalated'
  }
  /** Has Ann approve the first refund, with so many more like it; the grant's id. */
  const granted = async (uses: number, minutes = 60, request = nth(0)) => {
    const id = await open(request)
    const ballot = { vote: 'approve', standing: standing(uses, minutes) } as const
    expect(await cast(ledger, voter('ann'), id, ballot)).toBe('approved')
    return `grt_${id.slice('apr_'.length)}`
  }
  const effects = async (...requests: readonly DecisionRequest[]) => {
    const found: string[] = []
    for (const request of requests) found.push((await ledger.decide(agent, request)).effect)
    return found
  }

  test('lets so many more calls through, each told in its record, and then people are asked again', async () => {
    const grant = await granted(2)
    const first = await ledger.decide(agent, nth(1, 550))
    expect(first).toMatchObject({
      effect: 'allow',
      reasons: ['Action approved', `Allowed by the standing grant ${grant}, use 1 of 2`],
      standing: { grant, use: 1, uses: 2 },
    })
    expect(await effects(nth(2), nth(3))).toEqual(['allow', 'escalate'])
    const [, one, two, three] = await decisionRecords(site, ledger)
    expect([one?.standing, two?.standing, three?.standing]).toEqual([
      { grant, use: 1, uses: 2 },
      { grant, use: 2, uses: 2 },
      undefined,
    ])
    // The approved call is one beside.
    expect(await effects(nth(0, 600, { approvalId: grant.replace('grt', 'apr') }))).toEqual(['allow'])
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  test('is in the record of the vote that makes it, and in the list of those that are live', async () => {
    const grant = await granted(3)
    const vote = (await records(site, ledger)).find(({ kind }) => kind === 'vote')
    expect(vote).toMatchObject({ standing: standing(3), grant: standing(3), status: 'approved' })
    await ledger.decide(agent, nth(1))
    expect(await ledger.grants.list(voter('ann'))).toMatchObject([
      {
        id: grant,
        approval: grant.replace('grt', 'apr'),
        agent,
        action: 'issue_refund',
        params: nth(0).params,
        context,
        routes: ['human_approval_required'],
        mayDiffer: [
          { param: 'amount', how: 'up_to' },
          { param: 'order_id', how: 'any' },
        ],
        uses: 3,
        used: 1,
        until: inMinutes(60),
        by: [{ person: 'ann@example.com' }],
        mayRevoke: true,
      },
    ])
    expect((await ledger.grants.list(voter('eve', ['viewer'])))[0]?.mayRevoke).toBe(false)
    await effects(nth(2), nth(3))
    expect(await ledger.grants.list()).toEqual([])
  })

  test('rests on nobody who was removed before it is made; without them, people are asked again', async () => {
    ledger = await site.open(policiesOf(terms(standingRoute(', quorum: 2'))))
    const id = await open()
    const ballot = { vote: 'approve', standing: standing(5) } as const
    await cast(ledger, voter('ann'), id, ballot)
    // By another ledger of the database, which does not withdraw what waits in this one.
    await new Access(await site.open()).removePerson('ann@example.com')
    expect(await faultOf(cast(ledger, voter('bob'), id, ballot))).toMatchObject({
      code: 'conflict',
      message: 'a grant would rest on the vote of ann@example.com, who has been removed',
    })
    expect(await cast(ledger, voter('bob'), id, { vote: 'approve' })).toBe('approved')
    expect(await ledger.grants.list()).toEqual([])
    expect(await effects(nth(1))).toEqual(['escalate'])
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  test.each<readonly [string, DecisionRequest]>([
    ['a cent more', nth(1, 600.01)],
    ['another parameter', { ...nth(1), params: { amount: 600, order_id: 'A-1', note: 'x' } }],
    ['another context', nth(1, 600, { context: { customer: { id: 'c-2' } } })],
    ['no context', nth(1, 600, { context: {} })],
    ['another principal', nth(1, 600, { context: { ...context, principal: 'ann@example.com' } })],
    ['another rule beside', { ...nth(1), params: { amount: 600, order_id: 'A-1', is_vip: true } }],
  ])('is not for %s', async (_what, request) => {
    await granted(5)
    expect(await effects(request, nth(1))).toEqual(['escalate', 'allow'])
  })

  test('is not for what nobody could tell', async () => {
    const policy = `${supportPolicy()}
rules:
  - { id: risky, on: issue_refund, condition: 'params.score > 5', effect: escalate, action: human_approval_required }
approvals:
  human_approval_required: ${standingRoute()}
`
    ledger = await site.open(policiesOf(policy))
    // Without a score, the rule cannot be evaluated, and asks people: they agree to this one call and to no other.
    await granted(5)
    expect(await effects(nth(1))).toEqual(['escalate'])
  })

  test('is for its own agent alone', async () => {
    ledger = await site.open(
      policiesOf(terms(standingRoute()).replace(`agent_id: ${agent}`, `agents: [${agent}, ${otherAgent}]`)),
    )
    await granted(5)
    expect((await ledger.decide(otherAgent, nth(1))).effect).toBe('escalate')
    expect(await effects(nth(1))).toEqual(['allow'])
  })

  test('ends at its instant, and not before', async () => {
    await granted(5, 60)
    site.clock.advance(60 * minute - 1)
    expect(await effects(nth(1))).toEqual(['allow'])
    site.clock.advance(1)
    expect(await effects(nth(2))).toEqual(['escalate'])
    expect(await ledger.grants.list()).toEqual([])
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  test('goes on after the deadline of the approved call, and after a restart', async () => {
    const { name } = ledger
    await granted(2)
    site.clock.advance(10 * minute)
    await ledger.expireOverdue()
    expect(await effects(nth(1))).toEqual(['allow'])
    await ledger.close()
    ledger = await site.open(policies(), name)
    expect(await effects(nth(2), nth(3))).toEqual(['allow', 'escalate'])
  })

  test('does not stop what denies: a suspended agent, a deny rule, a changed policy', async () => {
    const { name } = ledger
    await granted(5)
    await ledger.changeSuspension({ agent, state: 'suspended', reason: 'odd', by: 'operator' })
    expect(await effects(nth(1))).toEqual(['deny'])
    await ledger.changeSuspension({ agent, state: 'active', reason: 'fine', by: 'operator' })
    expect(await effects(nth(1))).toEqual(['allow'])
    await ledger.close()
    const changed = `${terms(standingRoute())}version: 2\n`
    ledger = await site.open(policiesOf(changed), name)
    expect(await effects(nth(2))).toEqual(['escalate'])
    await ledger.close()
    const survives = policies(', survives_policy_change: true')
    ledger = await site.open(survives, name)
    expect(await effects(nth(3))).toEqual(['escalate'])
  })

  test('is not used up by a call that repeats its id, by what is denied, or by what needs nobody', async () => {
    const grant = await granted(2)
    const once = nth(1, 600, { callId: 'once' })
    expect((await ledger.decide(agent, once)).effect).toBe('allow')
    expect(await ledger.decide(agent, once)).toMatchObject({ effect: 'allow', replayed: true })
    expect(await effects(refund(100))).toEqual(['allow'])
    expect((await ledger.grants.list())[0]).toMatchObject({ id: grant, used: 1 })
  })

  test('does not speak for a call that claims an approval', async () => {
    await granted(5)
    expect(await effects(nth(1, 600, { approvalId: 'apr_99' }))).toEqual(['deny'])
    expect((await ledger.grants.list())[0]).toMatchObject({ used: 0 })
  })

  test('of several that cover a call, the one that ends first is used', async () => {
    const [late, early] = [await granted(5, 120), await granted(1, 30, nth(0, 700))]
    const used = async () => (await ledger.decide(agent, nth(1))).standing?.grant
    expect([await used(), await used()]).toEqual([early, late])
  })

  test('can be decided again from its record, and explained', async () => {
    await granted(5)
    const { id } = await ledger.decide(agent, nth(1))
    expect(await ledger.replay(id)).toMatchObject({ same: true })
    expect((await ledger.explain(id)).standing).toMatchObject({ use: 1, uses: 5, by: ['ann@example.com'] })
  })

  describe('is made', () => {
    const two = ', quorum: 2'
    const ballot = (uses: number, minutes = 60) =>
      ({ vote: 'approve', standing: standing(uses, minutes) }) as const

    test('by everybody whose consent counts, with the fewest uses and the earliest end', async () => {
      ledger = await site.open(policies(two))
      const id = await open()
      expect(await cast(ledger, voter('ann'), id, ballot(9, 30))).toBe('pending')
      expect(await cast(ledger, voter('bob'), id, ballot(4, 90))).toBe('approved')
      const [grant] = await ledger.grants.list()
      expect(grant).toMatchObject({
        uses: 4,
        until: inMinutes(30),
        by: [{ person: 'ann@example.com' }, { person: 'bob@example.com' }],
      })
    })

    test.each([
      ['first', ['ann', 'bob']],
      ['last', ['bob', 'ann']],
    ] as const)('by nobody where one only agrees to the call, and votes %s', async (_place, [one, other]) => {
      ledger = await site.open(policies(two))
      const id = await open()
      for (const name of [one, other]) {
        await cast(ledger, voter(name), id, name === 'ann' ? { vote: 'approve' } : ballot(5))
      }
      expect(await ledger.grants.list()).toEqual([])
      expect(await effects(nth(1))).toEqual(['escalate'])
      expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
    })

    test('by who votes in somebody else’s stead, as the vote itself', async () => {
      for (const name of ['ann', 'bob'])
        await knows(ledger, voter(name, name === 'ann' ? ['approver'] : ['clerk']))
      const [from, to] = ['ann@example.com', 'bob@example.com']
      await ledger.delegations.give({ from, to, ends: inMinutes(60), reason: 'leave', by: from })
      const id = await open()
      await cast(ledger, voter('bob', ['clerk']), id, { ...ballot(3), for: from })
      expect((await ledger.grants.list())[0]?.by).toEqual([{ person: to, for: from }])
      expect(await effects(nth(1))).toEqual(['allow'])
    })

    test('not where the first end had come before the last vote', async () => {
      ledger = await site.open(policies(`${two}, deadline: 2h`))
      const id = await open()
      await cast(ledger, voter('ann'), id, ballot(5, 30))
      site.clock.advance(30 * minute)
      expect(await cast(ledger, voter('bob'), id, ballot(5, 30))).toBe('approved')
      expect(await ledger.grants.list()).toEqual([])
      expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
    })

    test.each<readonly [string, () => object]>([
      ['more uses than may be', () => ballot(13)],
      ['no use', () => ballot(0)],
      ['half a use', () => ballot(1.5)],
      ['a time that has passed', () => ballot(5, 0)],
      ['more time than may be', () => ballot(5, 8 * 60 + 1)],
      ['no time', () => ({ vote: 'approve', standing: { uses: 5, until: 'tomorrow' } })],
      ['a rejection', () => ({ ...ballot(5), vote: 'reject' })],
    ])('with %s: bad input, and nothing is recorded', async (_what, wrong) => {
      const id = await open()
      expect((await faultOf(cast(ledger, voter('ann'), id, wrong() as never))).code).toBe('bad_input')
      expect((await ledger.approval(id, {})).votes).toEqual([])
      expect(await cast(ledger, voter('ann'), id, ballot(12, 8 * 60))).toBe('approved')
    })

    test('by nobody where the policy does not say so, nor where one of two routes does not', async () => {
      ledger = await site.open(policiesOf(terms('{ approvers: [role:approver] }')))
      const id = await escalated(ledger)
      expect((await faultOf(cast(ledger, voter('ann'), id, ballot(1)))).code).toBe('not_permitted')
      ledger = await site.open(policies())
      const both = await open({ action: 'issue_refund', params: { amount: 600, is_vip: true } })
      expect((await faultOf(cast(ledger, voter('ann'), both, ballot(1)))).code).toBe('not_permitted')
    })

    test('by nobody who breaks the glass', async () => {
      ledger = await site.open(policies(', break_glass: { approvers: [role:oncall] }'))
      const id = await open()
      const emergency = { vote: 'approve', breakGlass: true, comment: 'fire' } as const
      const oncall = voter('ann', ['oncall'])
      const greedy = cast(ledger, oncall, id, { ...emergency, standing: standing(5) })
      expect((await faultOf(greedy)).code).toBe('bad_input')
      await cast(ledger, oncall, id, emergency)
      expect(await cast(ledger, voter('bob', ['oncall']), id, emergency)).toBe('approved')
      expect(await effects(nth(1))).toEqual(['escalate'])
    })
  })

  describe('is revoked', () => {
    const reason = 'enough'
    const revoke = (id: string, by: Voter | 'operator') => ledger.grants.revoke(id, { by, reason })

    test.each<readonly [string, Voter | 'operator']>([
      ['who has given it', voter('ann')],
      ['who could have given it', voter('bob')],
      ['an operator', voter('olga', ['operator'])],
      ['an administrator', voter('root', ['administrator'])],
      ['whoever runs commands beside the service', 'operator'],
    ])('by %s: from the next call on, people are asked again', async (_who, by) => {
      const grant = await granted(5)
      expect(await effects(nth(1))).toEqual(['allow'])
      if (by !== 'operator') await knows(ledger, by)
      const { index } = await revoke(grant, by)
      expect(await effects(nth(2))).toEqual(['escalate'])
      expect((await records(site, ledger))[index]).toMatchObject({
        kind: 'revocation',
        grant,
        agent,
        action: 'issue_refund',
        by: by === 'operator' ? by : by.id,
      })
      expect(await ledger.grants.list()).toEqual([])
      expect((await faultOf(revoke(grant, 'operator'))).code).toBe('conflict')
      expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
    })

    test('by nobody else, with roles that were taken away meanwhile, or without a reason', async () => {
      const grant = await granted(5)
      for (const who of [voter('eve', ['viewer', 'auditor']), voter('nobody')]) {
        if (who.id !== 'nobody@example.com') await knows(ledger, who)
        expect((await faultOf(revoke(grant, who))).code).toBe('not_permitted')
      }
      await knows(ledger, voter('olga', ['viewer']))
      expect((await faultOf(revoke(grant, voter('olga', ['operator'])))).code).toBe('not_permitted')
      const silent = ledger.grants.revoke(grant, { by: 'operator', reason: '' })
      expect((await faultOf(silent)).code).toBe('bad_input')
      expect(await effects(nth(1))).toEqual(['allow'])
    })

    test('with the person whose vote it rests on, or in whose stead it was cast', async () => {
      const access = new Access(ledger)
      for (const name of ['ann', 'bob', 'eve']) await access.setPerson(`${name}@example.com`, ['approver'])
      const [from, to] = ['bob@example.com', 'eve@example.com']
      await ledger.delegations.give({ from, to, ends: inMinutes(60), reason: 'leave', by: from })
      await granted(5)
      const other = await open(nth(0, 700))
      const { digest } = await ledger.approval(other, {})
      const ballot = { vote: 'approve', digest, standing: standing(5), for: from } as const
      expect(await ledger.vote(voter('eve'), other, ballot)).toBe('approved')
      expect(await ledger.grants.list()).toHaveLength(2)
      await access.removePerson('ann@example.com')
      expect((await ledger.grants.list()).map(({ by }) => by)).toEqual([[{ person: to, for: from }]])
      await access.removePerson(from)
      expect(await effects(nth(1))).toEqual(['escalate'])
      expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
    })

    test('is not made on the vote of a person who was removed, though somebody came under the same address', async () => {
      ledger = await site.open(policies(', quorum: 2'))
      const access = new Access(ledger)
      const id = await open()
      const { digest } = await ledger.approval(id, {})
      const ballot = { vote: 'approve', digest, standing: standing(5) } as const
      for (const name of ['ann', 'bob']) await knows(ledger, voter(name))
      expect(await ledger.vote(voter('ann'), id, ballot)).toBe('pending')
      await new Access(await site.open()).removePerson('ann@example.com')
      await access.setPerson('ann@example.com', ['viewer'])
      expect((await faultOf(ledger.vote(voter('bob'), id, ballot))).code).toBe('conflict')
      expect(await effects(nth(1))).toEqual(['escalate'])
    })

    test('is not found where there is none', async () => {
      const id = await open()
      await cast(ledger, voter('ann'), id, { vote: 'approve' })
      for (const unknown of ['grt_999', 'grt_x', id, id.replace('apr', 'grt')]) {
        expect((await faultOf(revoke(unknown, 'operator'))).code).toBe('not_found')
      }
    })

    test('has ended already where it was used up, or its time came', async () => {
      const grant = await granted(1)
      await effects(nth(1))
      expect((await faultOf(revoke(grant, 'operator'))).code).toBe('conflict')
      const late = await granted(1, 1)
      site.clock.advance(minute)
      expect((await faultOf(revoke(late, 'operator'))).code).toBe('conflict')
    })

    test('in the batch that makes it', async () => {
      const id = await open()
      await knows(ledger, voter('ann'))
      const { digest } = await ledger.approval(id, {})
      const grant = id.replace('apr', 'grt')
      const [, , effect] = await Promise.all([
        ledger.vote(voter('ann'), id, { vote: 'approve', digest, standing: standing(5) }),
        revoke(grant, 'operator'),
        effects(nth(1)),
      ])
      expect(effect).toEqual(['escalate'])
      expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
    })
  })

  test('ends with the approval it came of: withdrawn, it covers nothing', async () => {
    const grant = await granted(5)
    await ledger.cancel(grant.replace('grt', 'apr'), { agent, reason: 'a mistake' })
    expect(await effects(nth(1))).toEqual(['escalate'])
    const { name } = ledger
    await ledger.close()
    ledger = await site.open(policies(), name)
    expect(await effects(nth(2))).toEqual(['escalate'])
    expect(await ledger.grants.list()).toEqual([])
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  test('covers nothing once the approved call is erased: nothing is left to hold others against', async () => {
    const grant = await granted(5)
    await effects(nth(1))
    const decision = grant.replace('grt', 'dec')
    await ledger.erase({ target: { decision }, reason: 'request 21', by: 'operator' })
    expect(await effects(nth(2))).toEqual(['escalate'])
    expect(await ledger.grants.list()).toEqual([])
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  test('is found however many were used up before it', async () => {
    const { name } = ledger
    await granted(5)
    const more = `select $1, -n, 0, 1, now() + interval '1 day' from generate_series(1, 600) as n`
    await site.query(`insert into standing_grant (ledger, approval, index, uses, until_at) ${more}`, [name])
    const used = 'select $1, -n, 1, 0 from generate_series(1, 600) as n'
    await site.query(`insert into standing_use (ledger, approval, use, decision) ${used}`, [name])
    await ledger.close()
    ledger = await site.open(policies(), name)
    expect(await effects(nth(1))).toEqual(['allow'])
  })

  test('is erased with its call: also why it was revoked', async () => {
    const grant = await granted(5)
    const { index } = await ledger.grants.revoke(grant, { by: 'operator', reason: 'Zed is on leave' })
    const decision = grant.replace('grt', 'dec')
    const { erased } = await ledger.erase({ target: { decision }, reason: 'request 22', by: 'operator' })
    expect(erased).toContain(index)
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  test('is told of with the approval: how many, until when, and not by whom', async () => {
    await granted(5)
    const vote = (await records(site, ledger)).find(({ kind }) => kind === 'vote')
    expect(vote && noticesOf(vote)).toMatchObject([
      {
        kind: 'approval.decided',
        title: `Approval apr_1 was approved, and up to 5 more calls like it until ${inMinutes(60)}`,
        data: { approval: 'apr_1', status: 'approved', grant: standing(5) },
      },
    ])
    expect(JSON.stringify(vote && noticesOf(vote))).not.toContain('ann')
  })

  test('lets no more through than it has uses, whoever asks at once: 200 callers, three processes', async () => {
    const others = [await site.open(policies(), ledger.name), await site.open(policies(), ledger.name)]
    await granted(12)
    const asking = Array.from({ length: 200 }, (_, order) =>
      ([ledger, ...others][order % 3] as Ledger).decide(agent, nth(order + 1)),
    )
    const answers = await Promise.all(asking)
    const uses = answers.flatMap(({ standing: use }) => use?.use ?? []).sort((one, other) => one - other)
    expect(uses).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
    expect(answers.filter(({ effect }) => effect === 'allow')).toHaveLength(12)
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  test('is seen by other processes from the next call on, and so is its end', async () => {
    const other = await site.open(policies(), ledger.name)
    expect((await other.decide(agent, nth(9))).effect).toBe('escalate')
    const grant = await granted(5)
    expect((await other.decide(agent, nth(1))).effect).toBe('allow')
    await ledger.grants.revoke(grant, { by: 'operator', reason: 'enough' })
    expect((await other.decide(agent, nth(2))).effect).toBe('escalate')
  })
})
