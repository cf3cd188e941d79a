import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decide } from '../../src/decision/decide.ts'
import { needsOf } from '../../src/decision/needs.ts'
import type { Facts } from '../../src/model/call.ts'
import type { CounterKey, Instant } from '../../src/model/ids.ts'
import type { JsonObject } from '../../src/model/json.ts'
import { windowStart } from '../../src/policy/windows.ts'
import { call, facts, inSession, policyOf } from '../policy/written.ts'

const policy = policyOf(`
agent_id: a
allowed_actions: [refund, ship]
facts: { amount: { type: number, from: params.amount, for: refund } }
rules: [{ id: huge, on: refund, condition: "amount > 5000", effect: deny }]
budgets:
  - { id: daily, sum: amount, per: context.customer, window: 24h, max: 2000, action: lead }
rates:
  - { id: calm, on: "*", max: 3, window: 1m, effect: deny, reason: "Slow down" }
`)
const daily = 'a daily ["c-1"]' as CounterKey
const calm = 'a calm' as CounterKey
const used = (forDaily: number, forCalm: number): Facts => ({
  ...facts,
  counters: new Map([
    [daily, forDaily],
    [calm, forCalm],
  ]),
})
const refund = (amount: unknown, context: JsonObject = { customer: 'c-1' }) =>
  call('refund', { amount: amount as never }, context)

describe('a budget', () => {
  test('lets through what just fits, and uses it up', () => {
    expect(decide(policy, refund(500), used(1500, 0))).toMatchObject({
      effect: 'allow',
      consumes: [
        { counter: 'daily', key: daily, amount: 500, windowMs: 86_400_000, releasable: true },
        { counter: 'calm', key: calm, amount: 1, windowMs: 60_000, releasable: false },
      ],
    })
  })

  test('asks people for what does not fit, and names itself', () => {
    expect(decide(policy, refund(500.01), used(1500, 0))).toMatchObject({
      effect: 'escalate',
      reasons: ['Escalation required: lead'],
      rules: [
        {
          id: 'daily',
          because: 'matched',
          condition: 'sum of amount above 2000 in 1d per context.customer',
          route: 'lead',
        },
      ],
    })
  })

  test('is used up beyond its end by what people approved', () => {
    const approval = { kind: 'granted', id: 'apr_1' as never, routes: ['lead'] } as const
    expect(decide(policy, refund(501), { ...used(1500, 0), approval })).toMatchObject({
      effect: 'allow',
      consumesApproval: true,
      consumes: [{ key: daily, amount: 501 }, { key: calm }],
    })
  })

  test('does not concern an action for which its fact does not exist', () => {
    expect(decide(policy, call('ship'), used(9999, 0))).toMatchObject({
      effect: 'allow',
      consumes: [{ counter: 'calm' }],
    })
  })

  test.each([
    ['absent', {}, 'params.amount is absent'],
    ['a text', { amount: '5' }, 'params.amount is not a number'],
    ['negative', { amount: -5 }, 'params.amount is negative'],
    ['a list', { amount: [5] }, 'params.amount is not a number'],
  ])('counts as matched where the amount is %s', (_, params, detail) => {
    const strict = policyOf(`
agent_id: a
allowed_actions: [refund]
budgets: [{ id: daily, sum: params.amount, window: 24h, max: 2000, effect: deny }]
`)
    const given = { ...facts, counters: new Map([['a daily' as CounterKey, 0]]) }
    expect(decide(strict, call('refund', { amount: 5 }), given)).toMatchObject({ effect: 'allow' })
    expect(decide(strict, call('refund', params), given)).toMatchObject({
      effect: 'deny',
      reasons: ['Denied by budget daily', `condition_error in daily: ${detail}`],
      rules: [{ id: 'daily', because: 'condition_error', detail }],
    })
  })

  test('of a fact that is absent says whose word it would have been', () => {
    const decision = decide(policy, call('refund', {}, { customer: 'c-1' }), used(0, 0))
    expect(decision.reasons.join()).toContain("params.amount is absent (the model's word)")
  })

  test.each([
    ['absent', {}],
    ['null', { customer: null }],
    ['a map', { customer: { id: 'c-1' } }],
  ])('counts as matched where what it is kept apart by is %s', (_, context) => {
    expect(decide(policy, refund(5, context), used(0, 0))).toMatchObject({
      effect: 'escalate',
      rules: [{ id: 'daily', because: 'condition_error' }],
    })
  })

  test.each([
    ['nobody has read', undefined],
    ['is NaN', Number.NaN],
    ['is negative', -1],
  ])('counts as matched where its use %s', (_, value) => {
    const counters = new Map([[calm, 0]])
    if (value !== undefined) counters.set(daily, value)
    expect(decide(policy, refund(5), { ...facts, counters })).toMatchObject({
      effect: 'escalate',
      rules: [{ id: 'daily', because: 'condition_error', detail: 'what has been used of it is not known' }],
    })
    expect(decide(policy, refund(5), facts)).toMatchObject({
      effect: 'deny',
      rules: [{ id: 'calm', because: 'condition_error' }],
    })
  })
})

describe('a rate', () => {
  test('denies the call after the last, with its reason', () => {
    expect(decide(policy, call('ship'), used(0, 2))).toMatchObject({ effect: 'allow' })
    expect(decide(policy, call('ship'), used(0, 3))).toMatchObject({
      effect: 'deny',
      code: 'denied_by_rule',
      reasons: ['Slow down'],
      rules: [{ id: 'calm', condition: 'calls above 3 in 1m' }],
    })
  })
})

describe('the key of a counter', () => {
  const keyed = policyOf(`
agents: [a, b]
allowed_actions: [x]
budgets: [{ id: k, count: true, per: [agent, params.id, session.id], window: 1h, max: 9, effect: deny }]
`)
  const keyOf = (id: unknown) =>
    needsOf(keyed, inSession(call('x', { id: id as never })), {}).counters[0]?.key

  test('tells its values apart, and writes a number and its text alike', () => {
    expect(keyOf('7')).toBe('a k ["a","7","s-1"]')
    expect(keyOf(7)).toBe(keyOf('7'))
    expect(keyOf('7","s-2')).not.toBe(keyOf('7'))
    expect(keyOf(true)).not.toBe(keyOf(false))
  })

  test('has no line breaks, and is short however long its values are', () => {
    expect(keyOf('a\nb\u2028')).not.toContain('\n')
    expect(keyOf('x'.repeat(60_000))?.length).toBeLessThan(700)
    expect(keyOf(`${'x'.repeat(60_000)}y`)).not.toBe(keyOf('x'.repeat(60_000)))
  })
})

describe('what has to be read before deciding', () => {
  test('are the counters that the call would use, with their amounts', () => {
    expect(needsOf(policy, refund(7), {})).toMatchObject({
      session: false,
      lookups: [],
      counters: [
        { counter: 'daily', key: daily, amount: 7, window: { kind: 'sliding', ms: 86_400_000 } },
        { counter: 'calm', key: calm, amount: 1, window: { kind: 'sliding', ms: 60_000 } },
      ],
    })
  })

  test('is nothing of a counter whose amount cannot be told, nor of a call that is denied in any case', () => {
    expect(needsOf(policy, refund('7'), {}).counters.map(({ counter }) => counter)).toEqual(['calm'])
    expect(needsOf(policy, call('fly'), {})).toEqual({
      session: false,
      standing: false,
      lookups: [],
      counters: [],
    })
  })
})

/** A store as simple as can be: everything that was used, in a list. */
class Uses {
  readonly #rows: { key: string; amount: number; at: number }[] = []

  decide(given: ReturnType<typeof call>, now: Instant) {
    const counters = new Map(
      needsOf(policy, given, {}).counters.map(({ key, window }) => [
        key,
        this.used(key, windowStart(window, now)),
      ]),
    )
    const decision = decide(policy, given, { now, counters })
    if (decision.effect === 'allow') {
      for (const { key, amount } of decision.consumes) this.#rows.push({ key, amount, at: now })
    }
    return decision
  }

  used(key: string, since: number): number {
    return this.#rows
      .filter((row) => row.key === key && row.at >= since)
      .reduce((sum, { amount }) => sum + amount, 0)
  }
}

test('what is allowed never passes a maximum, in any window, and what is not allowed uses nothing up', () => {
  const amount = fc.oneof(
    fc.integer({ min: 0, max: 3000 }),
    fc.double({ min: 0, max: 3000, noNaN: true }),
    fc.constantFrom(-1, '5'),
  )
  const step = fc.record({
    amount,
    action: fc.constantFrom('refund', 'refund', 'ship'),
    customer: fc.constantFrom('c-1', 'c-2'),
    wait: fc.integer({ min: 0, max: 30_000 }),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const store = new Uses()
      let now = facts.now
      for (const { amount: asked, action, customer, wait } of steps) {
        now = (now + wait) as Instant
        const before = store.used(daily, 0) + store.used(calm, 0)
        const decision = store.decide(call(action, { amount: asked }, { customer }), now)
        if (decision.effect !== 'allow') expect(store.used(daily, 0) + store.used(calm, 0)).toBe(before)
        expect(store.used(daily, now - 86_400_000 + 1)).toBeLessThanOrEqual(2000)
        expect(store.used(calm, now - 60_000 + 1)).toBeLessThanOrEqual(3)
      }
    }),
    { numRuns: 300 },
  )
})

test('a call that uses nothing leaves no use behind', () => {
  expect(decide(policy, refund(0), used(2000, 0))).toMatchObject({
    effect: 'allow',
    consumes: [{ counter: 'calm' }],
  })
})
