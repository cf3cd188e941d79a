import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { describeOnOnePostgres } from './harness/postgres.ts'
import {
  cast,
  escalated,
  faultOf,
  ledgerSite,
  minute,
  policiesOf,
  records,
  supportPolicy,
  terms,
  voter,
  agent,
  type LedgerSite,
} from './harness/ledger.ts'

describeOnOnePostgres('G3: votes', (postgres) => {
  let site: LedgerSite
  beforeAll(async () => {
    site = await ledgerSite(postgres)
  })
  afterEach(() => site.closeLedgers())
  afterAll(() => site.remove())

  const approve = { vote: 'approve' } as const
  const reject = { vote: 'reject' } as const

  test('a vote is a record of the person, with the comment apart', async () => {
    const ledger = await site.open()
    const id = await escalated(ledger)
    await cast(ledger, voter('ann'), id, { vote: 'approve', comment: 'checked the order' })
    const last = (await records(site, ledger)).at(-1)
    expect(last).toMatchObject({
      kind: 'vote',
      approval: id,
      person: 'ann@example.com',
      vote: 'approve',
      status: 'approved',
    })
    expect(JSON.stringify(last)).not.toContain('checked')
    const { votes } = await ledger.approval(id, {})
    expect(votes).toMatchObject([
      { person: 'ann@example.com', vote: 'approve', comment: 'checked the order' },
    ])
  })

  test('a vote at the deadline is refused, and just before it counts', async () => {
    const ledger = await site.open()
    const [late, timely] = [await escalated(ledger), await escalated(ledger)]
    site.clock.advance(5 * minute - 1)
    expect(await cast(ledger, voter('ann'), timely, approve)).toBe('approved')
    site.clock.advance(1)
    expect((await faultOf(cast(ledger, voter('ann'), late, approve))).code).toBe('approval_closed')
    expect((await ledger.approval(late, {})).votes).toEqual([])
  })

  test('a rejection ends it, whatever others say', async () => {
    const ledger = await site.open(policiesOf(terms('{ quorum: 2 }')))
    const id = await escalated(ledger)
    expect(await cast(ledger, voter('ann'), id, approve)).toBe('pending')
    expect(await cast(ledger, voter('bob'), id, reject)).toBe('rejected')
    expect((await faultOf(cast(ledger, voter('eve'), id, approve))).code).toBe('approval_closed')
  })

  test('two people are two different people: the same one twice is refused', async () => {
    const ledger = await site.open(policiesOf(terms('{ quorum: 2 }')))
    const id = await escalated(ledger)
    await cast(ledger, voter('ann'), id, approve)
    expect((await faultOf(cast(ledger, voter('ann'), id, approve))).code).toBe('already_voted')
    expect((await faultOf(cast(ledger, voter('ann'), id, reject))).code).toBe('already_voted')
    expect((await ledger.approval(id, {})).status).toBe('pending')
    expect(await cast(ledger, voter('bob'), id, approve)).toBe('approved')
  })

  test('one person who votes 20 times at once, through two processes, counts once', async () => {
    const one = await site.open(policiesOf(terms('{ quorum: 2 }')))
    const two = await site.open(policiesOf(terms('{ quorum: 2 }')), one.name)
    const id = await escalated(one)
    const votes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, at) => cast(at % 2 ? one : two, voter('ann'), id, approve)),
    )
    expect(votes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect((await records(site, one)).filter(({ kind }) => kind === 'vote')).toHaveLength(1)
    expect((await one.approval(id, {})).status).toBe('pending')
  })

  test('of people who approve and reject at once, one answer stands and closes it', async () => {
    const ledger = await site.open()
    const id = await escalated(ledger)
    const answers = await Promise.allSettled(
      Array.from({ length: 10 }, (_, at) => cast(ledger, voter(`p${at}`), id, at % 2 ? approve : reject)),
    )
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect((await ledger.approval(id, {})).votes).toHaveLength(1)
  })

  describe('come from entitled people only', () => {
    const finance = '{ approvers: [role:finance, "person:Boss@Example.com"] }'
    test.each([
      ['finance', ['finance'], true],
      ['ann', ['finance', 'approver'], true],
      ['boss', ['viewer'], true],
      ['boss', [], false],
      ['ann', ['approver', 'administrator'], false],
      ['boss2', [], false],
      ['eve', [], false],
    ] as const)(
      '%s with the roles %j may vote where finance or the boss is asked: %s',
      async (name, roles, may) => {
        const ledger = await site.open(policiesOf(terms(finance)))
        const id = await escalated(ledger)
        const asker = { voter: voter(name, roles) }
        expect((await ledger.approval(id, asker)).mayVote).toBe(may)
        const voting = cast(ledger, asker.voter, id, approve)
        if (may) expect(await voting).toBe('approved')
        else expect((await faultOf(voting)).code).toBe('not_permitted')
        expect((await ledger.approval(id, asker)).mayVote).toBe(false)
      },
    )

    test.each([
      [['group:Finance-Team'], true],
      [['Finance-Team'], false],
      [['group:finance-team'], false],
      [['approver', 'administrator'], false],
    ] as const)('%j may vote where a group is asked: %s', async (roles, may) => {
      const ledger = await site.open(policiesOf(terms('{ approvers: ["group:Finance-Team"] }')))
      const voting = cast(ledger, voter('gil', roles), await escalated(ledger), approve)
      if (may) expect(await voting).toBe('approved')
      else expect((await faultOf(voting)).code).toBe('not_permitted')
    })

    test.each([
      [['approver'], true],
      [['administrator'], true],
      [['viewer'], false],
      [[], false],
    ] as const)('where nobody is named, the roles %j may vote: %s', async (roles, may) => {
      const ledger = await site.open()
      const id = await escalated(ledger)
      const voting = cast(ledger, voter('ann', roles), id, approve)
      if (may) expect(await voting).toBe('approved')
      else expect((await faultOf(voting)).code).toBe('not_permitted')
    })

    test('a call that two routes ask about takes people that both entitle', async () => {
      const routes =
        'approvals: { human_approval_required: { approvers: [role:a], quorum: 2, deadline: 10m }, human_review_before_action: { approvers: [role:b], deadline: 3m } }'
      const ledger = await site.open(policiesOf(supportPolicy(routes)))
      const answer = await ledger.decide(agent, {
        action: 'issue_refund',
        params: { amount: 600, is_vip: true },
      })
      const id = answer.approval?.id ?? ''
      for (const roles of [['a'], ['b']]) {
        expect((await faultOf(cast(ledger, voter('ann', roles), id, approve))).code).toBe('not_permitted')
      }
      expect(await cast(ledger, voter('ann', ['a', 'b']), id, approve)).toBe('pending')
      expect(await cast(ledger, voter('bob', ['a', 'b']), id, approve)).toBe('approved')
      expect(answer.approval?.deadline).toBe(new Date(site.clock.now() + 3 * minute).toISOString())
    })
  })

  test.each(['apr_999', 'apr_', 'dec_1', 'x'])(
    'a vote on %s, which is no approval, is refused',
    async (id) => {
      const ledger = await site.open()
      expect((await faultOf(cast(ledger, voter('ann'), id, approve))).code).toBe('not_found')
    },
  )

  test.each(['x'.repeat(2001), '\uDC00'])(
    'a comment that is no text of at most 2,000 characters is refused',
    async (comment) => {
      const ledger = await site.open()
      const id = await escalated(ledger)
      expect((await faultOf(cast(ledger, voter('ann'), id, { vote: 'approve', comment }))).code).toBe(
        'bad_input',
      )
      expect((await ledger.approval(id, {})).status).toBe('pending')
    },
  )
})
