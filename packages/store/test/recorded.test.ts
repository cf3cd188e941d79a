import type { DecisionAnswer, Fault } from '@bailiwick/core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { GovernanceEnforcer } from '../src/enforcer.ts'
import type { Ledger } from '../src/ledger.ts'
import { foreignWriter } from './harness/foreign-writer.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'
import { agent, decisionRecords, faultOf, ledgerSite, refund, type LedgerSite } from './harness/ledger.ts'

describeOnOnePostgres('a caller whose call met a fault', (postgres) => {
  let site: LedgerSite
  beforeAll(async () => {
    site = await ledgerSite(postgres)
  })
  afterEach(() => site.closeLedgers())
  afterAll(() => site.remove())

  const recordedCallIds = async (ledger: Ledger) =>
    new Set((await decisionRecords(site, ledger)).map(({ callId }) => callId))

  // Those that write the log, and nobody else's.
  async function cutConnections(): Promise<void> {
    await site.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and backend_type = 'client backend' and query like $1`,
      ['%update ledger_head%'],
    )
  }

  describe('hears that it was not recorded', () => {
    test('where the head cannot be read, and the log has nothing of it', async () => {
      const ledger = await site.open()
      await site.query('alter table ledger_head rename to ledger_head_gone')
      // The first finds the table gone while it is recorded, and only then is the head read anew.
      const first = await faultOf(ledger.decide(agent, refund(1, { callId: 'c-1' })))
      const second = await faultOf(ledger.decide(agent, refund(1, { callId: 'c-2' })))
      await site.query('alter table ledger_head_gone rename to ledger_head')
      expect(first).toMatchObject({ code: 'store_unavailable', recorded: 'unknown' })
      expect(second).toMatchObject({ code: 'store_unavailable', recorded: 'no' })
      expect(await recordedCallIds(ledger)).toEqual(new Set())
      expect(await ledger.decide(agent, refund(1, { callId: 'c-2' }))).toMatchObject({ effect: 'allow' })
    })

    test('where the queue is full, and where the log is closed', async () => {
      const ledger = await site.open()
      const results = await Promise.allSettled(
        Array.from({ length: 20_001 }, () =>
          ledger.note({ kind: 'access', event: 'key_created', subject: 'k', grants: [] }),
        ),
      )
      expect(results.at(-1)).toMatchObject({ reason: { code: 'store_busy', recorded: 'no' } })
      await ledger.close()
      const fault = await faultOf(ledger.decide(agent, refund(1)))
      expect(fault).toMatchObject({ code: 'store_unavailable', recorded: 'no' })
    })

    test('but nothing of the kind where it was refused: of refusals nothing is ever recorded', async () => {
      const ledger = await site.open()
      await ledger.decide(agent, refund(1, { callId: 'c' }))
      const fault = await faultOf(ledger.decide(agent, refund(2, { callId: 'c' })))
      expect(fault).toMatchObject({ code: 'call_id_reused', recorded: undefined })
    })
  })

  test('hears that it is unknown where the connection broke while it was being recorded; a retry with its call id settles it', async () => {
    const ledger = await site.open()
    const writer = await foreignWriter(site, ledger.name)
    const calls = Array.from({ length: 8 }, (_, at) => refund(at + 1, { callId: `c-${at}` }))
    const faults = Promise.all(calls.map((call) => faultOf(ledger.decide(agent, call))))
    await writer.batchWaits()
    await cutConnections()
    await writer.append()
    // The other half was still waiting: it may have been recorded over a new connection by now, or not at all.
    for (const fault of await faults) expect(['no', 'unknown']).toContain(fault.recorded)
    expect((await faults)[0]).toMatchObject({ code: 'store_unavailable', recorded: 'unknown' })
    for (const call of calls) expect(await ledger.decide(agent, call)).toMatchObject({ effect: 'allow' })
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  test('hears one of the two whenever connections are cut under load; `no` is never in the log, and `unknown` is settled by its call id', async () => {
    const ledger = await site.open()
    const enforcer = new GovernanceEnforcer(ledger, agent)
    const answers = new Map<string, DecisionAnswer>()
    const faults = new Map<string, Fault>()
    const caller = async (name: number) => {
      // As long as it takes until some have met a cut; a cut may find nobody at work.
      for (let each = 0; each < 12 || (faults.size === 0 && each < 1000); each++) {
        const callId = `call-${name}-${each}`
        const { action, params } = refund(name + each)
        const found = await faultOrAnswer(enforcer.check(action, params, {}, { callId }))
        if ('effect' in found) answers.set(callId, found)
        else faults.set(callId, found)
        if ((name + each * 32) % 90 === 45) await cutConnections()
      }
    }
    await Promise.all(Array.from({ length: 32 }, (_, name) => caller(name)))
    const recorded = await recordedCallIds(ledger)
    for (const callId of answers.keys()) expect(recorded.has(callId), callId).toBe(true)
    expect(faults.size).toBeGreaterThan(0)
    for (const [callId, fault] of faults) {
      expect(fault).toMatchObject({
        code: 'store_unavailable',
        recorded: expect.stringMatching(/^(no|unknown)$/),
      })
      if (fault.recorded === 'no') expect(recorded.has(callId), callId).toBe(false)
      const [, name, each] = callId.split('-').map(Number)
      const { action, params } = refund(Number(name) + Number(each))
      const again = await enforcer.check(action, params, {}, { callId })
      expect(again.replayed === true, callId).toBe(recorded.has(callId))
    }
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })
})

async function faultOrAnswer(deciding: Promise<DecisionAnswer>): Promise<DecisionAnswer | Fault> {
  return await deciding.catch(() => faultOf(deciding))
}
