import fc from 'fast-check'
import { expect } from 'vitest'
import { parseRecord, type Instant, type LogRecord, type Voter } from '@bailiwick/core'
import type { Ledger } from '../../src/ledger.ts'
import { agent, minute, refund, voter, type LedgerSite } from './ledger.ts'

// Ann and Bob are leads, Lea is of the legal department and a lead, Olga is asked after two minutes, Kim may not vote and stands in
// for Ann, Pam stands behind the call.
/** Who there is, with their roles. */
export const people = {
  ann: ['lead'],
  bob: ['lead'],
  lea: ['lead', 'legal'],
  olga: ['ops'],
  kim: ['clerk'],
  pam: ['lead', 'legal'],
} as const
export type Name = keyof typeof people
export const names = Object.keys(people) as Name[]
/** How they are asked. */
export const route =
  '{ approvers: [role:lead], quorum: 2, quorum_of: { role:lead: 1 }, remind: [1m], exclude: [role:intern], ' +
  'escalate_to: [{ after: 2m, approvers: [role:ops] }] }'

export type Step =
  | {
      readonly kind: 'vote'
      readonly who: Name
      readonly vote: 'approve' | 'reject'
      readonly stead: boolean
    }
  | { readonly kind: 'use' | 'expire' | 'remind' | 'cancel' | 'other call' }
  | { readonly kind: 'roles'; readonly who: Name; readonly taken: boolean }
  | { readonly kind: 'suspension'; readonly state: 'suspended' | 'active' }

const yes = fc.constantFrom(
  'approve' as const,
  'approve' as const,
  'approve' as const,
  'approve' as const,
  'reject' as const,
)
/** What people, agents and workers do with an approval. */
export const step: fc.Arbitrary<Step> = fc.oneof(
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
/** The agent is suspended, or let go again. */
export const suspension: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('suspension' as const),
  state: fc.constantFrom('suspended' as const, 'active' as const, 'active' as const),
})

/** The records of a ledger after the one at `index`, which was alone in its batch. */
export async function since(site: LedgerSite, ledger: string, index: number): Promise<LogRecord[]> {
  const batches = await site.query<{ records: string }>(
    `select records from log_batch where ledger = $1 and first > $2 order by first`,
    [ledger, index],
  )
  return batches.flatMap(({ records }) => records.split('\n').map(parseRecord))
}

/** Somebody who has signed in with more roles than the ledger knows: that must not help. */
export function person(name: Name): Voter {
  return voter(name, [...people[name], 'administrator'])
}

/** Kim stands in for Ann, from yesterday on and for a month. */
export async function standIn(ledger: Ledger, now: number): Promise<void> {
  const day = 24 * 60 * minute
  const at = (ms: number) => new Date(now + ms).toISOString()
  const [from, to] = [voter('ann').id, voter('kim').id]
  const dates = { starts: at(-day), ends: at(30 * day) }
  await ledger.delegations.give({ from, to, reason: 'leave', by: 'operator', ...dates })
}

/** The id of the decision that allowed the call, if this step got it allowed. */
export async function take(
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
            {
              id: voter(step.who).id,
              roles: [...roles],
              roles_from: 'local',
              provider_subject: null,
              since: 0,
            },
          ],
        },
      )
      return undefined
    }
    case 'suspension':
      await ledger.changeSuspension({ agent, state: step.state, reason: 'to look', by: 'operator' })
      return undefined
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

/**
 * Goes through the records in their order, and fails at the first that should not be there. It shares no code with what
 * wrote them.
 *
 * @param policy the hash of the policy under which people were asked
 */
export function replay(
  history: readonly LogRecord[],
  id: string,
  deadline: number,
  opened: number,
  policy: string | undefined,
) {
  let isSuspended = false
  const roles = new Map<string, readonly string[]>(names.map((name) => [`${name}@example.com`, people[name]]))
  const usedUp = new Set<string>()
  const said: { readonly isLead: boolean }[] = []
  const state: { ended?: 'rejected' | 'expired' | 'cancelled' | 'consumed'; usedBy?: string } = {}
  const hasQuorum = () => said.length >= 2 && said.some(({ isLead }) => isLead)
  const holds = (at: number) => ({ ended: state.ended, late: at >= deadline })
  const fine = { ended: undefined, late: false }
  for (const record of history) {
    const at = Date.parse(record.at)
    if (record.kind === 'suspension') isSuspended = record.state === 'suspended'
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
      expect({ isSuspended, policy: record.policy?.sha256 }).toEqual({ isSuspended: false, policy })
      Object.assign(state, { ended: 'consumed', usedBy: record.id })
    }
  }
  const status = (now: Instant) =>
    state.ended ?? (now >= deadline ? 'expired' : hasQuorum() ? 'approved' : 'pending')
  return { usedBy: state.usedBy, status }
}
