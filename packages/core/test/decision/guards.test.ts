import { describe, expect, test } from 'vitest'
import { decide } from '../../src/decision/decide.ts'
import type { Facts } from '../../src/model/call.ts'
import type { JsonObject } from '../../src/model/json.ts'
import { at, call, facts, inSession, policyOf } from '../policy/written.ts'

const effectOf = (policy: ReturnType<typeof policyOf>, params: JsonObject, given: Facts = facts) =>
  decide(policy, call('refund', params), given).effect

describe('unless', () => {
  const policy = policyOf(`
agent_id: a
allowed_actions: [refund]
facts: { amount: { type: number, from: params.amount }, vip: { type: bool, from: params.vip } }
rules: [{ id: r, condition: "amount > 5", unless: vip, effect: deny }]
`)

  test('excuses what the condition says', () => {
    expect(effectOf(policy, { amount: 6, vip: true })).toBe('allow')
    expect(effectOf(policy, { amount: 6, vip: false })).toBe('deny')
    expect(effectOf(policy, { amount: 5, vip: false })).toBe('allow')
  })

  test('that cannot be evaluated excuses nothing', () => {
    expect(decide(policy, call('refund', { amount: 6 }), facts)).toMatchObject({
      effect: 'deny',
      rules: [{ because: 'condition_error', condition: '(amount > 5) && !(vip)' }],
    })
    expect(effectOf(policy, { amount: 6, vip: 'yes' })).toBe('deny')
  })

  test('that is true, or a condition that is false, ends it whatever the other would say', () => {
    expect(effectOf(policy, { vip: true })).toBe('allow')
    expect(effectOf(policy, { amount: 5 })).toBe('allow')
    expect(effectOf(policy, {})).toBe('deny')
  })

  test('may stand alone', () => {
    const alone = policyOf(
      'agent_id: a\nallowed_actions: [refund]\nrules: [{ unless: "params.ok == true", effect: deny }]\n',
    )
    expect(effectOf(alone, { ok: true })).toBe('allow')
    expect(effectOf(alone, { ok: false })).toBe('deny')
    expect(effectOf(alone, {})).toBe('deny')
  })
})

describe('where and when a rule holds', () => {
  const policy = policyOf(`
agent_id: a
allowed_actions: [refund]
windows: { office: { zone: UTC, from: "08:00", to: "18:00" } }
rules:
  - { id: in, window: office, condition: "params.kind == 'in'", effect: deny }
  - { id: out, outside: office, condition: "params.kind == 'out'", effect: deny }
  - { id: prod, environments: [prod], condition: "params.kind == 'prod'", effect: deny }
`)
  const noon = at('2026-01-05T12:00:00Z')
  const night = at('2026-01-05T02:00:00Z')

  test('inside a window only', () => {
    expect(effectOf(policy, { kind: 'in' }, { ...noon, env: 'x' })).toBe('deny')
    expect(effectOf(policy, { kind: 'in' }, { ...night, env: 'x' })).toBe('allow')
  })

  test('outside a window only', () => {
    expect(effectOf(policy, { kind: 'out' }, { ...night, env: 'x' })).toBe('deny')
    expect(effectOf(policy, { kind: 'out' }, { ...noon, env: 'x' })).toBe('allow')
  })

  test('in some environments only, and where nobody knows the environment', () => {
    expect(effectOf(policy, { kind: 'prod' }, { ...noon, env: 'prod' })).toBe('deny')
    expect(effectOf(policy, { kind: 'prod' }, { ...noon, env: 'x' })).toBe('allow')
    expect(decide(policy, call('refund', { kind: 'prod' }), noon)).toMatchObject({
      rules: [{ id: 'prod', because: 'condition_error', detail: 'the environment is not known' }],
    })
    expect(effectOf(policy, { kind: 'other' }, noon)).toBe('allow')
  })
})

describe('conditions know', () => {
  const denying = (condition: string) =>
    policyOf(
      `agent_id: a\nallowed_actions: [refund]\nrules: [{ condition: ${JSON.stringify(condition)}, effect: deny }]\n`,
    )

  test('the environment, and its absence is an error', () => {
    const policy = denying("env != 'prod'")
    expect(effectOf(policy, {}, { ...facts, env: 'prod' })).toBe('allow')
    expect(effectOf(policy, {}, { ...facts, env: 'lab' })).toBe('deny')
    expect(effectOf(policy, {})).toBe('deny')
  })

  test('the session, and its absence is an error', () => {
    const policy = denying("!('verify' in session.actions) || session.id == 's-2'")
    const verified = { ...facts, session: { labels: [], actions: ['verify'] } }
    expect(decide(policy, inSession(call('refund')), verified).effect).toBe('allow')
    expect(decide(policy, inSession(call('refund'), 's-2'), verified).effect).toBe('deny')
    expect(
      decide(policy, inSession(call('refund')), { ...facts, session: { labels: [], actions: [] } }).effect,
    ).toBe('deny')
    expect(decide(policy, call('refund'), facts)).toMatchObject({ rules: [{ because: 'condition_error' }] })
  })

  test('the approval, which is there even where none was claimed', () => {
    const policy = denying("params.amount > 5 && !(approval.granted && 'lead' in approval.routes)")
    const granted = { kind: 'granted', id: 'apr_1' as never } as const
    expect(effectOf(policy, { amount: 6 })).toBe('deny')
    expect(effectOf(policy, { amount: 6 }, { ...facts, approval: { ...granted, routes: ['lead'] } })).toBe(
      'allow',
    )
    expect(effectOf(policy, { amount: 6 }, { ...facts, approval: { ...granted, routes: ['other'] } })).toBe(
      'deny',
    )
    expect(effectOf(policy, { amount: 5 })).toBe('allow')
  })
})

describe('what is looked up', () => {
  const policy = policyOf(`
agent_id: a
allowed_actions: [refund, ship]
facts:
  tier: { type: string, from: { http: "https://crm.example.com/{params.id}", select: tier }, for: refund }
rules: [{ condition: "tier != 'gold'", effect: deny }]
`)
  const found = (value: unknown): Facts => ({
    ...facts,
    lookups: new Map([['tier', { kind: 'value', value: value as never }]]),
  })

  test('is a fact like others', () => {
    expect(effectOf(policy, {}, found('gold'))).toBe('allow')
    expect(effectOf(policy, {}, found('tin'))).toBe('deny')
    expect(effectOf(policy, {}, found(7))).toBe('deny')
    expect(decide(policy, call('ship'), facts).effect).toBe('allow')
  })

  test('and could not be found counts as matched, and its source is named', () => {
    const failed: Facts = {
      ...facts,
      lookups: new Map([['tier', { kind: 'failed', why: 'no answer in 1s' }]]),
    }
    expect(decide(policy, call('refund'), failed)).toMatchObject({
      rules: [
        {
          because: 'condition_error',
          detail: expect.stringContaining(
            'tier could not be looked up in crm.example.com: no answer in 1s',
          ) as string,
        },
      ],
    })
    expect(effectOf(policy, {})).toBe('deny')
  })
})
