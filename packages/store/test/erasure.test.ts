import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { ErasureRequest } from '../src/erasure/erase.ts'
import type { Ledger } from '../src/ledger.ts'
import { foreignWriter } from './harness/foreign-writer.ts'
import {
  cast,
  agent,
  escalated,
  faultOf,
  ledgerSite,
  otherAgent,
  policiesOf,
  records,
  refund,
  supportPolicy,
  voter,
  type LedgerSite,
} from './harness/ledger.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'

const secret = 'canary-7c1d'
const withSecret = { context: { note: secret } }

function erasing(decision: string, more: Partial<ErasureRequest> = {}): ErasureRequest {
  return { target: { decision }, reason: 'request 17', by: 'operator', ...more }
}

describeOnOnePostgres('G9: erasing a decision', (postgres) => {
  let site: LedgerSite

  beforeAll(async () => {
    site = await ledgerSite(postgres)
  })
  afterEach(() => site.closeLedgers())
  afterAll(() => site.remove())

  /** Whether anything that the tables hold of a ledger contains the text. */
  const holds = async (ledger: Ledger, text: string) =>
    (await site
      .query('select 1 from log_batch where ledger = $1 and strpos(bodies || records, $2) > 0', [
        ledger.name,
        text,
      ])
      .then((rows) => rows.length)) > 0

  const salts = async (ledger: Ledger, indices: readonly number[]) =>
    await site.query<{ salt: Buffer; body: string; erased: boolean }>(
      `select substring(b.salts from ((i - b.first) * 32 + 1)::int for 32) as salt, i = any(b.erased) as erased,
        (string_to_array(b.bodies, E'\\n'))[(i - b.first + 1)::int] as body
      from unnest($2::bigint[]) as i join log_batch b on b.ledger = $1 and i >= b.first
        and i < b.first + octet_length(b.leaf_hashes) / 32 order by i`,
      [ledger.name, indices],
    )

  test('takes away payload and salt, is recorded itself, and leaves a log that verifies', async () => {
    const ledger = await site.open()
    const [, { id }] = await Promise.all([
      ledger.decide(agent, refund(1, { context: { note: 'another' } })),
      ledger.decide(agent, refund(2, withSecret)),
      ledger.decide(agent, refund(3, { context: { note: 'ä€😀' } })),
    ])
    const before = await ledger.head()
    const index = Number(id.slice('dec_'.length))
    const result = await ledger.erase(erasing(id))
    expect(result).toEqual({
      erased: [index],
      before: 0,
      recordedAs: [before.size],
      archived: [],
      keys: [],
      vacuumed: true,
    })
    expect(await salts(ledger, [index])).toEqual([{ salt: Buffer.alloc(32), body: '', erased: true }])
    expect(await holds(ledger, secret)).toBe(false)
    const all = await records(site, ledger)
    expect(all.at(-1)).toMatchObject({ kind: 'erasure', scope: 'decision', records: [index], by: 'operator' })
    expect(await ledger.verify()).toMatchObject({ kind: 'intact', erased: 1 })
    expect(await ledger.decision(id)).toMatchObject({ params: null, context: null, erased: true })
    for (const other of [index - 1, index + 1]) {
      expect((await ledger.decision(`dec_${other}`)).params, 'its neighbours are untouched').not.toBeNull()
    }
  })

  test('erases both outcomes, the comments of votes and every other decision of the same call', async () => {
    const ledger = await site.open()
    const callId = 'c1'
    const first = await escalated(ledger, { callId, ...withSecret })
    const early = await ledger.decide(agent, refund(600, { callId, approvalId: first, ...withSecret }))
    expect(early.effect).toBe('deny')
    await cast(ledger, voter('ann'), first, { vote: 'approve', comment: secret })
    const made = await ledger.decide(agent, refund(600, { callId, approvalId: 'apr_99999', ...withSecret }))
    expect(made.effect).toBe('deny')
    const run = await ledger.decide(agent, refund(600, { callId, approvalId: first, ...withSecret }))
    expect(run.effect).toBe('allow')
    await ledger.reportOutcome(agent, run.id, { status: 'unknown', detail: secret })
    await ledger.reportOutcome(agent, run.id, { status: 'succeeded', detail: secret })
    const untouched = await ledger.decide(agent, refund(600, { context: { note: 'another' } }))
    const { size } = await ledger.head()
    const preview = await ledger.erase(erasing(made.id, { dryRun: true }))
    expect(preview).toMatchObject({ recordedAs: [], vacuumed: false })
    expect((await ledger.head()).size, 'a dry run records nothing').toBe(size)
    expect(await holds(ledger, secret)).toBe(true)
    const result = await ledger.erase(erasing(made.id))
    expect(result.erased).toEqual(preview.erased)
    expect(result.erased).toHaveLength(7)
    expect(await holds(ledger, secret)).toBe(false)
    expect((await ledger.decision(untouched.id)).context).toEqual({ note: 'another' })
    expect(await ledger.verify()).toMatchObject({ kind: 'intact', erased: 7 })
  })

  test('finds the same records from whichever of the decisions it begins', async () => {
    const ledger = await site.open(
      policiesOf(supportPolicy('actions: { issue_refund: { environments: [prod] } }\n')),
    )
    const callId = 'c2'
    // The first decision under the id is a denial without a claim, to which no approval leads.
    const first = await ledger.decide(agent, refund(600, { callId }))
    expect(first.effect).toBe('deny')
    for (let at = 0; at < 3; at++) await ledger.decide(agent, refund(600, { callId: `other-${at}` }))
    const again = await ledger.decide(agent, refund(600, { callId, approvalId: 'apr_0' }))
    const last = await ledger.decide(agent, refund(600, { callId, approvalId: 'apr_77777' }))
    const indices = [first, again, last].map(({ record }) => record.index)
    for (const { id } of [first, again, last]) {
      expect((await ledger.erase(erasing(id, { dryRun: true }))).erased).toEqual(indices)
    }
  })

  test('finds the first decision of a call whose standing one was let through by the approval of another', async () => {
    const ledger = await site.open()
    const approvalId = await escalated(ledger)
    const first = await ledger.decide(agent, refund(600, { callId: 'c' }))
    await cast(ledger, voter('ann'), approvalId, { vote: 'approve' })
    const run = await ledger.decide(agent, refund(600, { callId: 'c', approvalId }))
    expect([first.effect, run.effect]).toEqual(['escalate', 'allow'])
    const opened = Number(approvalId.slice('apr_'.length))
    for (const { id } of [first, run]) {
      const { erased } = await ledger.erase(erasing(id, { dryRun: true }))
      expect(erased).toEqual([opened, first.record.index, first.record.index + 1, run.record.index])
    }
  })

  test('leaves alone what another agent decided under the same call id, or by claiming the approval', async () => {
    const ledger = await site.open(policiesOf(supportPolicy(), supportPolicy('', otherAgent)))
    const approvalId = await escalated(ledger, { callId: 'c', ...withSecret })
    const theirs = await ledger.decide(otherAgent, refund(600, { callId: 'c', approvalId }))
    const id = `dec_${approvalId.slice('apr_'.length)}`
    expect((await ledger.erase(erasing(id))).erased).toEqual([Number(id.slice('dec_'.length))])
    expect((await ledger.decision(theirs.id)).params).toEqual({ amount: 600 })
  })

  test('can be done again, which erases nothing and records nothing', async () => {
    const ledger = await site.open()
    const { id } = await ledger.decide(agent, refund(1))
    await ledger.erase(erasing(id))
    const { size } = await ledger.head()
    expect(await ledger.erase(erasing(id))).toMatchObject({ erased: [], before: 1, recordedAs: [] })
    expect((await ledger.head()).size).toBe(size)
  })

  test('is refused for what is no decision, without a reason, and while a legal hold stands', async () => {
    const ledger = await site.open()
    const { id } = await ledger.decide(agent, refund(1))
    expect(await faultOf(ledger.erase(erasing('dec_0')))).toMatchObject({ code: 'not_found' })
    expect(await faultOf(ledger.erase(erasing('dec_999')))).toMatchObject({ code: 'not_found' })
    expect(await faultOf(ledger.erase(erasing('12')))).toMatchObject({ code: 'not_found' })
    for (const reason of ['', ' ', 'x'.repeat(2001), '\ud800']) {
      expect(await faultOf(ledger.erase(erasing(id, { reason })))).toMatchObject({ code: 'bad_input' })
    }
    await ledger.changeHold({ hold: 'case-1', event: 'placed', reason: 'a case', by: 'operator' })
    await ledger.changeHold({ hold: 'case-2', event: 'placed', reason: 'a case', by: 'operator' })
    await ledger.changeHold({ hold: 'case-2', event: 'lifted', reason: 'a case', by: 'operator' })
    for (const dryRun of [true, false]) {
      const fault = await faultOf(ledger.erase(erasing(id, { dryRun })))
      expect(fault).toMatchObject({ code: 'conflict', message: expect.stringContaining('`case-1` stands') })
    }
    expect((await ledger.decision(id)).params).toEqual({ amount: 1 })
    await ledger.changeHold({ hold: 'case-1', event: 'lifted', reason: 'a case', by: 'operator' })
    expect((await ledger.erase(erasing(id))).erased).toHaveLength(1)
  })

  test('by two processes at once, while others decide, erases once and breaks nothing', async () => {
    const one = await site.open()
    const other = await site.open(undefined, one.name)
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, at) => one.decide(agent, refund(at, withSecret))),
    )
    const results = await Promise.all([
      ...answers.map(({ id }) => one.erase(erasing(id))),
      ...answers.map(({ id }) => other.erase(erasing(id))),
      ...answers.map(async ({ id }) => {
        await other.reportOutcome(agent, id, { status: 'succeeded', detail: secret })
        await one.decide(agent, refund(1))
        return undefined
      }),
    ])
    const named = (await records(site, one)).flatMap((record) =>
      record.kind === 'erasure' ? record.records : [],
    )
    expect(new Set(named).size, 'no payload is erased twice').toBe(named.length)
    const erased = results.flatMap((result) => result?.erased ?? [])
    expect(erased.sort((a, b) => a - b)).toEqual(named.sort((a, b) => a - b))
    for (const { id } of answers) await one.erase(erasing(id))
    expect(await holds(one, secret)).toBe(false)
    expect(await one.verify()).toMatchObject({ kind: 'intact' })
  })

  test('is worked out again where another process was faster', async () => {
    const ledger = await site.open()
    const { id } = await ledger.decide(agent, refund(1, withSecret))
    const foreign = await foreignWriter(site, ledger.name)
    const erased = ledger.erase(erasing(id))
    await foreign.batchWaits()
    await foreign.append()
    expect((await erased).erased).toHaveLength(1)
    expect(await ledger.verify()).toMatchObject({ kind: 'intact', erased: 1 })
  })

  test('is done or not done, and never half, where the connection is lost meanwhile', async () => {
    const ledger = await site.open()
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => ledger.decide(agent, refund(1, withSecret))),
    )
    for (const { id } of answers) {
      const erased = ledger.erase(erasing(id)).then(
        () => true,
        () => false,
      )
      await site.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() and query like '%update ledger_head%'`,
      )
      const answered = await erased
      const { params } = await ledger.decision(id)
      if (answered) expect(params, 'what was acknowledged is gone').toBeNull()
      expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
      await ledger.erase(erasing(id))
    }
    expect(await holds(ledger, secret)).toBe(false)
    expect(await ledger.verify()).toMatchObject({ kind: 'intact', erased: 10 })
  })

  test('writes nothing where the payload was taken away without the log', async () => {
    const ledger = await site.open()
    const { id } = await ledger.decide(agent, refund(1, withSecret))
    const foreign = await foreignWriter(site, ledger.name)
    const erased = ledger.erase(erasing(id))
    await foreign.batchWaits()
    await site.query(`update log_batch set bodies = '' where ledger = $1 and first = 1`, [ledger.name])
    await foreign.append()
    expect(await erased).toMatchObject({ erased: [], recordedAs: [] })
    expect(await ledger.verify()).toMatchObject({ kind: 'broken', index: 1 })
  })

  test('records no erasure of what was removed while it waited for the head', async () => {
    const ledger = await site.open()
    const { id } = await ledger.decide(agent, refund(1, withSecret))
    const foreign = await foreignWriter(site, ledger.name)
    const erased = ledger.erase(erasing(id))
    await foreign.batchWaits()
    await site.query('delete from log_batch where ledger = $1 and first = 1', [ledger.name])
    await foreign.letGo()
    expect(await erased).toMatchObject({ erased: [], recordedAs: [] })
    expect((await records(site, ledger)).map(({ kind }) => kind)).not.toContain('erasure')
  })

  describe('whose approval is open', () => {
    test('lets nobody vote on what nobody can see, and the agent go nowhere', async () => {
      const ledger = await site.open()
      const approvalId = await escalated(ledger, { callId: 'c' })
      await ledger.erase(erasing(`dec_${approvalId.slice('apr_'.length)}`))
      const fault = await faultOf(cast(ledger, voter('ann'), approvalId, { vote: 'approve' }))
      expect(fault).toMatchObject({ code: 'erased' })
      expect(await ledger.approval(approvalId, { voter: voter('ann') })).toMatchObject({
        status: 'pending',
        mayVote: false,
        params: null,
        erased: true,
      })
    })

    test('gives an approved one no use any more', async () => {
      const ledger = await site.open()
      const approvalId = await escalated(ledger)
      await cast(ledger, voter('ann'), approvalId, { vote: 'approve' })
      await ledger.erase(erasing(`dec_${approvalId.slice('apr_'.length)}`))
      const answer = await ledger.decide(agent, refund(600, { approvalId }))
      expect(answer).toMatchObject({ effect: 'deny' })
      expect((await records(site, ledger)).at(-1)).toMatchObject({ code: 'approval_refused' })
    })

    test('and those that are erased in the same batch as the vote or the use', async () => {
      const ledger = await site.open()
      const approvalId = await escalated(ledger)
      const erased = ledger.erase(erasing(`dec_${approvalId.slice('apr_'.length)}`))
      const votes = await Promise.allSettled([
        cast(ledger, voter('ann'), approvalId, { vote: 'approve', comment: secret }),
      ])
      await erased
      const recorded = (await records(site, ledger)).map(({ kind }) => kind)
      expect(recorded.includes('vote')).toBe(votes[0]?.status === 'fulfilled')
      expect(await holds(ledger, secret), 'a comment that came first is erased, too').toBe(false)
      expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
    })
  })

  test('closes its call id, and outcomes after it are recorded without detail and result', async () => {
    const ledger = await site.open()
    const { id } = await ledger.decide(agent, refund(1, { callId: 'c' }))
    await ledger.erase(erasing(id))
    expect(await faultOf(ledger.decide(agent, refund(1, { callId: 'c' })))).toMatchObject({
      code: 'call_id_reused',
    })
    await ledger.reportOutcome(agent, id, { status: 'failed', detail: secret, result: { note: secret } })
    expect(await holds(ledger, secret)).toBe(false)
    expect((await ledger.decision(id)).outcome).toMatchObject({ status: 'failed' })
    expect(await ledger.verify()).toMatchObject({ kind: 'intact', erased: 1 })
  })

  describe('is found by verification where', () => {
    const tampered = async (statement: string, index: number | null, problem: string) => {
      const ledger = await site.open()
      const { id } = await ledger.decide(agent, refund(1))
      await ledger.decide(agent, refund(2))
      await ledger.erase(erasing(id))
      expect(await ledger.verify()).toMatchObject({ kind: 'intact', erased: 1 })
      await site.query(statement.replaceAll('$1', `'${ledger.name}'`))
      expect(await ledger.verify()).toMatchObject({
        kind: 'broken',
        index,
        problem: expect.stringContaining(problem),
      })
    }

    test('a payload was taken away and marked, and no record names it', () =>
      tampered(
        `update log_batch set bodies = '', salts = decode(repeat('00', 32), 'hex'), erased = array[2] where ledger = $1 and first = 2`,
        2,
        'no erasure record names it',
      ))

    test('the mark is gone, too', () =>
      tampered(
        `update log_batch set erased = '{}' where ledger = $1 and first = 1`,
        1,
        'no erasure is marked',
      ))

    test('the payload is there again', () =>
      tampered(
        `update log_batch set bodies = '{"context":{},"params":{"amount":1}}' where ledger = $1 and first = 1`,
        1,
        'its payload or salt was changed',
      ))

    test('the salt is there still, by which the payload could be guessed', () =>
      tampered(
        `update log_batch set salts = decode(repeat('01', 32), 'hex') where ledger = $1 and first = 1`,
        1,
        'its salt is not',
      ))
  })
})
