import { describe, expect, test } from 'vitest'
import { decide } from '../../src/index.ts'
import type {
  ActionName,
  AgentId,
  CompiledPolicy,
  Decision,
  Instant,
  Json,
  JsonObject,
} from '../../src/index.ts'
import { policyOf } from '../policy/written.ts'
import { examplePolicies, type WrittenCall } from './examples.ts'
import { Random } from './random.ts'
import { callsFor, placeOf, withValue } from './sampled-calls.ts'

/** Names of what a policy trusts, and of what JavaScript objects are made of. */
const names = [
  'action',
  'context',
  'agent',
  'now',
  'approval',
  'session',
  'env',
  'roles',
  'params',
  'facts',
  'customer',
  'is_vip',
  'vip',
  'limit',
  'constructor',
  'prototype',
  '__proto__',
  'hasOwnProperty',
  'toString',
  'valueOf',
  // With points, as a path would be written, and as a path into the other side.
  'context.customer.is_vip',
  'customer.is_vip',
  'context.vip',
  'params.amount',
  '',
  // Look like `context`, `agent` and `action`, and are other letters: Cyrillic, full width, invisible, combined.
  '\u0441ontext',
  '\uff43\uff4f\uff4e\uff54\uff45\uff58\uff54',
  'context\u200b',
  'context\u0000',
  '\u0430gent',
  'ac\u0301tion',
]

/** What somebody would put there who wants to be let through. */
const claims: readonly Json[] = [
  true,
  false,
  0,
  'admin',
  ['admin'],
  { customer: { is_vip: false, id: 'C-1' }, vip: false, session: { authenticated: true, labels: [] } },
  { granted: true, kind: 'granted', routes: ['human_approval_required'] },
]

describe('a policy that looks at everything it can trust', () => {
  const policy = policyOf(`
agent_id: a
allowed_actions: [pay, ask]
facts:
  vip: { type: bool, from: context.customer.is_vip }
  limit: { type: number, from: context.limit, default: 100 }
  amount: { type: number, from: params.amount }
rules:
  - { id: vip, condition: vip, effect: deny }
  - { id: limit, on: pay, condition: amount > limit, effect: deny }
  - { id: path, condition: 'context.vip == true', effect: deny }
  - { id: agent, condition: 'agent != "a"', effect: deny }
  - { id: action, condition: 'action == "delete"', effect: deny }
  - { id: now, condition: 'now >= timestamp("2026-06-01T00:00:00Z")', effect: deny }
escalation_rules:
  - { id: large, on: pay, condition: amount > 10, action: human_approval_required }
`)
  const trusted = { customer: { is_vip: false }, vip: false }
  const calls: readonly (readonly [string, JsonObject, JsonObject])[] = [
    ['is allowed', { amount: 5 }, trusted],
    ['waits for a person', { amount: 50 }, trusted],
    ['is over the limit', { amount: 500 }, trusted],
    ['is of a VIP', { amount: 5 }, { customer: { is_vip: true }, vip: true }],
    ['has no context', { amount: 5 }, {}],
    ['has no amount', {}, trusted],
  ]

  test.each(calls)(
    'decides a call that %s the same, whatever else its params claim',
    (_, params, context) => {
      const call = { action: 'pay', params, context, now: Date.UTC(2026, 0, 1) }
      expect(changed(policy, call, new Set(['amount']))).toEqual([])
    },
  )

  test('and would decide otherwise if the host said it', () => {
    const call = { action: 'pay', params: { amount: 5 }, context: trusted, now: Date.UTC(2026, 0, 1) }
    expect(answer(policy, call).effect).toBe('allow')
    for (const context of [{ ...trusted, customer: { is_vip: true } }, { ...trusted, limit: 1 }, {}]) {
      expect(answer(policy, { ...call, context }).effect).toBe('deny')
    }
  })

  test('reads own properties, so that what a `__proto__` key brings along is not there', () => {
    const hidden = JSON.parse('{"__proto__": {"customer": {"is_vip": false}, "vip": false}}') as JsonObject
    const call = { action: 'pay', params: { amount: 5 }, context: hidden, now: Date.UTC(2026, 0, 1) }
    expect(answer(policy, call)).toMatchObject({
      effect: 'deny',
      rules: [
        { id: 'vip', because: 'condition_error' },
        { id: 'path', because: 'condition_error' },
      ],
    })
    const smuggled = JSON.parse('{"__proto__": {"amount": 5}}') as JsonObject
    expect(answer(policy, { ...call, params: smuggled, context: trusted })).toMatchObject({
      effect: 'deny',
      rules: [{ id: 'limit', because: 'condition_error' }],
    })
  })

  test('finds nothing that every object, list or text inherits', () => {
    const inherited = policyOf(`
agent_id: a
allowed_actions: [pay]
facts:
  made_by: { type: string, from: params.constructor.name }
  length: { type: number, from: params.items.length }
rules:
  - { id: fact, condition: made_by == "nobody", effect: deny }
  - { id: path, condition: 'params.constructor.name == "nobody"', effect: deny }
  - { id: length, condition: length > 5, effect: deny }
  - { id: has, condition: has(params.toString), effect: deny }
`)
    for (const items of [[1, 2], 'text', {}]) {
      const call = { action: 'pay', params: { items }, context: {}, now: 0 }
      expect(answer(inherited, call).rules).toMatchObject([
        { id: 'fact', because: 'condition_error' },
        { id: 'path', because: 'condition_error' },
        { id: 'length', because: 'condition_error' },
      ])
    }
  })

  test('takes a name with points for a name, and not for a path', () => {
    const call = { action: 'pay', params: { amount: 5 }, now: Date.UTC(2026, 0, 1) }
    const context = { vip: false, 'customer.is_vip': false, 'context.customer.is_vip': false }
    expect(answer(policy, { ...call, context })).toMatchObject({
      effect: 'deny',
      rules: [{ id: 'vip', because: 'condition_error' }],
    })
  })
})

describe.each(examplePolicies())('$file', (example) => {
  // What the policy itself reads from the params is the model's to say, and of an undeclared name it reads that.
  const read = new Set(
    example.facts === undefined
      ? example.rules.flatMap(({ condition }) => condition.match(/\w+/g) ?? [])
      : [...example.text.matchAll(/\bparams\.(\w+)/g)].map(([, name = '']) => name),
  )

  test('is decided the same, whatever else the params claim', () => {
    const policy = policyOf(example.text)
    for (const rule of example.rules) {
      const random = new Random(3)
      for (const call of [...callsFor(example, rule, random)].slice(0, 10)) {
        expect(changed(policy, call, read, random)).toEqual([])
      }
    }
  })

  test('takes no fact of the host from the params', () => {
    const policy = policyOf(example.text)
    const hosted = Object.values(example.facts ?? {}).flatMap(({ from }) => placeOf(from) ?? [])
    for (const place of hosted.filter(({ root }) => root === 'context')) {
      for (const call of example.calls.slice(0, 10)) {
        const bare = withValue(call, place, undefined)
        const expected = answer(policy, bare)
        for (const claim of claims) {
          const inParams = { ...place, root: 'params' as const }
          const under = { ...inParams, path: ['context', ...place.path] }
          const dotted = { ...inParams, path: [['context', ...place.path].join('.')] }
          const same = read.has(place.path[0] ?? '') ? [] : [inParams]
          for (const target of [...same, under, dotted]) {
            expect(answer(policy, withValue(bare, target, claim))).toEqual(expected)
          }
        }
      }
    }
  })
})

/** The names under which some claim among the params changed the answer. */
function changed(
  policy: CompiledPolicy,
  call: WrittenCall,
  read: ReadonlySet<string>,
  random = new Random(4),
): string[] {
  const expected = JSON.stringify(answer(policy, call))
  const different = (params: JsonObject): boolean =>
    JSON.stringify(answer(policy, { ...call, params })) !== expected
  const hostile = names.filter((name) => !read.has(name))
  const one = hostile.filter((name) => different(joined(call.params, [[name, random.pick(claims)]])))
  const all = joined(
    call.params,
    hostile.map((name) => [name, random.pick(claims)]),
  )
  return [...one, ...(different(all) ? ['all of them'] : [])]
}

// As JSON.parse makes it: `__proto__` is a key like any other, and sets no prototype.
function joined(params: JsonObject, claimed: readonly (readonly [string, Json])[]): JsonObject {
  return Object.fromEntries([...claimed, ...Object.entries(params)])
}

function answer(policy: CompiledPolicy, { action, params, context, now }: WrittenCall): Decision {
  const call = { agent: policy.agentId as AgentId, action: action as ActionName, params, context }
  return decide(policy, call, { now: now as Instant })
}
