import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decide } from '../../src/decision/decide.ts'
import type { Facts } from '../../src/model/call.ts'
import type { CounterKey } from '../../src/model/ids.ts'
import type { CompiledPolicy } from '../../src/model/policy.ts'
import { call, facts, inSession, policyOf } from '../policy/written.ts'

const text = (mode: string): string => `
agent_id: a
allowed_actions: [refund, ship, "read_*"]
forbidden_actions: [drop, "read_secret*"]
mode: ${mode}
facts: { amount: { type: number, from: params.amount, for: refund }, vip: { type: bool, from: params.vip, default: false } }
actions: { refund: { when: "amount < 900", obligations: [{ redact: result.card }] }, ship: { labels: [moved] } }
rules:
  - { id: d1, condition: "amount > 500", effect: deny, reason: large }
  - { id: d2, condition: "vip", on: refund, effect: deny, mode: shadow }
  - { id: e1, condition: "amount > 100", effect: escalate, action: lead }
  - { id: e2, condition: "vip", effect: escalate, action: boss, reason: "a VIP" }
  - { id: e3, on: refund, condition: "amount > 50", effect: escalate, action: lead, mode: shadow }
budgets: [{ id: b, on: [refund, ship], sum: params.amount, window: 1h, max: 300, action: boss }]
rates: [{ id: r, on: ship, window: 1m, max: 5, effect: deny }]
flows: [{ id: f, after: { label: moved }, on: refund, effect: deny }]
approvals: { lead: { quorum: 2 } }
`
const policies = [policyOf(text('enforce')), policyOf(text('shadow'))]

// A copy shares nothing that was worked out before.
function afresh(policy: CompiledPolicy): CompiledPolicy {
  return { ...policy, plans: { owner: undefined, byAction: new Map() } }
}

const given = fc.record({
  policy: fc.constantFrom(...policies),
  action: fc.constantFrom('refund', 'ship', 'read_x', 'read_secrets', 'drop', 'fly'),
  params: fc.record(
    {
      amount: fc.constantFrom<unknown>(1, 60, 150, 600, 1000, -1, '7', null),
      vip: fc.constantFrom<unknown>(true, false, 'x'),
    },
    { requiredKeys: [] },
  ),
  session: fc.constantFrom(undefined, [], ['moved']),
  used: fc.constantFrom(undefined, 0, 200, 300),
  supports: fc.constantFrom(undefined, ['redact']),
  claim: fc.constantFrom<Facts['approval']>(
    undefined,
    { kind: 'granted', id: 'apr_1' as never, routes: ['lead'] },
    { kind: 'granted', id: 'apr_1' as never, routes: ['lead', 'boss'] },
    { kind: 'refused', id: 'apr_1' as never, why: 'expired' },
  ),
})

test('a decision depends on nothing that was decided before', () => {
  fc.assert(
    fc.property(fc.array(given, { minLength: 1, maxLength: 10 }), (calls) => {
      for (const { policy, action, params, session, used, supports, claim } of calls) {
        const plain = call(action, params as never)
        const asked = session === undefined ? plain : inSession(plain)
        const known: Facts = {
          ...facts,
          supports,
          approval: claim,
          session: session && { labels: session, actions: [] },
          counters:
            used === undefined
              ? undefined
              : new Map([
                  ['a b' as CounterKey, used],
                  ['a r' as CounterKey, used / 50],
                ]),
        }
        const decision = decide(policy, asked, known)
        expect(decision).toEqual(decide(afresh(policy), asked, known))
        if (decision.effect === 'allow') continue
        expect(decision).not.toHaveProperty('consumes')
        expect(decision.reasons).not.toEqual([])
      }
    }),
    { numRuns: 500 },
  )
})

test('names from outside do not fill the memory', () => {
  const [policy] = policies
  if (policy === undefined) throw new Error('no policy')
  for (let at = 0; at < 3000; at++) decide(policy, call(`read_${at}`), facts)
  expect(policy.plans.byAction.size).toBeLessThanOrEqual(1100)
  expect(decide(policy, call('read_1'), facts)).toMatchObject({ effect: 'allow' })
})
