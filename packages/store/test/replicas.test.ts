import type { DecisionAnswer, DecisionRequest, LookupResult } from '@bailiwick/core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { ApprovalWaits } from '../src/waits.ts'
import { describeOnPostgres } from './harness/postgres.ts'
import {
  cast,
  agent,
  decisionRecords,
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
import { openReplica, openSettled, settled, type Replica, type ReplicaOptions } from './harness/replicas.ts'
import { countingPolicy, refunded, refundFor } from './harness/uses.ts'

const support = policiesOf(supportPolicy())

/** Asks each of the replicas in turn, all at once. */
function asked(
  replicas: readonly Replica[],
  count: number,
  request: (call: number) => DecisionRequest,
): Promise<DecisionAnswer[]> {
  const rounds = Array.from({ length: count / replicas.length }, (_, round) => round * replicas.length)
  return Promise.all(
    rounds.flatMap((first) => replicas.map(({ ledger }, at) => ledger.decide(agent, request(first + at)))),
  )
}

describeOnPostgres('several processes on one ledger', (postgres) => {
  let site: LedgerSite
  let count = 0
  let opened: Replica[] = []
  beforeAll(async () => {
    site = await ledgerSite(postgres)
  })
  afterEach(async () => {
    const all = opened
    opened = []
    await Promise.all(all.map((replica) => replica.close()))
  })
  afterAll(() => site.remove())

  /** The sequencer, then those who send to it. */
  async function three(options: Partial<ReplicaOptions> = {}) {
    const ledger = `replicas-${(count += 1)}`
    const [first, second, third] = await openSettled(site, 3, { policies: support, ledger, ...options })
    if (first === undefined || second === undefined || third === undefined) throw new Error('too few')
    opened.push(first, second, third)
    return { sequencer: first, follower: second, other: third, all: [first, second, third], ledger }
  }

  test('send what their callers ask for to the one that is the sequencer, many operations at a time', async () => {
    const { sequencer, follower, all } = await three()
    const answers = await asked(all, 201, (call) => refund(call))
    expect(answers.every(({ effect }) => effect === 'allow')).toBe(true)
    expect(new Set(answers.map(({ id }) => id)).size).toBe(201)
    expect(sequencer.messages.length).toBeGreaterThan(1)
    expect(sequencer.messages.length).toBeLessThan(60)
    expect(follower.messages).toHaveLength(0)
    expect(await sequencer.ledger.verify()).toMatchObject({ kind: 'intact', size: 202 })
    const id = answers[1]?.id ?? ''
    expect(await follower.ledger.decision(id)).toMatchObject({ params: { amount: 1 } })
    await follower.ledger.reportOutcome(agent, id, { status: 'succeeded', result: { refund: 'r_1' } })
    expect((await sequencer.ledger.decision(id)).outcome).toMatchObject({ status: 'succeeded' })
  })

  test('decide a call id once, whichever of them is asked', async () => {
    const { all } = await three()
    const answers = await asked(all, 30, () => refund(100, { callId: 'the-same' }))
    expect(new Set(answers.map((answer) => answer.id)).size).toBe(1)
    expect(answers.filter((answer) => answer.replayed !== true)).toHaveLength(1)
  })

  test('let an approval be used once, however many of them are asked at once', async () => {
    const { follower, other, all } = await three()
    const id = await escalated(follower.ledger)
    await cast(other.ledger, voter('ann'), id, { vote: 'approve' })
    const answers = await asked(all, 30, () => refund(600, { approvalId: id }))
    const effects = answers.map(({ effect }) => effect)
    expect(effects.filter((effect) => effect === 'allow')).toHaveLength(1)
    expect(effects.filter((effect) => effect === 'deny')).toHaveLength(29)
  })

  test('let a standing grant be used as often as it was given, and not after any of them has revoked it', async () => {
    const route = '{ standing: { uses: 12, lasts: 8h } }'
    const { sequencer, follower, other, all } = await three({ policies: policiesOf(terms(route)) })
    const granted = async () => {
      const until = new Date(site.clock.now() + 60 * minute).toISOString()
      const ballot = { vote: 'approve', standing: { uses: 12, until } } as const
      await cast(other.ledger, voter('ann'), await escalated(follower.ledger), ballot)
    }
    await granted()
    const answers = await asked(all, 60, () => refund(600))
    expect(answers.filter(({ effect }) => effect === 'allow')).toHaveLength(12)
    await granted()
    const [live] = await sequencer.ledger.grants.list()
    await follower.ledger.grants.revoke(live?.id ?? '', { by: 'operator', reason: 'enough' })
    const later = await asked(all, 30, () => refund(600))
    expect(later.filter(({ effect }) => effect === 'allow')).toEqual([])
    expect(await other.ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  test('never let a budget be exceeded, and let all of it be used', async () => {
    const { all, sequencer } = await three({ policies: policiesOf(countingPolicy) })
    const answers = await asked(all, 150, () => refundFor('ann', 10))
    const effects = answers.map(({ effect }) => effect)
    expect(effects.filter((effect) => effect === 'allow')).toHaveLength(100)
    expect((await refunded(site, sequencer.ledger)).get('ann')).toBe(1000)
  })

  test('give links to approvals that begin with their own address', async () => {
    const { follower } = await three()
    const { approval } = await follower.ledger.decide(agent, refund(600))
    expect(approval?.url).toBe(`http://console.test/approvals/${approval?.id ?? ''}`)
    const elsewhere = await openReplica(site, {
      policies: support,
      ledger: follower.ledger.name,
      consoleUrl: 'https://other.test',
    })
    opened.push(elsewhere)
    await settled(opened)
    const { approval: theirs } = await elsewhere.ledger.decide(agent, refund(600))
    expect(theirs?.url).toBe(`https://other.test/approvals/${theirs?.id ?? ''}`)
  })

  test('wake who waits for a vote that another one has taken', async () => {
    const { sequencer, follower, other } = await three()
    const id = await escalated(other.ledger)
    const waits = new ApprovalWaits(follower.ledger, site.clock.ports)
    // The clock stands still: only a message ends this wait.
    const waiting = waits.wait(id, 3600, { agent })
    await cast(sequencer.ledger, voter('ann'), id, { vote: 'approve' })
    expect((await waiting).status).toBe('approved')
    waits.close()
  })

  test('refuse with the same words as if they had decided by themselves', async () => {
    const { follower } = await three()
    const { ledger } = follower
    await ledger.decide(agent, refund(1, { callId: 'twice' }))
    const reused = await faultOf(ledger.decide(agent, refund(2, { callId: 'twice' })))
    expect(reused).toMatchObject({
      code: 'call_id_reused',
      message: 'the call id `twice` was used for another call',
      fix: 'Use a new call id for a new call; a retry must repeat action and params exactly.',
    })
    const unknown = await faultOf(cast(ledger, voter('ann'), 'apr_999', { vote: 'approve' }))
    expect(unknown).toMatchObject({ code: 'not_found', message: 'no approval `apr_999`' })
  })

  test('record a malformed call as one, and deny it', async () => {
    const { follower } = await three()
    const { id, effect } = await follower.ledger.decide(agent, {
      action: 'issue_refund',
      params: { amount: Number.NaN },
    })
    expect(effect).toBe('deny')
    expect(await follower.ledger.decision(id)).toMatchObject({ params: null })
    expect((await decisionRecords(site, follower.ledger)).at(-1)).toMatchObject({ code: 'malformed_call' })
  })

  test('decide by what was looked up and by the environment of the one that was asked', async () => {
    const policies = policiesOf(
      supportPolicy(`  tier: { type: string, from: { http: 'https://crm.internal/tier' }, for: apply_discount }
rules:
  - { id: no-basic, on: apply_discount, condition: "tier == 'basic' && env == 'prod'", effect: deny }`),
    )
    const looksUp = (value: string) => ({
      gather: () => Promise.resolve(new Map<string, LookupResult>([['tier', { kind: 'value', value }]])),
    })
    const ledger = `replicas-${(count += 1)}`
    const first = await openReplica(site, { policies, ledger, env: 'test', lookups: looksUp('gold') })
    opened.push(first)
    const second = await openReplica(site, { policies, ledger, env: 'prod', lookups: looksUp('basic') })
    opened.push(second)
    const [sequencer] = await settled(opened)
    const call = { action: 'apply_discount', params: {} }
    const [theirs, ours] = [await first.ledger.decide(agent, call), await second.ledger.decide(agent, call)]
    expect([theirs.effect, ours.effect]).toEqual(['allow', 'deny'])
    expect(sequencer.messages).toHaveLength(1)
    expect(await first.ledger.replay(ours.id)).toMatchObject({ same: true })
  })

  test('decide by their own policy where it is not the one of the sequencer', async () => {
    const { sequencer, follower, ledger } = await three()
    const policies = policiesOf(supportPolicy('rules:\n  - { id: never, on: issue_refund, effect: deny }'))
    const newer = await openReplica(site, { policies, ledger })
    opened.push(newer)
    await settled(opened)
    const answers: DecisionAnswer[] = []
    for (let call = 0; call < 3; call++) answers.push(await newer.ledger.decide(agent, refund(call)))
    expect(answers.map(({ effect }) => effect)).toEqual(['deny', 'deny', 'deny'])
    expect(answers[0]?.policy?.sha256).toBe(policies.all[0]?.ref.sha256)
    // The first was sent, and refused; what would be refused is not sent again.
    const before = sequencer.messages.length
    await newer.ledger.decide(agent, refund(4))
    expect(sequencer.messages).toHaveLength(before)
    expect((await follower.ledger.decide(agent, refund(5))).effect).toBe('allow')
    expect(await sequencer.ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  test('share nothing with another ledger in the same database', async () => {
    const { follower, sequencer } = await three()
    const [elsewhere] = await openSettled(site, 1, { policies: support, ledger: `replicas-${(count += 1)}` })
    if (elsewhere === undefined) throw new Error('none')
    opened.push(elsewhere)
    const id = await escalated(follower.ledger, { callId: 'same-in-both' })
    await cast(sequencer.ledger, voter('ann'), id, { vote: 'approve' })

    expect(elsewhere.ledger.role).toBe('sequencer')
    expect((await faultOf(elsewhere.ledger.approval(id, {}))).code).toBe('not_found')
    expect((await faultOf(cast(elsewhere.ledger, voter('bob'), id, { vote: 'reject' }))).code).toBe(
      'not_found',
    )
    const claimed = await elsewhere.ledger.decide(agent, refund(600, { approvalId: id }))
    expect(claimed).toMatchObject({ effect: 'deny' })
    const fresh = await elsewhere.ledger.decide(agent, refund(600, { callId: 'same-in-both' }))
    expect(fresh.replayed).toBeUndefined()
    expect((await elsewhere.ledger.decisions({ limit: 10 })).decisions).toHaveLength(2)
    const names = new Set((await records(site, elsewhere.ledger)).map((record) => record.ledger))
    expect([...names]).toEqual([elsewhere.ledger.name])
    // A message to one is not taken by the other.
    const [message] = sequencer.messages
    const replay = new Request('http://replica/internal/v1/operations', {
      method: 'POST',
      headers: {
        authorization: message?.authorization ?? '',
        'content-length': String(message?.body.length),
      },
      body: new Uint8Array(message?.body ?? Buffer.alloc(0)),
    })
    expect((await elsewhere.ledger.answerPeer(replay)).status).toBe(401)
  })
})
