import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { govern, resume, type DecisionPoint, type JsonObject, type PermittedCall } from '@bailiwick/core'
import type { Ledger } from '../src/ledger.ts'
import { ApprovalWaits } from '../src/waits.ts'
import {
  agent,
  cast,
  faultOf,
  ledgerSite,
  minute,
  otherAgent,
  records,
  voter,
  type LedgerSite,
} from './harness/ledger.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'

/** The process ends here: nothing that it would have done afterwards happens. */
class Died extends Error {}

/** Where a process may die. `after` an operation: it is recorded, and its answer is not heard. */
type Step =
  | 'before deciding'
  | 'after deciding'
  | 'while waiting'
  | 'before deciding with the approval'
  | 'after deciding with the approval'
  | 'in the run'
  | 'before reporting'
  | 'after reporting'

describeOnOnePostgres('G8: a call that is resumed', (postgres) => {
  let site: LedgerSite
  beforeAll(async () => {
    site = await ledgerSite(postgres)
  })
  afterEach(() => site.closeLedgers())
  afterAll(() => site.remove())

  const callId = 'call-1'

  /** A process on the ledger; with a step, it dies there and never comes back. */
  function processOf(ledger: Ledger, waits: ApprovalWaits, dies?: Step) {
    let dead = false
    const die = (step: Step) => {
      dead ||= dies === step
      if (dead) throw new Died(step)
    }
    const point: DecisionPoint = {
      decide: async (request) => {
        const kind = request.approvalId === undefined ? 'deciding' : 'deciding with the approval'
        die(`before ${kind}`)
        const answer = await ledger.decide(agent, request)
        die(`after ${kind}`)
        return answer
      },
      approval: async (id, seconds) => {
        die('while waiting')
        return await waits.wait(id, seconds, { agent })
      },
      call: (id) => ledger.reads.call(agent, id),
      reportOutcome: async (id, outcome) => {
        die('before reporting')
        await ledger.reportOutcome(agent, id, outcome)
        die('after reporting')
      },
    }
    return { point, ports: site.clock.ports, dieInRun: () => die('in the run') }
  }

  async function approve(ledger: Ledger): Promise<void> {
    const { approval } = await ledger.reads.call(agent, callId)
    await cast(ledger, voter('ann'), approval?.id ?? '', { vote: 'approve' })
  }

  test.each<[Step, number, string]>([
    // How often it had run before it died, and what resuming makes of it.
    ['after deciding', 0, 'ran'],
    ['while waiting', 0, 'ran'],
    ['before deciding with the approval', 0, 'ran'],
    // Allowed, and nobody knows whether it ran: it is not run again.
    ['after deciding with the approval', 0, 'ran_before unknown'],
    ['in the run', 1, 'ran_before unknown'],
    ['before reporting', 1, 'ran_before unknown'],
    ['after reporting', 1, 'ran_before succeeded'],
  ])('after a process that died %s (run %i times) is: %s', async (step, ranBefore, expected) => {
    const ledger = await site.open()
    const waits = new ApprovalWaits(ledger, site.clock.ports)
    const run = vi.fn<(call: PermittedCall) => JsonObject>((call) => call.params)
    const first = processOf(ledger, waits, step)
    const governing = govern(first.point, first.ports, {
      action: 'issue_refund',
      params: { amount: 600 },
      run: (call) => {
        const result = run(call)
        first.dieInRun()
        return result
      },
      options: { callId, session: 's-1' },
    }).catch((error: unknown) => error)
    if (step !== 'after deciding' && step !== 'while waiting') {
      while ((await site.query('select 1 from call where ledger = $1', [ledger.name])).length === 0);
      await approve(ledger)
    }
    const ended = await governing
    expect(run).toHaveBeenCalledTimes(ranBefore)
    if (step !== 'before reporting' && step !== 'after reporting') expect(ended).toBeInstanceOf(Died)
    if (step === 'after deciding' || step === 'while waiting') await approve(ledger)

    const later = processOf(ledger, waits)
    const resumed = await resume(later.point, later.ports, callId, run, {})
    const outcome = resumed.kind === 'ran_before' ? ` ${resumed.outcome}` : ''
    expect(`${resumed.kind}${outcome}`).toBe(expected)
    expect(run).toHaveBeenCalledTimes(expected === 'ran' ? 1 : ranBefore)

    // However often it is resumed, in however many processes, it has run at most once.
    const again = await Promise.all(
      Array.from({ length: 5 }, () => resume(later.point, later.ports, callId, run, {})),
    )
    expect(again.map(({ kind }) => kind)).toEqual(Array.from({ length: 5 }, () => 'ran_before'))
    expect(run).toHaveBeenCalledTimes(expected === 'ran' ? 1 : ranBefore)
    waits.close()
  })

  test('before it was decided is nowhere, so nothing ran, and it can be made under the same id', async () => {
    const ledger = await site.open()
    const waits = new ApprovalWaits(ledger, site.clock.ports)
    const run = vi.fn<() => string>(() => 'paid')
    const first = processOf(ledger, waits, 'before deciding')
    const call = { action: 'issue_refund', params: { amount: 100 }, run, options: { callId } }
    await expect(govern(first.point, first.ports, call)).rejects.toBeInstanceOf(Died)
    const later = processOf(ledger, waits)
    expect((await faultOf(resume(later.point, later.ports, callId, run, {}))).code).toBe('not_found')
    expect(run).not.toHaveBeenCalled()
    expect(await govern(later.point, later.ports, call)).toMatchObject({ kind: 'ran' })
    waits.close()
  })

  /** A refund that waits, made by a process that is gone. */
  async function waiting(): Promise<{ readonly ledger: Ledger; readonly waits: ApprovalWaits }> {
    const ledger = await site.open()
    await ledger.decide(agent, { action: 'issue_refund', params: { amount: 600 }, callId, session: 's-1' })
    return { ledger, waits: new ApprovalWaits(ledger, site.clock.ports) }
  }

  test('runs with the params that were decided, in the session in which it was made', async () => {
    const { ledger, waits } = await waiting()
    await approve(ledger)
    const { point, ports } = processOf(ledger, waits)
    const resumed = await resume(point, ports, callId, ({ params }) => params, {})
    expect(resumed).toMatchObject({ kind: 'ran', result: { amount: 600 } })
    expect((await records(site, ledger)).findLast(({ kind }) => kind === 'decision')).toMatchObject({
      effect: 'allow',
      session: 's-1',
      callId,
    })
    waits.close()
  })

  test('says that it is pending, and when to ask again, where nobody has answered and nobody wants to wait', async () => {
    const { ledger, waits } = await waiting()
    const { point, ports } = processOf(ledger, waits)
    const run = vi.fn<() => string>(() => 'paid')
    const resumed = await resume(point, ports, callId, run, { wait: false })
    expect(resumed).toMatchObject({
      kind: 'pending',
      approval: { status: 'pending' },
      retryAt: new Date(site.clock.now() + 2_000).toISOString(),
    })
    expect(run).not.toHaveBeenCalled()
    await approve(ledger)
    expect(await resume(point, ports, callId, run, { wait: false })).toMatchObject({ kind: 'ran' })
    expect(run).toHaveBeenCalledTimes(1)
    waits.close()
  })

  test('is withheld with the reason where people said no, or nobody said anything for a day', async () => {
    for (const end of ['reject', 'sleep'] as const) {
      const { ledger, waits } = await waiting()
      const { approval } = await ledger.reads.call(agent, callId)
      if (end === 'reject') await cast(ledger, voter('ann'), approval?.id ?? '', { vote: 'reject' })
      else site.clock.advance(24 * 60 * minute)
      const { point, ports } = processOf(ledger, waits)
      const resumed = await resume(point, ports, callId, () => expect.unreachable('it ran'), {})
      expect(resumed).toMatchObject({
        kind: 'withheld',
        approval: end === 'reject' ? 'rejected' : 'expired',
        decision: { reasons: ['Escalation required: human_approval_required'] },
      })
      waits.close()
    }
  })

  test('that was denied stays denied, and that of another agent is nowhere', async () => {
    const ledger = await site.open()
    const waits = new ApprovalWaits(ledger, site.clock.ports)
    await ledger.decide(agent, { action: 'delete_account', params: {}, callId })
    const { point, ports } = processOf(ledger, waits)
    const run = () => expect.unreachable('it ran')
    expect(await resume(point, ports, callId, run, {})).toMatchObject({
      kind: 'withheld',
      decision: { effect: 'deny', reasons: ['Action is forbidden by policy'] },
    })
    expect((await faultOf(ledger.reads.call(otherAgent, callId))).code).toBe('not_found')
    waits.close()
  })

  test('whose params were erased is a fault, and does not run', async () => {
    const { ledger, waits } = await waiting()
    const { decision } = await ledger.reads.call(agent, callId)
    await approve(ledger)
    await ledger.erase({ target: { decision: decision.id }, reason: 'asked for', by: 'operator' })
    const { point, ports } = processOf(ledger, waits)
    const run = vi.fn<() => string>(() => 'paid')
    expect((await faultOf(resume(point, ports, callId, run, {}))).code).toBe('erased')
    expect(run).not.toHaveBeenCalled()
    waits.close()
  })

  test('by ten processes at once runs in one of them', async () => {
    const { ledger, waits } = await waiting()
    await approve(ledger)
    const run = vi.fn<() => string>(() => 'paid')
    const all = await Promise.all(
      Array.from({ length: 10 }, () => {
        const { point, ports } = processOf(ledger, waits)
        return resume(point, ports, callId, run, {})
      }),
    )
    expect(run).toHaveBeenCalledTimes(1)
    expect(all.filter(({ kind }) => kind === 'ran')).toHaveLength(1)
    waits.close()
  })
})
