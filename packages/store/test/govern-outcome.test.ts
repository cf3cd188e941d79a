import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { Fault, type DecisionPoint, type Governed } from '@bailiwick/core'
import { GovernanceEnforcer } from '../src/enforcer.ts'
import type { Ledger } from '../src/ledger.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'
import { cast, agent, ledgerSite, refund, voter, type LedgerSite } from './harness/ledger.ts'

describeOnOnePostgres('G8: govern leaves an outcome of every run, and runs nothing twice', (postgres) => {
  let site: LedgerSite
  beforeAll(async () => {
    site = await ledgerSite(postgres)
  })
  afterEach(() => site.closeLedgers())
  afterAll(() => site.remove())

  const enforcer = (ledger: Ledger) => new GovernanceEnforcer(ledger, agent, site.clock.ports)

  test.each([
    ['an error', new Error('no funds'), 'no funds'],
    ['a text', 'no funds', 'no funds'],
    ['an object without a prototype', Object.create(null), 'threw object'],
    [
      'an error whose cut message would end in half a character',
      new Error(`${'x'.repeat(1999)}😀`),
      `${'x'.repeat(1999)}\uFFFD`,
    ],
  ])('%s that run throws is thrown on, and recorded as a failed outcome', async (_what, thrown, detail) => {
    const ledger = await site.open()
    const run = (): never => {
      throw thrown
    }
    const rejection: unknown = await enforcer(ledger)
      .govern('issue_refund', { amount: 1 }, run)
      .catch((error: unknown) => ({ error }))
    expect(rejection).toEqual({ error: thrown })
    expect((await ledger.decisions({ limit: 1 })).decisions[0]?.outcome).toMatchObject({
      status: 'failed',
      detail,
    })
  })

  test.each(['succeeded', 'failed'] as const)(
    'a call id whose run %s is not run again, and says so',
    async (outcome) => {
      const ledger = await site.open()
      const first = (): string => {
        if (outcome === 'failed') throw new Error('no')
        return 'done'
      }
      const govern = (run: () => unknown): Promise<Governed<unknown>> =>
        enforcer(ledger).govern('issue_refund', { amount: 1 }, run, { callId: 'c1' })
      await Promise.allSettled([govern(first)])
      const again = vi.fn<() => void>()
      expect(await govern(again)).toMatchObject({ kind: 'ran_before', outcome })
      expect(again).not.toHaveBeenCalled()
    },
  )

  test('a call id that was allowed before a crash may have run: unknown, and not run again', async () => {
    const ledger = await site.open()
    await ledger.decide(agent, refund(1, { callId: 'c1' }))
    const run = vi.fn<() => void>()
    const governed = await enforcer(ledger).govern('issue_refund', { amount: 1 }, run, { callId: 'c1' })
    expect(governed).toMatchObject({ kind: 'ran_before', outcome: 'unknown' })
    expect(run).not.toHaveBeenCalled()
  })

  test('a crash while waiting loses nothing: the same call id waits on, for the same approval', async () => {
    const ledger = await site.open()
    const { approval } = await ledger.decide(agent, refund(600, { callId: 'c1' }))
    await cast(ledger, voter('ann'), approval?.id ?? '', { vote: 'approve' })
    const run = vi.fn<() => void>()
    const governed = await enforcer(ledger).govern('issue_refund', { amount: 600 }, run, { callId: 'c1' })
    expect(governed.kind).toBe('ran')
    expect(run).toHaveBeenCalledTimes(1)
  })

  test('20 that govern one call id at once, through two processes, run it once', async () => {
    const one = await site.open()
    const two = await site.open(undefined, one.name)
    const run = vi.fn<() => void>()
    const governed = await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        enforcer(at % 2 ? one : two).govern('issue_refund', { amount: 1 }, run, { callId: 'c1' }),
      ),
    )
    expect(run).toHaveBeenCalledTimes(1)
    expect(governed.filter(({ kind }) => kind === 'ran')).toHaveLength(1)
    expect(governed.filter(({ kind }) => kind === 'ran_before')).toHaveLength(19)
  })

  test('20 that wait for one approval of one call id run it once', async () => {
    const ledger = await site.open()
    const { approval } = await ledger.decide(agent, refund(600, { callId: 'c1' }))
    await cast(ledger, voter('ann'), approval?.id ?? '', { vote: 'approve' })
    const run = vi.fn<() => void>()
    const all = Array.from({ length: 20 }, () =>
      enforcer(ledger).govern('issue_refund', { amount: 600 }, run, { callId: 'c1' }),
    )
    const kinds = (await Promise.all(all)).map(({ kind }) => kind)
    expect(run).toHaveBeenCalledTimes(1)
    expect(kinds.filter((kind) => kind === 'ran')).toHaveLength(1)
  })

  test('an outcome that cannot be recorded does not undo the run: the result comes, and says so', async () => {
    const ledger = await site.open()
    const point = new GovernanceEnforcer(withoutOutcomes(ledger), agent, {
      ...site.clock.ports,
      sleep: async () => undefined,
    })
    const governed = await point.govern('issue_refund', { amount: 1 }, () => 'paid')
    expect(governed).toMatchObject({ kind: 'ran', result: 'paid', outcomeRecorded: false })
    expect((await ledger.decisions({ limit: 1 })).decisions[0]?.outcome).toBeNull()
  })
})

/** The ledger, whose store fails as soon as something has run. */
function withoutOutcomes(ledger: Ledger): Ledger {
  const reportOutcome: DecisionPoint['reportOutcome'] = () =>
    Promise.reject(new Fault('store_unavailable', 'the database failed', { fix: 'Try again.' }))
  return new Proxy(ledger, {
    get: (target, name) => {
      if (name === 'reportOutcome') return reportOutcome
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
