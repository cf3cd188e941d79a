import { afterEach, describe, expect, test } from 'vitest'
import {
  decideCall,
  needsOf,
  parseCall,
  parsePolicy,
  type CompiledPolicy,
  type Decision,
  type Instant,
} from '@bailiwick/core'
import { unansweredFacts } from '../../src/lookup/unanswered.ts'
import { lookupSettings } from '../../src/lookup/settings.ts'
import { allowing, lookupsFor, Servers } from './needs.ts'

const servers = new Servers()
afterEach(() => servers.stop())

function policyAsking(origin: string): CompiledPolicy {
  const parsed = parsePolicy(`
agent_id: support-1
allowed_actions: [issue_refund, close_ticket]
facts:
  tier: {type: string, from: {http: "${origin}/customers/{params.customer}", select: data.tier, timeout: 200ms}}
  open_orders: {type: number, from: {sql: "select 1 where $1 <> ''", args: [params.customer], source: orders}}
rules:
  - {id: no-free-refunds, on: issue_refund, condition: "tier == 'free'", effect: deny}
escalation_rules:
  - {id: many-orders, on: close_ticket, condition: open_orders > 10, action: human_approval_required}
`)
  if (parsed.kind !== 'valid') throw new Error(JSON.stringify(parsed))
  return parsed.policy
}

/** Decides as the store does: needs, lookups, decision. */
async function decided(
  origin: string,
  action: string,
  params: Record<string, string>,
  env: Readonly<Record<string, string>> = allowing(origin),
): Promise<Decision> {
  const policy = policyAsking(origin)
  const parsed = parseCall('support-1', { action, params })
  const lookups = await lookupsFor(env).gather(needsOf(policy, parsed.call).lookups)
  return decideCall(policy, parsed, { now: 0 as Instant, lookups })
}

const json = { 'content-type': 'application/json' }

describe('a fact that is looked up', () => {
  test('decides with the value that it has in the other system', async () => {
    const origin = await servers.start((request, response) => {
      const tier = request.url === '/customers/alice' ? 'gold' : 'free'
      response.writeHead(200, json).end(JSON.stringify({ data: { tier } }))
    })
    expect(await decided(origin, 'issue_refund', { customer: 'alice' })).toMatchObject({ effect: 'allow' })
    expect(await decided(origin, 'issue_refund', { customer: 'bob' })).toMatchObject({
      effect: 'deny',
      rules: [{ id: 'no-free-refunds', because: 'matched' }],
    })
  })

  test.each([
    ['answers with an error', 503, '{}'],
    ['does not know the customer', 404, '{}'],
    ['answers without the member', 200, '{"data": {}}'],
    ['answers with something else', 200, 'gold'],
    ['answers with another type', 200, '{"data": {"tier": 7}}'],
    ['answers with null', 200, '{"data": {"tier": null}}'],
  ])('denies as if the rule had matched, where the other system %s', async (_what, status, body) => {
    const origin = await servers.start((_request, response) => response.writeHead(status, json).end(body))
    expect(await decided(origin, 'issue_refund', { customer: 'alice' })).toMatchObject({
      effect: 'deny',
      code: 'denied_by_rule',
      rules: [{ id: 'no-free-refunds', because: 'condition_error' }],
    })
  })

  test('denies where the other system never answers, is not allowed, or the customer is missing', async () => {
    const origin = await servers.start(() => undefined)
    for (const decision of [
      await decided(origin, 'issue_refund', { customer: 'alice' }),
      await decided(origin, 'issue_refund', { customer: 'alice' }, {}),
      await decided(origin, 'issue_refund', { customer: '../admin' }),
      await decided(origin, 'issue_refund', {}),
    ]) {
      expect(decision).toMatchObject({ effect: 'deny', rules: [{ because: 'condition_error' }] })
    }
  })

  test('escalates as if the rule had matched, and says which source failed, and how', async () => {
    const origin = await servers.start(() => undefined)
    const env = { BAILIWICK_SOURCE_ORDERS: 'postgresql://user:s3cret@127.0.0.1:1/orders' }
    const decision = await decided(origin, 'close_ticket', { customer: 'al1ce' }, env)
    expect(decision).toMatchObject({
      effect: 'escalate',
      rules: [{ id: 'many-orders', because: 'condition_error' }],
    })
    expect(decision.rules[0]?.detail).toContain('orders could not be reached')
    expect(JSON.stringify(decision)).not.toMatch(/s3cret|al1ce/)
  })

  test('is not asked for by a call that does not need it', async () => {
    let calls = 0
    const origin = await servers.start((_request, response) => {
      calls += 1
      response.writeHead(200, json).end('{}')
    })
    await decided(origin, 'delete_account', { customer: 'alice' })
    await decided(origin, 'close_ticket', { customer: 'alice' })
    expect(calls).toBe(0)
  })
})

test('facts that nothing here can answer are told when the service starts', () => {
  const policies = [policyAsking('https://crm.example.com')]
  expect(unansweredFacts(policies, lookupSettings({}))).toEqual([
    'lookups: `support-1`: the fact `tier` in line 5 cannot be looked up; add https://crm.example.com to BAILIWICK_LOOKUP_HOSTS',
    'lookups: `support-1`: the fact `open_orders` in line 6 cannot be looked up; set BAILIWICK_SOURCE_ORDERS',
  ])
  const env = {
    BAILIWICK_LOOKUP_HOSTS: 'https://crm.example.com',
    BAILIWICK_SOURCE_ORDERS: 'postgresql://reader@db/orders',
  }
  expect(unansweredFacts(policies, lookupSettings(env))).toEqual([])
})
