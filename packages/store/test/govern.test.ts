import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import type { JsonObject, PermittedCall } from '@bailiwick/core'
import { GovernanceEnforcer } from '../src/enforcer.ts'
import type { Ledger } from '../src/ledger.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'
import {
  cast,
  agent,
  decisionRecords,
  faultOf,
  ledgerSite,
  minute,
  policiesOf,
  records,
  refund,
  supportPolicy,
  voter,
  type LedgerSite,
} from './harness/ledger.ts'

describeOnOnePostgres('govern', (postgres) => {
  let site: LedgerSite
  beforeAll(async () => {
    site = await ledgerSite(postgres)
  })
  afterEach(() => site.closeLedgers())
  afterAll(() => site.remove())

  const pay = () => vi.fn<(call: PermittedCall) => string>((call) => `paid ${JSON.stringify(call.params)}`)
  function enforcer(ledger: Ledger) {
    return new GovernanceEnforcer(ledger, agent, site.clock.ports)
  }
  /** Resolves with the approval that the ledger's next escalation opens. */
  function nextApproval(ledger: Ledger): Promise<string> {
    return new Promise((resolve) => {
      const stop = ledger.onCommit((_head, committed) => {
        const opened = committed.flatMap((record) =>
          record.kind === 'decision' ? (record.opens ?? []) : [],
        )[0]
        if (opened === undefined) return
        stop()
        resolve(opened.id)
      })
    })
  }

  describe('G1: runs nothing whose allowing decision is not recorded', () => {
    test('an allowed call runs once, after its decision was recorded, and its outcome is recorded', async () => {
      const ledger = await site.open()
      const seen: number[] = []
      const run = vi.fn<() => Promise<number>>(async () =>
        seen.push((await decisionRecords(site, ledger)).length),
      )
      const governed = await enforcer(ledger).govern('issue_refund', { amount: 100 }, run)
      expect(governed).toMatchObject({ kind: 'ran', outcomeRecorded: true, decision: { effect: 'allow' } })
      expect(seen).toEqual([1])
      expect((await records(site, ledger)).at(-1)).toMatchObject({ kind: 'outcome', status: 'succeeded' })
    })

    test.each([
      ['forbidden', 'delete_account', {}],
      ['malformed', 'issue_refund', { amount: Number.NaN }],
    ])('a %s call is withheld and recorded, and run is never called', async (_what, action, params) => {
      const ledger = await site.open()
      const run = pay()
      expect(await enforcer(ledger).govern(action, params, run)).toMatchObject({
        kind: 'withheld',
        decision: { effect: 'deny' },
      })
      expect(run).not.toHaveBeenCalled()
      expect(await decisionRecords(site, ledger)).toHaveLength(1)
    })

    test('a store that fails while deciding is a fault, and run is never called', async () => {
      const ledger = await site.open()
      await site.query('alter table log_batch rename to log_batch_gone')
      const run = pay()
      const fault = await faultOf(enforcer(ledger).govern('issue_refund', { amount: 1 }, run))
      await site.query('alter table log_batch_gone rename to log_batch')
      expect(fault.code).toBe('store_unavailable')
      expect(run).not.toHaveBeenCalled()
      expect(await decisionRecords(site, ledger)).toEqual([])
      expect(await enforcer(ledger).govern('issue_refund', { amount: 1 }, run)).toMatchObject({ kind: 'ran' })
    })

    test('run gets a frozen copy of what was decided, whatever the caller does to the original', async () => {
      const ledger = await site.open()
      const params = { amount: 100, items: ['a'] }
      const run = vi.fn<(call: PermittedCall) => JsonObject>((call) => call.params)
      const governing = enforcer(ledger).govern('issue_refund', params, run)
      params.amount = 9_000
      params.items.push('b')
      const governed = await governing
      expect(governed).toMatchObject({ kind: 'ran', result: { amount: 100, items: ['a'] } })
      const given = run.mock.calls[0]?.[0].params as { items: JsonObject }
      expect([Object.isFrozen(given), Object.isFrozen(given.items)]).toEqual([true, true])
    })
  })

  describe('G3: asks people, and takes silence and errors for a denial', () => {
    test('an escalated call waits, and runs once when a person approves', async () => {
      const ledger = await site.open()
      const opening = nextApproval(ledger)
      const run = pay()
      const governing = enforcer(ledger).govern('issue_refund', { amount: 600 }, run)
      const id = await opening
      expect(run).not.toHaveBeenCalled()
      await cast(ledger, voter('ann'), id, { vote: 'approve' })
      expect(await governing).toMatchObject({
        kind: 'ran',
        result: 'paid {"amount":600}',
        decision: { effect: 'allow' },
      })
      expect(run).toHaveBeenCalledTimes(1)
      expect((await ledger.approval(id, {})).status).toBe('consumed')
    })

    test('a rejected call is withheld', async () => {
      const ledger = await site.open()
      const opening = nextApproval(ledger)
      const run = pay()
      const governing = enforcer(ledger).govern('issue_refund', { amount: 600 }, run)
      await cast(ledger, voter('ann'), await opening, { vote: 'reject' })
      expect(await governing).toMatchObject({ kind: 'withheld', approval: 'rejected' })
      expect(run).not.toHaveBeenCalled()
    })

    test('a call that nobody answers is withheld when its deadline comes', async () => {
      const ledger = await site.open()
      const opening = nextApproval(ledger)
      const run = pay()
      let settled = false
      const governing = enforcer(ledger)
        .govern('issue_refund', { amount: 600 }, run)
        .finally(() => (settled = true))
      await opening
      const deadline = site.clock.now() + 5 * minute
      while (!settled) {
        if (site.clock.sleeping > 0 && site.clock.now() < deadline)
          site.clock.advance(deadline - site.clock.now())
        await ledger.head()
      }
      expect(await governing).toMatchObject({ kind: 'withheld', approval: 'expired' })
      expect(run).not.toHaveBeenCalled()
    })

    test('a vote that another process took is seen at the next look', async () => {
      const ledger = await site.open()
      const elsewhere = await site.open(undefined, ledger.name)
      const opening = nextApproval(ledger)
      let settled = false
      const governing = enforcer(ledger)
        .govern('issue_refund', { amount: 600 }, pay())
        .finally(() => (settled = true))
      await cast(elsewhere, voter('ann'), await opening, { vote: 'approve' })
      while (!settled) {
        if (site.clock.sleeping > 0) site.clock.advance(1_000)
        await ledger.head()
      }
      expect(await governing).toMatchObject({ kind: 'ran' })
    })

    test('a wait that is aborted ends, and a later approval does not make it run', async () => {
      const ledger = await site.open()
      const opening = nextApproval(ledger)
      const run = pay()
      const giveUp = new AbortController()
      const governing = enforcer(ledger).govern('issue_refund', { amount: 600 }, run, {
        signal: giveUp.signal,
      })
      const id = await opening
      giveUp.abort(new Error('the user left'))
      await expect(governing).rejects.toThrow('the user left')
      expect(await cast(ledger, voter('ann'), id, { vote: 'approve' })).toBe('approved')
      expect((await ledger.approval(id, {})).status).toBe('approved')
      expect(run).not.toHaveBeenCalled()
    })

    test('a call whose policy became stricter while it waited is withheld though a person approved', async () => {
      const before = await site.open()
      const id = (await before.decide(agent, refund(600, { callId: 'c1' }))).approval?.id ?? ''
      await cast(before, voter('ann'), id, { vote: 'approve' })
      const strict = supportPolicy(
        `rules: [{ condition: 'refund_amount > 550', effect: deny, reason: Too much }]`,
      )
      const after = await site.open(policiesOf(strict), before.name)
      const run = pay()
      const governed = await enforcer(after).govern('issue_refund', { amount: 600 }, run, { callId: 'c1' })
      expect(governed).toMatchObject({
        kind: 'withheld',
        decision: { effect: 'deny', reasons: ['Too much'] },
      })
      expect(run).not.toHaveBeenCalled()
    })
  })
})
