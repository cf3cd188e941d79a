import { describe, expect, test } from 'vitest'
import { decide } from '../../src/decision/decide.ts'
import { decideCall } from '../../src/execution/decide-call.ts'
import { parseCall } from '../../src/execution/call.ts'
import type { Facts } from '../../src/model/call.ts'
import { call, facts, inSession, policyOf } from '../policy/written.ts'

const text = `
agent_id: a
allowed_actions: [refund, ship]
forbidden_actions: [drop]
mode: shadow
actions: { refund: { labels: [money], obligations: [{ redact: result.card }, { notify: finance }] } }
rules:
  - { id: no, on: ship, condition: "params.far == true", effect: deny, reason: "too far" }
  - { id: ask, on: refund, condition: "params.amount > 5", effect: escalate, action: lead }
rates: [{ id: calm, max: 2, window: 1m, effect: deny }]
`
const policy = policyOf(text)
const used = (calls: number): Facts => ({
  ...facts,
  supports: ['redact'],
  counters: new Map([['a calm' as never, calls]]),
})

describe('a policy in shadow mode', () => {
  test('allows what it would deny, and says what would have happened', () => {
    expect(decide(policy, call('ship', { far: true }), used(0))).toEqual({
      effect: 'allow',
      reasons: ['Shadow mode: would have been denied: too far'],
      rules: [{ id: 'allowed_actions[1]', effect: 'allow', because: 'matched', line: 3 }],
      consumesApproval: false,
      obligations: [],
      consumes: [{ counter: 'calm', key: 'a calm', amount: 1, windowMs: 60_000, releasable: false }],
      shadow: {
        effect: 'deny',
        code: 'denied_by_rule',
        reasons: ['too far'],
        rules: [expect.objectContaining({ id: 'no' })],
      },
    })
  })

  test('allows what it would ask people for, opens no approval, and keeps its obligations', () => {
    expect(decide(policy, inSession(call('refund', { amount: 6 })), used(0))).toMatchObject({
      effect: 'allow',
      obligations: [{ kind: 'redact' }, { kind: 'notify' }],
      leaves: { action: 'refund', labels: ['money'] },
      shadow: { effect: 'escalate', reasons: ['Escalation required: lead'] },
    })
  })

  test('allows what is forbidden, not allowed, over its rate, or obliges to what the caller cannot do', () => {
    expect(decide(policy, call('drop'), used(0))).toMatchObject({
      effect: 'allow',
      shadow: { code: 'forbidden' },
      rules: [],
    })
    expect(decide(policy, call('fly'), used(0))).toMatchObject({
      effect: 'allow',
      shadow: { code: 'not_allowed' },
    })
    expect(decide(policy, call('ship', { far: false }), used(2))).toMatchObject({
      effect: 'allow',
      shadow: { code: 'denied_by_rule' },
      consumes: [{ counter: 'calm' }],
    })
    expect(decide(policy, call('refund', { amount: 1 }), { ...used(0), supports: [] })).toMatchObject({
      effect: 'allow',
      obligations: [{ kind: 'notify' }],
      shadow: { code: 'obligation_unsupported' },
    })
  })

  test('says nothing more of what it would allow', () => {
    const decision = decide(policy, call('ship', { far: false }), used(0))
    expect(decision).toMatchObject({ effect: 'allow', reasons: ['Action approved'] })
    expect(decision).not.toHaveProperty('shadow')
  })

  test('does not soften refused approvals, malformed calls, or faults of its own', () => {
    const refused: Facts = { ...used(0), approval: { kind: 'refused', id: 'apr_1' as never, why: 'expired' } }
    expect(decide(policy, call('refund', { amount: 1 }), refused)).toMatchObject({
      effect: 'deny',
      code: 'approval_refused',
    })
    // Also where the policy, were it enforced, would have denied the call before it looked at the claim.
    expect(decide(policy, call('drop', {}), refused)).toMatchObject({
      effect: 'deny',
      code: 'approval_refused',
    })
    expect(decide(policy, call('ship', { far: true }), refused)).toMatchObject({ code: 'approval_refused' })
    const malformed = parseCall('a', { action: 'ship', params: { far: Number.NaN } })
    expect(decideCall(policy, malformed, facts)).toMatchObject({ effect: 'deny', code: 'malformed_call' })
    const parsed = parseCall('a', { action: 'ship', params: {} })
    expect(decideCall(undefined, parsed, facts)).toMatchObject({ effect: 'deny', code: 'no_policy' })
    const evaluate = (): never => {
      throw new Error('out of order')
    }
    const rules = policy.rules.map((rule) => ({
      ...rule,
      condition: rule.condition && { ...rule.condition, uses: [], evaluate, outcome: evaluate },
    }))
    const broken = { ...policy, rules }
    expect(decideCall(broken, parsed, facts)).toMatchObject({ effect: 'deny', code: 'evaluation_failed' })
  })
})

describe('a rule in shadow mode', () => {
  const mixed = policyOf(`
agent_id: a
allowed_actions: [x]
rules:
  - { id: deny-shadow, condition: "params.a == 1", effect: deny, mode: shadow }
  - { id: ask-shadow, condition: "params.a == 1", effect: escalate, action: lead, mode: shadow }
  - { id: deny, condition: "params.b == 1", effect: deny }
  - { id: ask, condition: "params.c == 1", effect: escalate, action: boss }
`)
  const params = { a: 1, b: 0, c: 0 }

  test('is listed with its mark, and does not count', () => {
    expect(decide(mixed, call('x', params), facts)).toMatchObject({
      effect: 'allow',
      reasons: ['Action approved'],
      rules: [
        { id: 'allowed_actions[0]' },
        { id: 'deny-shadow', shadow: true, effect: 'deny' },
        { id: 'ask-shadow', shadow: true, effect: 'escalate' },
      ],
    })
  })

  test('leaves what others decide alone', () => {
    expect(decide(mixed, call('x', { ...params, b: 1 }), facts)).toMatchObject({
      effect: 'deny',
      reasons: ['Denied by rule deny'],
      rules: [{ id: 'deny-shadow' }, { id: 'deny' }],
    })
    expect(decide(mixed, call('x', { ...params, c: 1 }), facts)).toMatchObject({
      effect: 'escalate',
      reasons: ['Escalation required: boss'],
      approval: { routes: ['boss'] },
    })
  })

  test('is not listed where it does not match', () => {
    const decision = decide(mixed, call('x', { a: 0, b: 0, c: 0 }), facts)
    expect(decision.rules.map(({ id }) => id)).toEqual(['allowed_actions[0]'])
  })
})
