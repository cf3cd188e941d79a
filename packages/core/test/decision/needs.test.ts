import { describe, expect, test } from 'vitest'
import { decide } from '../../src/decision/decide.ts'
import { needsOf } from '../../src/decision/needs.ts'
import { factsFromRecord, recordedFacts } from '../../src/decision/recorded-facts.ts'
import type { Facts } from '../../src/model/call.ts'
import type { JsonObject } from '../../src/model/json.ts'
import { call, facts, inSession, policyOf } from '../policy/written.ts'

const policy = policyOf(`
agent_id: a
allowed_actions: [refund, ship, pay]
facts:
  tier: { type: string, from: { http: "https://crm.example.com/c/{params.id}/tier?by={context.who}", select: data.tier, cache: 1m }, for: refund }
  orders: { type: number, from: { sql: "select count(*) from orders where c = $1", args: [params.id], source: shop, timeout: 200ms } }
  unused: { type: number, from: { http: "https://crm.example.com/x" } }
rules: [{ on: [refund, ship], condition: "tier == 'tin' || orders > 5", effect: deny }]
budgets: [{ id: total, on: pay, sum: orders, window: 1d, max: 100, effect: deny }]
flows: [{ after: { action: pay }, on: ship, effect: deny }]
`)
const lookups = (action: string, params: JsonObject) =>
  needsOf(policy, call(action, params, { who: 'x y' })).lookups

describe('what has to be looked up', () => {
  test('are the facts that conditions use for the action, with their arguments filled in', () => {
    expect(lookups('refund', { id: 'C/1?' })).toEqual([
      {
        kind: 'http',
        fact: 'tier',
        url: 'https://crm.example.com/c/C%2F1%3F/tier?by=x%20y',
        select: ['data', 'tier'],
        timeoutMs: 1000,
        cacheMs: 60_000,
      },
      {
        kind: 'sql',
        fact: 'orders',
        source: 'shop',
        text: 'select count(*) from orders where c = $1',
        args: ['C/1?'],
        timeoutMs: 200,
        cacheMs: 0,
      },
    ])
    expect(lookups('ship', { id: 7 }).map(({ fact }) => fact)).toEqual(['orders'])
    expect(lookups('fly', { id: 7 })).toEqual([])
  })

  test.each([['..'], ['.'], [''], [null], [{ a: 1 }], [['x']], ['x'.repeat(501)]])(
    'is not asked with %j, which would ask for something else',
    (id) => {
      expect(lookups('refund', { id }).map(({ kind }) => kind)).not.toContain('http')
      expect(decide(policy, call('refund', { id }), { ...facts, lookups: new Map() })).toMatchObject({
        effect: 'deny',
      })
    },
  )

  test('may be what a budget adds up', () => {
    expect(needsOf(policy, call('pay', { id: 1 }))).toMatchObject({
      lookups: [{ fact: 'orders' }],
      counters: [],
    })
    const known = { lookups: new Map([['orders', { kind: 'value', value: 4 } as const]]) }
    expect(needsOf(policy, call('pay', { id: 1 }), known).counters).toMatchObject([
      { counter: 'total', amount: 4 },
    ])
  })
})

test('the session matters to actions with flows', () => {
  expect(needsOf(policy, call('ship')).session).toBe(true)
  expect(needsOf(policy, call('refund')).session).toBe(false)
})

test('a decision can be replayed from the facts that were recorded with it', () => {
  const given: Facts = {
    ...facts,
    env: 'prod',
    approval: { kind: 'granted', id: 'apr_1' as never, routes: ['lead'] },
    session: { labels: ['pii'], actions: ['refund'] },
    counters: new Map([['a total' as never, 97]]),
    lookups: new Map([
      ['orders', { kind: 'value', value: 4 }],
      ['tier', { kind: 'failed', why: 'no answer' }],
    ]),
    supports: ['redact'],
    suspension: { reason: 'x' },
  }
  const written = JSON.parse(JSON.stringify(recordedFacts(given))) as JsonObject
  expect(factsFromRecord(written, facts.now)).toEqual(given)
  const replayable = { ...given, suspension: undefined }
  const back = factsFromRecord(recordedFacts(replayable), facts.now)
  for (const action of ['refund', 'ship', 'pay']) {
    const asked = inSession(call(action, { id: 1 }))
    expect(decide(policy, asked, back)).toEqual(decide(policy, asked, replayable))
  }
})

test('where nothing but the time was known, there is nothing to record', () => {
  expect(recordedFacts({ ...facts, lookups: new Map(), counters: new Map(), supports: [] })).toEqual({})
})
