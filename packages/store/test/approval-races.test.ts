import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Instant, LogRecord } from '@bailiwick/core'
import type { Ledger } from '../src/ledger.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'
import {
  cast,
  agent,
  ledgerSite,
  minute,
  policiesOf,
  records,
  refund,
  terms,
  voter,
  type LedgerSite,
} from './harness/ledger.ts'

const quorum = 2
const people = ['ann', 'bob', 'eve'] as const

/** What one caller does, through one of two processes. */
type Step =
  | {
      readonly kind: 'vote'
      readonly through: 0 | 1
      readonly person: (typeof people)[number]
      readonly vote: 'approve' | 'reject'
    }
  | { readonly kind: 'use'; readonly through: 0 | 1 }
  | { readonly kind: 'expire'; readonly through: 0 | 1 }

const through = fc.constantFrom(0 as const, 1 as const)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('vote' as const),
      through,
      person: fc.constantFrom(...people),
      vote: fc.constantFrom('approve' as const, 'approve' as const, 'approve' as const, 'reject' as const),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('use' as const), through }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('expire' as const), through }) },
)
/** Rounds of callers that race; time passes between the rounds. */
const rounds = fc.array(
  fc.record({
    steps: fc.array(step, { minLength: 1, maxLength: 6 }),
    passes: fc.constantFrom(0, 0, minute, 5 * minute - 1, 5 * minute),
  }),
  { minLength: 1, maxLength: 5 },
)

describeOnOnePostgres('G3: votes, uses and expiries that race', (postgres) => {
  let site: LedgerSite
  let ledgers: readonly [Ledger, Ledger]
  beforeAll(async () => {
    site = await ledgerSite(postgres)
    const policies = policiesOf(terms(`{ quorum: ${quorum} }`))
    ledgers = [await site.open(policies), await site.open(policies, 'l1')]
  })
  afterAll(() => site.remove())

  test('leave a history in which nothing is used twice, without its quorum or after its deadline', async () => {
    await fc.assert(
      fc.asyncProperty(rounds, async (all) => {
        const { approval, record } = await ledgers[0].decide(agent, refund(600))
        const id = approval?.id ?? ''
        const allowed: string[] = []
        for (const { steps, passes } of all) {
          const answers = await Promise.allSettled(steps.map((each) => take(each, id, ledgers[each.through])))
          for (const answer of answers)
            if (answer.status === 'fulfilled' && answer.value) allowed.push(answer.value)
          site.clock.advance(passes)
        }
        const history = (await records(site, ledgers[0])).slice(record.index + 1)
        const model = replay(history, id, Date.parse(approval?.deadline ?? ''))
        expect(allowed).toEqual(model.usedBy === undefined ? [] : [model.usedBy])
        const { status, consumedBy } = await ledgers[1].approval(id, {})
        expect({ status, consumedBy }).toEqual({
          status: model.status(site.clock.now()),
          consumedBy: model.usedBy ?? null,
        })
      }),
      { numRuns: 40 },
    )
    expect(await ledgers[0].verify()).toMatchObject({ kind: 'intact' })
  })
})

/** The id of the decision that allowed the call, if this step got it allowed. */
async function take(each: Step, id: string, ledger: Ledger): Promise<string | undefined> {
  switch (each.kind) {
    case 'vote':
      await cast(ledger, voter(each.person), id, { vote: each.vote })
      return undefined
    case 'expire':
      await ledger.expireOverdue()
      return undefined
    case 'use': {
      const answer = await ledger.decide(agent, refund(600, { approvalId: id }))
      return answer.effect === 'allow' ? answer.id : undefined
    }
  }
}

/** Goes through the records in their order, and fails at the first that should not be there. */
function replay(history: readonly LogRecord[], id: string, deadline: number) {
  const approvedBy = new Set<string>()
  const votedBy = new Set<string>()
  const state: { ended?: 'rejected' | 'expired' | 'consumed'; usedBy?: string } = {}
  for (const record of history) {
    const at = Date.parse(record.at)
    if (record.kind === 'vote' && record.approval === id) {
      expect({
        ended: state.ended,
        full: approvedBy.size >= quorum,
        twice: votedBy.has(record.person),
        late: at >= deadline,
      }) //
        .toEqual({ ended: undefined, full: false, twice: false, late: false })
      votedBy.add(record.person)
      if (record.vote === 'approve') approvedBy.add(record.person)
      else state.ended = 'rejected'
    }
    if (record.kind === 'expiry' && record.approval === id) {
      expect({ ended: state.ended, early: at < deadline }).toEqual({ ended: undefined, early: false })
      state.ended = 'expired'
    }
    if (record.kind === 'decision' && record.claims?.id === id && record.effect === 'allow') {
      expect({ ended: state.ended, approvers: approvedBy.size, late: at >= deadline }) //
        .toEqual({ ended: undefined, approvers: quorum, late: false })
      Object.assign(state, { ended: 'consumed', usedBy: record.id })
    }
  }
  const status = (now: Instant) =>
    state.ended ?? (now >= deadline ? 'expired' : approvedBy.size >= quorum ? 'approved' : 'pending')
  return { usedBy: state.usedBy, status }
}
