import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { describeOnOnePostgres } from './harness/postgres.ts'
import {
  cast,
  agent,
  faultOf,
  ledgerSite,
  otherAgent,
  policiesOf,
  records,
  supportPolicy,
  terms,
  voter,
  type LedgerSite,
} from './harness/ledger.ts'

const refund = (amount: number) => ({ action: 'issue_refund', params: { amount } })
const suspend = { agent, state: 'suspended', reason: 'odd refunds', by: 'operator' } as const
const resume = { ...suspend, state: 'active', reason: 'looked into' } as const

describeOnOnePostgres('suspension', (postgres) => {
  let site: LedgerSite
  beforeAll(async () => {
    site = await ledgerSite(postgres)
  })
  afterEach(() => site.closeLedgers())
  afterAll(() => site.remove())

  const both = () => policiesOf(supportPolicy(), supportPolicy('', otherAgent))

  test('a suspended agent is denied with the reason from its next decision on; others go on, and it does once resumed', async () => {
    const ledger = await site.open(both())
    expect((await ledger.decide(agent, refund(20))).effect).toBe('allow')
    await ledger.changeSuspension(suspend)
    const denied = await ledger.decide(agent, refund(20))
    expect([denied.effect, denied.reasons]).toEqual(['deny', ['The agent is suspended: odd refunds']])
    expect((await ledger.decide(otherAgent, refund(20))).effect).toBe('allow')
    await ledger.changeSuspension(resume)
    expect((await ledger.decide(agent, refund(20))).effect).toBe('allow')
    expect((await ledger.verify()).kind).toBe('intact')
  })

  test('decisions that are asked for together with a suspension see it exactly where they follow it', async () => {
    const ledger = await site.open(both())
    const before = Array.from({ length: 20 }, () => ledger.decide(agent, refund(20)))
    const suspended = ledger.changeSuspension(suspend)
    const after = Array.from({ length: 20 }, () => ledger.decide(agent, refund(20)))
    const { index } = await suspended
    for (const { effect, record } of await Promise.all([...before, ...after])) {
      expect(effect).toBe(record.index < (index ?? 0) ? 'allow' : 'deny')
    }
    for (const { effect } of await Promise.all(after)) expect(effect).toBe('deny')
  })

  test('every replica denies from the moment the suspension is acknowledged, also while it decides', async () => {
    const one = await site.open(both())
    const other = await site.open(both(), one.name)
    for (let round = 0; round < 10; round++) {
      const racing = Array.from({ length: 8 }, () => other.decide(agent, refund(20)))
      const { index } = await one.changeSuspension(suspend)
      const after = await Promise.all(Array.from({ length: 8 }, () => other.decide(agent, refund(20))))
      expect(after.map(({ effect }) => effect)).toEqual(after.map(() => 'deny'))
      for (const { effect, record } of await Promise.all(racing)) {
        expect(effect).toBe(record.index < (index ?? 0) ? 'allow' : 'deny')
      }
      await other.changeSuspension(resume)
      expect((await one.decide(agent, refund(20))).effect).toBe('allow')
    }
    expect((await one.verify()).kind).toBe('intact')
  })

  test('a suspension that another process ended is made anew by whoever made it first', async () => {
    const one = await site.open(both())
    const other = await site.open(both(), one.name)
    await one.changeSuspension(suspend)
    await other.changeSuspension(resume)
    // What the first process remembers is no longer so.
    const { index } = await one.changeSuspension(suspend)
    expect(index).not.toBeNull()
    for (const ledger of [one, other]) expect((await ledger.decide(agent, refund(20))).effect).toBe('deny')
    expect((await one.verify()).kind).toBe('intact')
  })

  test('an approval that a person gave does not help a suspended agent, and is not used up', async () => {
    const ledger = await site.open(policiesOf(terms('{ quorum: 1, deadline: 5m }')))
    const asked = await ledger.decide(agent, refund(600))
    const approvalId = asked.approval?.id ?? ''
    await cast(ledger, voter('ann'), approvalId, { vote: 'approve' })
    await ledger.changeSuspension(suspend)
    expect((await ledger.decide(agent, { ...refund(600), approvalId })).effect).toBe('deny')
    await ledger.changeSuspension(resume)
    expect((await ledger.decide(agent, { ...refund(600), approvalId })).effect).toBe('allow')
  })

  test('`*` suspends every agent, and resuming one of them does not help it', async () => {
    const ledger = await site.open(both())
    await ledger.changeSuspension({ ...suspend, agent: '*', reason: 'incident 12' })
    const answers = await Promise.all([agent, otherAgent].map((id) => ledger.decide(id, refund(20))))
    expect(answers.map(({ reasons }) => reasons)).toEqual(
      answers.map(() => ['The agent is suspended: incident 12']),
    )
    expect(await ledger.changeSuspension(resume)).toEqual({ index: null })
    expect((await ledger.decide(agent, refund(20))).effect).toBe('deny')
    await ledger.changeSuspension({ ...resume, agent: '*' })
    expect((await ledger.decide(agent, refund(20))).effect).toBe('allow')
  })

  test('it survives a restart, is listed with its reason, and is recorded once', async () => {
    const first = await site.open(both())
    await first.changeSuspension(suspend)
    expect(await first.changeSuspension(suspend)).toEqual({ index: null })
    await first.close()
    const again = await site.open(both(), first.name)
    expect((await again.decide(agent, refund(20))).effect).toBe('deny')
    expect(await again.suspended()).toEqual([
      { agent, index: 2, reason: 'odd refunds', since: expect.any(String) as string, by: 'operator' },
    ])
    const kinds = (await records(site, again)).filter(({ kind }) => kind === 'suspension')
    expect(kinds).toHaveLength(1)
  })

  test('a ledger knows nothing of the suspensions of another', async () => {
    const [one, other] = [await site.open(both()), await site.open(both())]
    await one.changeSuspension(suspend)
    expect((await other.decide(agent, refund(20))).effect).toBe('allow')
  })

  test('a decision made while suspended is made again as it was', async () => {
    const ledger = await site.open(both())
    await ledger.changeSuspension(suspend)
    const { id } = await ledger.decide(agent, refund(20))
    await ledger.changeSuspension(resume)
    expect(await ledger.replay(id)).toMatchObject({ same: true })
  })

  test.each([
    ['no agent', { agent: '' }],
    ['white space in the agent', { agent: 'a b' }],
    ['no reason', { reason: ' ' }],
    ['a reason that is too long', { reason: 'x'.repeat(5000) }],
    ['half of a character', { reason: '\ud800' }],
  ])('%s is refused, and nothing is recorded', async (_what, wrong) => {
    const ledger = await site.open(both())
    const before = await ledger.head()
    expect((await faultOf(ledger.changeSuspension({ ...suspend, ...wrong }))).code).toBe('bad_input')
    expect(await ledger.head()).toEqual(before)
  })

  test('who cannot be known to act freely does not: a database that fails while suspensions are read denies', async () => {
    const ledger = await site.open(both())
    // Opened with the same policies, so that its first batch is the decision.
    const other = await site.open(both(), ledger.name)
    const rename = (from: string, to: string) => site.query(`alter table ${from} rename to ${to}`)
    await rename('agent_suspension', 'away')
    expect((await faultOf(other.decide(agent, refund(20)))).code).toBe('store_unavailable')
    await rename('away', 'agent_suspension')
    expect((await other.decide(agent, refund(20))).effect).toBe('allow')
  })

  test.each([
    [
      'set to active',
      `update agent_suspension set state = 'active'`,
      'does not say what the log says: state',
    ],
    ['deleted', 'delete from agent_suspension', 'is in the log, and its row is gone'],
    [
      'added',
      `insert into agent_suspension select ledger, 'x', index, state from agent_suspension`,
      'no record accounts for',
    ],
  ])('a row that was %s behind the back of the log is found', async (_what, tampering, problem) => {
    const ledger = await site.open(both())
    await ledger.changeSuspension(suspend)
    await site.query(`${tampering} where ledger = '${ledger.name}'`)
    expect(await ledger.verify()).toMatchObject({
      kind: 'broken',
      problem: expect.stringContaining(problem) as string,
    })
  })
})
