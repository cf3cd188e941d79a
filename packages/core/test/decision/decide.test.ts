import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { mayVote } from '../../src/approval/voter.ts'
import { decide } from '../../src/decision/decide.ts'
import { explain } from '../../src/decision/explain.ts'
import type { ApprovalFact, Facts } from '../../src/model/call.ts'
import { factsFromRecord, recordedFacts } from '../../src/decision/recorded-facts.ts'
import type { ApprovalId, GrantId, Instant, PersonId } from '../../src/model/ids.ts'
import type { JsonObject } from '../../src/model/json.ts'
import { call, facts, policyOf } from '../policy/written.ts'

const policy = policyOf(`
agent_id: a
allowed_actions: [refund, ship, "export_*"]
forbidden_actions: [delete, "export_secret*"]
facts:
  amount: { type: number, from: params.amount, for: refund }
  vip: { type: bool, from: context.customer.is_vip, default: false }
  region: { type: string, from: params.region, for: ["export_*"] }
escalation_rules:
  - { id: large, condition: "amount > 500", action: lead }
  - { id: vip, condition: "vip", action: manager, reason: "A VIP is concerned" }
rules:
  - { id: absurd, on: refund, condition: "amount > 10000", effect: deny, reason: "Nobody refunds so much" }
  - { id: europe, on: "export_*", condition: "region == 'EU'", effect: deny }
approvals:
  lead: { approvers: ["role:lead"], quorum: 2, deadline: 10m }
  manager: { approvers: ["role:manager"], deadline: 2m }
`)

const answer = (action: string, params: JsonObject = {}, context: JsonObject = {}, given: Facts = facts) =>
  decide(policy, call(action, params, context), given)
const vip = { customer: { is_vip: true } }

describe('the order of the stages', () => {
  test('forbidden comes first, and the rule is named', () => {
    expect(answer('delete')).toEqual({
      effect: 'deny',
      code: 'forbidden',
      reasons: ['Action is forbidden by policy'],
      rules: [{ id: 'forbidden_actions[0]', effect: 'deny', because: 'matched', line: 4 }],
    })
  })

  test('a forbidden pattern beats an allowed one, and its neighbour is allowed', () => {
    expect(answer('export_secrets', { region: 'US' })).toMatchObject({ effect: 'deny', code: 'forbidden' })
    expect(answer('export_table', { region: 'US' })).toMatchObject({ effect: 'allow' })
  })

  test('a forbidden pattern beats an exact allow', () => {
    const strict = policyOf('agent_id: a\nallowed_actions: [pay_now, ask]\nforbidden_actions: ["pay_*"]\n')
    expect(decide(strict, call('pay_now'), facts)).toMatchObject({ code: 'forbidden' })
    expect(decide(strict, call('ask'), facts)).toMatchObject({ effect: 'allow' })
  })

  test('what is not mentioned is denied, and names are compared exactly', () => {
    for (const action of ['email', 'Refund', 'refund2', 'xship', '']) {
      expect(answer(action)).toEqual({
        effect: 'deny',
        code: 'not_allowed',
        reasons: ['Action not in allowed list'],
        rules: [],
      })
    }
  })

  test('a deny rule beats every escalation', () => {
    expect(answer('refund', { amount: 10_001 }, vip)).toMatchObject({
      effect: 'deny',
      code: 'denied_by_rule',
      reasons: ['Nobody refunds so much'],
      rules: [{ id: 'absurd', because: 'matched', condition: 'amount > 10000' }],
    })
    expect(answer('refund', { amount: 10_000 }, vip)).toMatchObject({ effect: 'escalate' })
  })

  test('an escalation names every rule that matched, and asks for the strictest terms of all routes', () => {
    expect(answer('refund', { amount: 501 }, vip)).toMatchObject({
      effect: 'escalate',
      reasons: ['Escalation required: lead', 'Escalation required: manager', 'A VIP is concerned'],
      rules: [
        { id: 'large', route: 'lead' },
        { id: 'vip', route: 'manager' },
      ],
      approval: {
        routes: ['lead', 'manager'],
        approvers: [['role:lead'], ['role:manager']],
        quorum: 2,
        deadlineMs: 120_000,
      },
    })
  })

  test('what nothing objects to is allowed, and needs no approval', () => {
    expect(answer('refund', { amount: 500 })).toEqual({
      effect: 'allow',
      reasons: ['Action approved'],
      rules: [{ id: 'allowed_actions[0]', effect: 'allow', because: 'matched', line: 3 }],
      consumesApproval: false,
      obligations: [],
      consumes: [],
    })
  })
})

describe('what cannot be evaluated counts as matched', () => {
  test.each([
    ['absent', {}],
    ['null', { amount: null }],
    ['a text', { amount: '100' }],
    ['a truth value', { amount: true }],
    ['a list', { amount: [100] }],
    ['an object', { amount: { valueOf: 100 } }],
  ])('an amount that is %s denies by the deny rule', (_, params) => {
    const decision = answer('refund', params)
    expect(decision).toMatchObject({
      effect: 'deny',
      code: 'denied_by_rule',
      rules: [{ id: 'absurd', because: 'condition_error', condition: 'amount > 10000' }],
    })
    expect(decision.reasons[1]).toMatch(/^condition_error in absurd: /)
  })

  test('what is missing is named', () => {
    expect(answer('refund').reasons.join()).toContain('params.amount is absent')
  })

  test('an escalating rule escalates', () => {
    expect(answer('ship', {}, { customer: { is_vip: 'no' } })).toMatchObject({
      effect: 'escalate',
      rules: [{ id: 'vip', because: 'condition_error' }],
    })
    expect(answer('ship', {}, { customer: { is_vip: false } })).toMatchObject({ effect: 'allow' })
  })

  test('a default stands for what is absent, and for nothing that is there', () => {
    expect(answer('ship')).toMatchObject({ effect: 'allow' })
    expect(answer('ship', {}, { customer: {} })).toMatchObject({ effect: 'allow' })
    expect(answer('ship', {}, { customer: { is_vip: null } })).toMatchObject({ effect: 'escalate' })
  })

  test('one name that exists for the action is enough to ask for the others', () => {
    const mixed = policyOf(`
agent_id: a
allowed_actions: [refund, ship]
facts:
  amount: { type: number, from: params.amount, for: refund }
  vip: { type: bool, from: context.vip }
escalation_rules: [{ condition: "amount > 500 || vip", action: ask }]
`)
    expect(decide(mixed, call('ship', {}, { vip: true }), facts)).toMatchObject({ effect: 'escalate' })
    expect(decide(mixed, call('ship', { amount: 1 }, { vip: false }), facts)).toMatchObject({
      effect: 'escalate',
      rules: [{ because: 'condition_error' }],
    })
    expect(decide(mixed, call('refund', { amount: 1 }, { vip: false }), facts)).toMatchObject({
      effect: 'allow',
    })
  })
})

describe('a fact exists only for its actions', () => {
  test('a rule about it says nothing of other actions, also where a parameter has its name', () => {
    expect(answer('ship', { amount: 20_000 })).toMatchObject({ effect: 'allow' })
    expect(answer('refund', { amount: 20_000 })).toMatchObject({ effect: 'deny' })
  })

  test('a pattern in its `for` covers what it matches', () => {
    expect(answer('export_table', { region: 'EU' })).toMatchObject({ effect: 'deny' })
    expect(answer('export_table', { region: 'US' })).toMatchObject({ effect: 'allow' })
    expect(answer('export_table')).toMatchObject({ effect: 'deny', rules: [{ because: 'condition_error' }] })
  })
})

describe('parameters are no objects of JavaScript', () => {
  const inherited = policyOf(`
agent_id: a
allowed_actions: [x]
facts:
  constructor: { type: string, from: params.constructor.name }
escalation_rules: [{ condition: "constructor == 'Object'", action: ask }]
`)
  test('what they inherit is not there', () => {
    expect(decide(inherited, call('x'), facts)).toMatchObject({
      effect: 'escalate',
      rules: [{ because: 'condition_error' }],
    })
    expect(decide(inherited, call('x', { constructor: { name: 'X' } }), facts)).toMatchObject({
      effect: 'allow',
    })
  })

  test('a member named __proto__ gives nothing to its object', () => {
    const params = JSON.parse('{"__proto__": {"amount": 1}}') as JsonObject
    expect(answer('refund', params)).toMatchObject({
      effect: 'deny',
      rules: [{ because: 'condition_error' }],
    })
  })
})

describe('an approval is a fact and no bypass', () => {
  const id = 'apr_1' as ApprovalId
  const granted = (...routes: string[]): Facts => ({ ...facts, approval: { kind: 'granted', id, routes } })
  const refused = (why: (ApprovalFact & { kind: 'refused' })['why']): Facts => ({
    ...facts,
    approval: { kind: 'refused', id, why },
  })

  test('one that covers every route that matched lets the call through, and is used up', () => {
    expect(answer('refund', { amount: 600 }, {}, granted('lead'))).toMatchObject({
      effect: 'allow',
      reasons: ['Action approved'],
      rules: [{ id: 'allowed_actions[0]' }, { id: 'large', route: 'lead' }],
      consumesApproval: true,
    })
  })

  test('one that covers only some of them does not, and the rest is asked for', () => {
    expect(answer('refund', { amount: 600 }, vip, granted('lead'))).toMatchObject({
      effect: 'escalate',
      reasons: ['Escalation required: manager', 'A VIP is concerned'],
      approval: { routes: ['lead', 'manager'] },
    })
    expect(answer('refund', { amount: 600 }, vip, granted('lead', 'manager'))).toMatchObject({
      effect: 'allow',
    })
  })

  test('one of another route does not', () => {
    expect(answer('refund', { amount: 600 }, {}, granted('manager'))).toMatchObject({ effect: 'escalate' })
    expect(answer('refund', { amount: 600 }, {}, granted())).toMatchObject({ effect: 'escalate' })
  })

  test('none opens what is forbidden, not allowed or denied by a rule', () => {
    const all = granted('lead', 'manager')
    expect(answer('delete', {}, {}, all)).toMatchObject({ code: 'forbidden' })
    expect(answer('email', {}, {}, all)).toMatchObject({ code: 'not_allowed' })
    expect(answer('refund', { amount: 10_001 }, {}, all)).toMatchObject({ code: 'denied_by_rule' })
  })

  test.each([
    'unknown',
    'other_call',
    'gone',
    'other_policy',
    'pending',
    'rejected',
    'expired',
    'consumed',
  ] as const)('a claim that is refused as %s denies, also where nothing would have been asked', (why) => {
    for (const amount of [1, 600]) {
      const decision = answer('refund', { amount }, {}, refused(why))
      expect(decision).toMatchObject({ effect: 'deny', code: 'approval_refused', rules: [] })
      expect(decision.reasons[0]).toMatch(/^Approval apr_1 /)
    }
  })
})

test('a call that no approval could help is not told about its claim', () => {
  const refusedClaim: Facts = {
    ...facts,
    approval: { kind: 'refused', id: 'apr_1' as ApprovalId, why: 'expired' },
  }
  expect(answer('delete', {}, {}, refusedClaim)).toMatchObject({ code: 'forbidden' })
})

test('a rule sees the instant that it is given, and no clock', () => {
  const nightly = policyOf(`
agent_id: a
allowed_actions: [x]
rules: [{ effect: deny, condition: 'now >= timestamp("2026-01-01T00:00:00Z")' }]
`)
  const at = (ms: number): Facts => ({ now: (facts.now + ms) as Instant })
  expect(decide(nightly, call('x'), at(-1))).toMatchObject({ effect: 'allow' })
  expect(decide(nightly, call('x'), at(0))).toMatchObject({ effect: 'deny' })
})

test('a rule without a condition always matches, and one without `on` speaks of every action', () => {
  const closed = policyOf('agent_id: a\nallowed_actions: ["*"]\nrules: [{ effect: escalate, action: ask }]\n')
  expect(decide(closed, call('anything'), facts)).toMatchObject({
    effect: 'escalate',
    approval: { routes: ['ask'], approvers: [], quorum: 1, deadlineMs: 300_000 },
  })
})

test('a route that names nobody still asks somebody beside one that names people', () => {
  const both = policyOf(`
agent_id: a
allowed_actions: [x]
rules: [{ effect: escalate, action: finance }, { effect: escalate, action: anyone }]
approvals: { finance: { approvers: ["role:refunds-lead"] } }
`)
  const decision = decide(both, call('x'), facts)
  const approvers = decision.effect === 'escalate' ? decision.approval.approvers : []
  expect(approvers).toEqual([['role:refunds-lead'], ['role:approver', 'role:administrator']])
  const terms = { routes: [], approvers, quorum: 1, deadlineMs: 1, asks: 'consent' } as const
  const person = (...roles: string[]) => mayVote(terms, { id: 'p@q.r' as PersonId, roles })
  expect(person('refunds-lead')).toBe(false)
  expect(person('refunds-lead', 'approver')).toBe(true)
})

describe('for any call', () => {
  const actions = fc.constantFrom(
    'refund',
    'ship',
    'delete',
    'export_x',
    'export_secret',
    'email',
    '__proto__',
    'toString',
  )
  const objects = fc.dictionary(
    fc.constantFrom('amount', 'region', 'customer', 'x', '__proto__'),
    fc.jsonValue(),
  ) as fc.Arbitrary<JsonObject>

  test('equal inputs give equal decisions, and the inputs stay as they were', () => {
    fc.assert(
      fc.property(actions, objects, objects, (action, params, context) => {
        const before = JSON.stringify([params, context])
        const first = answer(action, params, context)
        expect(
          decide(policy, call(action, structuredClone(params), structuredClone(context)), facts),
        ).toEqual(first)
        expect(answer(action, params, context)).toEqual(first)
        expect(JSON.stringify([params, context])).toBe(before)
      }),
    )
  })

  test('a refund is allowed only with an amount that is a number up to 500', () => {
    const amounts = fc.oneof(
      fc.jsonValue(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.integer({ min: 0, max: 1000 }),
    )
    fc.assert(
      fc.property(amounts, (amount) => {
        const allowed = answer('refund', { amount } as JsonObject).effect === 'allow'
        expect(allowed).toBe(typeof amount === 'number' && amount <= 500)
      }),
    )
  })

  test('every decision has a reason, and each rule that determined it is one of the policy', () => {
    const ids = new Set([...policy.allowed, ...policy.forbidden, ...policy.rules].map(({ id }) => String(id)))
    fc.assert(
      fc.property(actions, objects, objects, (action, params, context) => {
        const { reasons, rules } = answer(action, params, context)
        expect(reasons.length).toBeGreaterThan(0)
        expect(rules.every(({ id, line }) => ids.has(id) && line > 1)).toBe(true)
      }),
    )
  })
})

describe('a standing grant', () => {
  const standing = {
    grant: 'grt_7' as GrantId,
    routes: ['lead'],
    use: 3,
    uses: 12,
    by: ['ann@example.com' as PersonId],
  }
  const given = { ...facts, standing }

  test('allows what would wait for its routes, and says which and how often it was used', () => {
    expect(answer('refund', { amount: 600 }, {}, given)).toMatchObject({
      effect: 'allow',
      reasons: ['Action approved', 'Allowed by the standing grant grt_7, use 3 of 12'],
      standing: { grant: 'grt_7', use: 3, uses: 12 },
      consumesApproval: false,
      rules: [{ id: 'allowed_actions[0]' }, { id: 'large', because: 'matched' }],
    })
  })

  test('is no answer for another route, and for nothing that could not be evaluated', () => {
    expect(answer('refund', { amount: 600 }, vip, given).effect).toBe('escalate')
    const unsure = policyOf(
      'agent_id: a\nallowed_actions: [refund]\nescalation_rules:\n  - { condition: "params.amount > 500", action: lead }\n',
    )
    expect(decide(unsure, call('refund', { amount: 600 }), given).effect).toBe('allow')
    expect(decide(unsure, call('refund', {}), given).effect).toBe('escalate')
  })

  test('is nothing against what denies, and nothing to what is allowed anyway', () => {
    expect(answer('refund', { amount: 10_001 }, {}, given).effect).toBe('deny')
    const suspended = { ...given, suspension: { reason: 'odd' } }
    expect(answer('refund', { amount: 600 }, {}, suspended).effect).toBe('deny')
    expect(answer('refund', { amount: 100 }, {}, given)).toEqual(answer('refund', { amount: 100 }))
  })

  test('is remembered for no other call', () => {
    expect(answer('refund', { amount: 601 }, {}, given).effect).toBe('allow')
    expect(answer('refund', { amount: 601 }).effect).toBe('escalate')
    expect(answer('refund', { amount: 601 }, {}, given).effect).toBe('allow')
  })

  test('is explained with the people whose votes it rests on', () => {
    const refunded = call('refund', { amount: 600 })
    expect(explain(policy, refunded, given).standing).toEqual({
      grant: 'grt_7',
      use: 3,
      uses: 12,
      by: ['ann@example.com'],
    })
    expect(explain(policy, call('refund', { amount: 100 }), given).standing).toBeUndefined()
  })

  test('is recorded with the other facts, so that the decision can be made again', () => {
    expect(factsFromRecord(recordedFacts(given), facts.now).standing).toEqual(standing)
  })
})
