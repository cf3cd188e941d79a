import { randomBytes } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { Fault, type DecisionAnswer, type DecisionRequest, type Instant } from '@bailiwick/core'
import type { Ledger } from '../src/ledger.ts'
import { noNeeds } from '../src/log/needs.ts'
import { NotInThisBatch } from '../src/log/operation.ts'
import { Sequencer } from '../src/log/sequencer.ts'
import { foreignWriter } from './harness/foreign-writer.ts'
import { describeOnPostgres } from './harness/postgres.ts'
import {
  cast,
  agent,
  decisionRecords,
  faultOf,
  knows,
  ledgerSite,
  records,
  refund,
  voter,
  type LedgerSite,
} from './harness/ledger.ts'

const note = (subject: string) => ({ kind: 'access', event: 'key_created', subject, grants: [] }) as const

/** What a caller asks: a bit of everything that a batch can hold. */
function mixed(at: number): DecisionRequest {
  if (at % 5 === 0) return refund(600, { callId: `c${at}` })
  if (at % 7 === 0) return { action: 'delete_account', params: { at } }
  return refund(at % 400, at % 2 ? { callId: `c${at}` } : {})
}

describeOnPostgres('G1: the log', (postgres) => {
  let site: LedgerSite
  beforeAll(async () => {
    site = await ledgerSite(postgres)
  })
  afterEach(() => site.closeLedgers())
  afterAll(() => site.remove())

  /** Every answer is in the log as it was given, each at its own place, and the log is whole. */
  async function expectRecorded(ledger: Ledger, answers: readonly DecisionAnswer[]): Promise<void> {
    const stored = await records(site, ledger)
    expect(stored.map(({ index }) => index)).toEqual(stored.map((_, at) => at))
    for (const { record, id, effect, reasons, rules } of answers) {
      expect(stored[record.index]).toMatchObject({ kind: 'decision', id, effect, reasons, rules })
    }
    expect(new Set(answers.map(({ id }) => id)).size).toBe(answers.length)
    expect(await ledger.verify()).toMatchObject({ kind: 'intact', size: stored.length })
  }

  test.each([1, 2, 3])(
    'of %d processes with 64 callers each has every answer, no gap and no fork',
    async (processes) => {
      const first = await site.open()
      const others = await Promise.all(
        Array.from({ length: processes - 1 }, () => site.open(undefined, first.name)),
      )
      const ledgers = [first, ...others]
      const callers = ledgers.flatMap((ledger, process) =>
        Array.from({ length: 64 }, async (_, caller) => {
          const answers: DecisionAnswer[] = []
          for (let call = 0; call < 3; call++) {
            answers.push(await ledger.decide(agent, mixed((process * 64 + caller) * 3 + call)))
          }
          return answers
        }),
      )
      const answers = (await Promise.all(callers)).flat()
      expect(answers).toHaveLength(processes * 64 * 3)
      await expectRecorded(first, answers)
      expect(await decisionRecords(site, first)).toHaveLength(answers.length)
    },
  )

  test('does not fork where another process writes just as many records as the batch before this one', async () => {
    const ledger = await site.open()
    await ledger.decide(agent, refund(1))
    const writer = await foreignWriter(site, ledger.name)
    const first = ledger.decide(agent, refund(2))
    await writer.batchWaits()
    // This batch builds on the one that waits, and finds the size that it expects when its turn comes.
    const second = ledger.decide(agent, refund(3))
    await setImmediate()
    await writer.append()
    await expectRecorded(ledger, await Promise.all([first, second]))
    expect((await records(site, ledger)).map(({ kind }) => kind)).toEqual([
      'policy',
      'decision',
      'access',
      'decision',
      'decision',
    ])
  })

  test('goes on after another process was faster while a batch was being prepared', async () => {
    const ledger = await site.open()
    const writer = await foreignWriter(site, ledger.name)
    const first = ledger.decide(agent, refund(1, { callId: 'a' }))
    await writer.batchWaits()
    const rest = Array.from({ length: 20 }, (_, at) => ledger.decide(agent, refund(at, { callId: `b${at}` })))
    await setImmediate()
    await writer.append()
    await expectRecorded(ledger, await Promise.all([first, ...rest]))
  })

  describe('when one of many operations is refused', () => {
    test('records the others, and never the refused one', async () => {
      const ledger = await site.open()
      await knows(ledger, voter('ann'))
      const before = (await ledger.head()).size
      const [refused, ...others] = await Promise.allSettled([
        cast(ledger, voter('ann'), 'apr_0', { vote: 'approve' }),
        ...Array.from({ length: 20 }, (_, at) => ledger.note(note(`k${at}`))),
      ])
      expect(refused).toMatchObject({ status: 'rejected', reason: { code: 'not_found' } })
      expect(others.every(({ status }) => status === 'fulfilled')).toBe(true)
      expect((await ledger.head()).size).toBe(before + 20)
    })

    test('records nobody later to whom it has said that nothing was recorded', async () => {
      const ledger = await site.open()
      let asked = 0
      const sequencer = new Sequencer({
        connection: site.database.config,
        ledger: ledger.name,
        databaseClock: false,
        wholeBatches: false,
        randomBytes,
        committed: () => undefined,
        // Once for the batch; then for judging what is answered without a record, which fails.
        now: () => {
          asked += 1
          if (asked === 2) throw new Error('the clock has stopped')
          return Date.now() as Instant
        },
      })
      const before = await records(site, ledger)
      const recorded = (subject: string) => ({ answer: subject, body: note(subject) })
      let applied = 0
      const answers = [
        sequencer.submit({ needs: noNeeds, apply: () => ({ answer: 'nothing to record' }) }),
        sequencer.submit({
          needs: noNeeds,
          apply: () => {
            applied += 1
            if (applied === 1) throw new NotInThisBatch()
            return recorded('late')
          },
        }),
      ]
      for (const fault of await Promise.all(answers.map(faultOf))) expect(fault.recorded).toBe('no')
      const next = sequencer.submit({ needs: noNeeds, apply: () => recorded('next') })
      expect(await next).toBe('next')
      await sequencer.close()
      const after = (await records(site, ledger)).slice(before.length)
      expect(after).toMatchObject([{ subject: 'next' }])
    })

    test('does so too when the batch has to be worked out again', async () => {
      const ledger = await site.open()
      const writer = await foreignWriter(site, ledger.name)
      const results = [
        ledger.note(note('k0')),
        cast(ledger, voter('ann'), 'apr_0', { vote: 'approve' }),
        ledger.decide(agent, refund(1, { callId: 'c' })),
        ledger.decide(agent, refund(2, { callId: 'c' })),
        ledger.note(note('k1')),
      ]
      const settled = Promise.allSettled(results)
      await writer.batchWaits()
      await writer.append()
      const refused = (await settled).filter((result) => result.status === 'rejected')
      expect(refused).toMatchObject([
        { reason: { code: 'not_found' } },
        { reason: { code: 'call_id_reused' } },
      ])
      expect(await decisionRecords(site, ledger)).toHaveLength(1)
      expect(await records(site, ledger)).toHaveLength(1 + 1 + 3)
      expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
    })
  })

  test('has every answer that was given, though its connections are cut in the middle of the load', async () => {
    const one = await site.open()
    const two = await site.open(undefined, one.name)
    const answers: DecisionAnswer[] = []
    const faults: unknown[] = []
    const call = async (ledger: Ledger, at: number) => {
      try {
        answers.push(await ledger.decide(agent, mixed(at)))
      } catch (error) {
        faults.push(error)
      }
      // A process that loses its connection also loses the callers' batches: cut while many wait.
      if (at % 150 === 75) await cutConnections(site)
    }
    await Promise.all(
      Array.from({ length: 40 }, async (_, caller) => {
        for (let each = 0; each < 15; each++) await call(caller % 2 ? one : two, caller * 15 + each)
      }),
    )
    expect(faults.every((fault) => fault instanceof Fault && fault.code === 'store_unavailable')).toBe(true)
    expect(answers.length + faults.length).toBe(600)
    expect(answers.length).toBeGreaterThan(0)
    await expectRecorded(one, answers)
    await expectRecorded(one, [await one.decide(agent, refund(1)), await two.decide(agent, refund(2))])
  })

  test('refuses what exceeds its queue, and records what it took', async () => {
    const ledger = await site.open()
    const before = (await ledger.head()).size
    const results = await Promise.allSettled(Array.from({ length: 20_003 }, () => ledger.note(note('k'))))
    const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
    expect(refused).toMatchObject([{ code: 'store_busy' }, { code: 'store_busy' }, { code: 'store_busy' }])
    expect((await ledger.head()).size).toBe(before + 20_000)
  })

  test('that is closed has answered everything submitted before, and refuses what comes after', async () => {
    const ledger = await site.open()
    const answering = Array.from({ length: 100 }, (_, at) => ledger.decide(agent, mixed(at)))
    await ledger.close()
    const answers = await Promise.all(answering)
    expect((await faultOf(ledger.decide(agent, refund(1)))).code).toBe('store_unavailable')
    const reopened = await site.open(undefined, ledger.name)
    expect((await reopened.checkpoints.published())?.size).toBe(answers.length + 1)
    await expectRecorded(reopened, answers)
  })

  test('tells listeners of each commit once, in order, before its callers', async () => {
    const ledger = await site.open()
    const heard: number[] = []
    const stop = ledger.onCommit((_head, committed) => heard.push(...committed.map(({ index }) => index)))
    await Promise.all(
      Array.from({ length: 50 }, async () => {
        const { record } = await ledger.decide(agent, refund(1))
        expect(heard).toContain(record.index)
      }),
    )
    expect(heard).toEqual(Array.from({ length: 50 }, (_, at) => at + 1))
    stop()
    await ledger.decide(agent, refund(1))
    expect(heard).toHaveLength(50)
  })
})

async function cutConnections(site: LedgerSite): Promise<void> {
  await site.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and backend_type = 'client backend' and query like $1`,
    ['%update ledger_head%'],
  )
}
