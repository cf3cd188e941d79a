import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseRecord, type Instant, type LogRecord, type Voter } from '@bailiwick/core'
import type { Ledger } from '../src/ledger.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'
import {
  agent,
  knows,
  ledgerSite,
  minute,
  policiesOf,
  refund,
  terms,
  voter,
  type LedgerSite,
} from './harness/ledger.ts'

// Ann and Bob are leads, Lea is of the legal department and a lead, Olga is asked after two minutes, Kim may not vote and stands in
// for Ann, Pam stands behind the call.
const people = {
  ann: ['lead'],
  bob: ['lead'],
  lea: ['lead', 'legal'],
  olga: ['ops'],
  kim: ['clerk'],
  pam: ['lead', 'legal'],
} as const
type Name = keyof typeof people
const names = Object.keys(people) as Name[]
const route =
  '{ approvers: [role:lead], quorum: 2, quorum_of: { role:lead: 1 }, remind: [1m], exclude: [role:intern], ' +
  'escalate_to: [{ after: 2m, approvers: [role:ops] }] }'

type Step =
  | {
      readonly kind: 'vote'
      readonly who: Name
      readonly vote: 'approve' | 'reject'
      readonly stead: boolean
    }
  | { readonly kind: 'use' | 'expire' | 'remind' | 'cancel' | 'other call' }
  | { readonly kind: 'roles'; readonly who: Name; readonly taken: boolean }

const through = fc.nat(2)
const yes = fc.constantFrom(
  'approve' as const,
  'approve' as const,
  'approve' as const,
  'approve' as const,
  'reject' as const,
)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('vote' as const),
      who: fc.constantFrom(...names),
      vote: yes,
      stead: fc.boolean(),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('use' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('expire' as const, 'remind' as const, 'other call' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancel' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('roles' as const),
      who: fc.constantFrom(...names),
      taken: fc.boolean(),
    }),
  },
)
const rounds = fc.array(
  fc.record({
    steps: fc.array(fc.record({ through, step }), { minLength: 1, maxLength: 6 }),
    passes: fc.constantFrom(0, 0, 0, minute, 2 * minute, 5 * minute - 1, 5 * minute),
    restart: fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: through }),
  }),
  { minLength: 1, maxLength: 6 },
)

describeOnOnePostgres('G3: whatever people, agents, clocks and processes do at once', (postgres) => {
  let site: LedgerSite
  let ledgers: Ledger[]
  const policies = policiesOf(terms(route))
  const open = () => site.open(policies, 'machine')
  beforeAll(async () => {
    site = await ledgerSite(postgres)
    ledgers = [await open(), await open(), await open()]
    for (const name of names) await knows(ledgers[0] as Ledger, voter(name, people[name]))
    await ledgers[0]?.delegations.give({
      from: 'ann@example.com',
      to: 'kim@example.com',
      starts: '2026-01-01T00:00:00Z',
      ends: '2026-12-31T00:00:00Z',
      reason: 'leave',
      by: 'operator',
    })
  })
  afterAll(() => site.remove())

  test('an approval has one end, is used once at most, with its quorum of entitled people, in time', async () => {
    const ends = new Set<string>()
    await fc.assert(
      fc.asyncProperty(rounds, async (all) => {
        const first = ledgers[0] as Ledger
        for (const name of names) await knows(first, voter(name, people[name]))
        const call = refund(600, { context: { principal: 'pam@example.com' } })
        const { approval, record } = await first.decide(agent, call)
        const id = approval?.id ?? ''
        const { digest } = await first.approval(id, {})
        const allowed: string[] = []
        for (const { steps, passes, restart } of all) {
          const racing = steps.map(({ through: nth, step: each }) =>
            take(each, { id, digest }, ledgers[nth] as Ledger),
          )
          for (const answer of await Promise.allSettled(racing)) {
            if (answer.status === 'fulfilled' && answer.value !== undefined) allowed.push(answer.value)
          }
          site.clock.advance(passes)
          if (restart !== null) {
            await ledgers[restart]?.close()
            ledgers[restart] = await open()
          }
        }
        const history = await since(site, record.index)
        const deadline = Date.parse(approval?.deadline ?? '')
        const model = replay(history, id, deadline, deadline - 5 * minute)
        expect(allowed).toEqual(model.usedBy === undefined ? [] : [model.usedBy])
        for (const ledger of ledgers) {
          const { status, consumedBy } = await ledger.approval(id, {})
          expect({ status, consumedBy }).toEqual({
            status: model.status(site.clock.now()),
            consumedBy: model.usedBy ?? null,
          })
          ends.add(status)
        }
      }),
      { numRuns: 50 },
    )
    expect(await ledgers[0]?.verify()).toMatchObject({ kind: 'intact' })
    // Every end was met, or the property says little.
    expect([...ends]).toEqual(expect.arrayContaining(['consumed', 'rejected', 'expired', 'cancelled']))
  }, 240_000)

  test('of two that use one approval at once, 200 times, one is allowed', async () => {
    const [one, two] = ledgers as [Ledger, Ledger, Ledger]
    for (const name of names) await knows(one, voter(name, people[name]))
    for (let round = 0; round < 200; round++) {
      const { approval } = await one.decide(agent, refund(600))
      const id = approval?.id ?? ''
      const { digest } = await one.approval(id, {})
      await one.vote(person('ann'), id, { vote: 'approve', digest })
      expect(await two.vote(person('bob'), id, { vote: 'approve', digest })).toBe('approved')
      const answers = await Promise.all(
        [one, two].map((ledger) => ledger.decide(agent, refund(600, { approvalId: id }))),
      )
      expect(answers.map(({ effect }) => effect).sort()).toEqual(['allow', 'deny'])
    }
    expect(await one.verify()).toMatchObject({ kind: 'intact' })
  }, 240_000)
})

/** The records after the one at `index`, which was alone in its batch. */
async function since(site: LedgerSite, index: number): Promise<LogRecord[]> {
  const batches = await site.query<{ records: string }>(
    `select records from log_batch where ledger = 'machine' and first > $1 order by first`,
    [index],
  )
  return batches.flatMap(({ records }) => records.split('\n').map(parseRecord))
}

function person(name: Name): Voter {
  return voter(name, [...people[name], 'administrator'])
}

/** The id of the decision that allowed the call, if this step got it allowed. */
async function take(
  step: Step,
  { id, digest }: { readonly id: string; readonly digest: string },
  ledger: Ledger,
): Promise<string | undefined> {
  switch (step.kind) {
    case 'vote': {
      const stead = step.stead ? { for: 'ann@example.com' } : {}
      await ledger.vote(person(step.who), id, { vote: step.vote, digest, ...stead })
      return undefined
    }
    case 'expire':
      await ledger.expireOverdue()
      return undefined
    case 'remind':
      await ledger.remindDue()
      return undefined
    case 'cancel':
      await ledger.cancel(id, { agent, reason: 'no more' })
      return undefined
    case 'roles': {
      const roles = step.taken ? [] : people[step.who]
      await ledger.changeAccess(
        { kind: 'access', event: 'roles_changed', subject: voter(step.who).id, grants: [...roles] },
        {
          peopleSet: [
            { id: voter(step.who).id, roles: [...roles], roles_from: 'local', provider_subject: null },
          ],
        },
      )
      return undefined
    }
    case 'other call': {
      const answer = await ledger.decide(agent, refund(601, { approvalId: id }))
      if (answer.effect === 'allow') throw new Error('another call was let through')
      return undefined
    }
    case 'use': {
      const answer = await ledger.decide(agent, refund(600, { approvalId: id }))
      return answer.effect === 'allow' ? answer.id : undefined
    }
  }
}

/** Goes through the records in their order, and fails at the first that should not be there. It shares no code with what wrote them. */
function replay(history: readonly LogRecord[], id: string, deadline: number, opened: number) {
  const roles = new Map<string, readonly string[]>(names.map((name) => [`${name}@example.com`, people[name]]))
  const usedUp = new Set<string>()
  const said: { readonly isLead: boolean }[] = []
  const state: { ended?: 'rejected' | 'expired' | 'cancelled' | 'consumed'; usedBy?: string } = {}
  const hasQuorum = () => said.length >= 2 && said.some(({ isLead }) => isLead)
  const holds = (at: number) => ({ ended: state.ended, late: at >= deadline })
  const fine = { ended: undefined, late: false }
  for (const record of history) {
    const at = Date.parse(record.at)
    if (record.kind === 'access') roles.set(record.subject, record.grants)
    if (record.kind === 'vote' && record.approval === id) {
      expect({ ...holds(at), full: hasQuorum() }).toEqual({ ...fine, full: false })
      const whose = record.for ?? record.person
      expect(usedUp.has(record.person) || usedUp.has(whose), 'somebody counts twice').toBe(false)
      expect([record.person, whose], 'who stands behind the call has voted').not.toContain('pam@example.com')
      if (record.for !== undefined)
        expect([record.person, whose]).toEqual(['kim@example.com', 'ann@example.com'])
      const has = roles.get(whose) ?? []
      const isLead = has.includes('lead')
      expect(isLead || (has.includes('ops') && at >= opened + 2 * minute), `${whose} was entitled`).toBe(true)
      usedUp.add(record.person).add(whose)
      if (record.vote === 'approve') said.push({ isLead })
      else state.ended = 'rejected'
    }
    if (record.kind === 'expiry' && record.approval === id) {
      expect({ ended: state.ended, early: at < deadline }).toEqual({ ended: undefined, early: false })
      state.ended = 'expired'
    }
    if (record.kind === 'cancellation' && record.approval === id) {
      expect(holds(at)).toEqual(fine)
      state.ended = 'cancelled'
    }
    if (record.kind === 'reminder' && record.approval === id) {
      expect({ ...holds(at), full: hasQuorum() }).toEqual({ ...fine, full: false })
    }
    if (record.kind === 'decision' && record.claims?.id === id && record.effect === 'allow') {
      expect({ ...holds(at), full: hasQuorum() }).toEqual({ ...fine, full: true })
      Object.assign(state, { ended: 'consumed', usedBy: record.id })
    }
  }
  const status = (now: Instant) =>
    state.ended ?? (now >= deadline ? 'expired' : hasQuorum() ? 'approved' : 'pending')
  return { usedBy: state.usedBy, status }
}
