import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decideCall } from '../../src/execution/decide-call.ts'
import { parseCall } from '../../src/execution/call.ts'
import { needsOf } from '../../src/decision/needs.ts'
import { parsePolicy } from '../../src/policy/compile.ts'
import { facts } from './written.ts'

const whole = {
  agent_id: 'a',
  extends: ['org.yaml'],
  allowed_actions: ['refund', 'send_*'],
  forbidden_actions: ['drop'],
  mode: 'enforce',
  environments: ['prod'],
  roles: { tier2: ['a', 'eu-*'] },
  windows: { office: { zone: 'Europe/Berlin', days: ['mon', 'fri'], from: '08:00', to: '18:00' } },
  facts: {
    amount: { type: 'number', from: 'params.amount', for: ['refund'] },
    tier: {
      type: 'string',
      from: { http: 'https://h/{params.id}', select: 'a.b', timeout: '1s', cache: '1m' },
    },
    orders: { type: 'number', from: { sql: 'select $1', args: ['params.id'], source: 's' } },
  },
  actions: {
    refund: {
      roles: ['tier2'],
      when: 'amount > 0',
      window: 'office',
      environments: ['prod'],
      sensitive: ['params.iban'],
      labels: ['pii'],
      obligations: [{ redact: 'result.x' }, { require: 'context.y' }, { notify: 'z' }],
    },
  },
  rules: [
    {
      id: 'r',
      on: 'refund',
      condition: 'amount > 5',
      unless: "tier == 'x' && orders > 1",
      outside: 'office',
      effect: 'deny',
      link: 'https://h/x',
    },
  ],
  budgets: [
    { id: 'b', sum: 'amount', per: ['context.c', 'agent'], window: '1d', max: 5, action: 'lead' },
    { id: 'c', count: true, window: { calendar: 'month', zone: 'UTC' }, max: 5, effect: 'deny' },
  ],
  rates: [{ id: 'q', on: '*', window: '1m', max: 5, effect: 'deny', mode: 'shadow' }],
  flows: [{ after: { label: 'pii' }, on: 'send_*', unless: 'params.ok == true', effect: 'deny' }],
  approvals: { lead: { approvers: ['role:x'], quorum: 1, deadline: '5m' } },
}

/** Every place in a value, as paths. */
function placesIn(value: unknown): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [[]]
  return [
    [],
    ...Object.entries(value).flatMap(([name, member]) => placesIn(member).map((rest) => [name, ...rest])),
  ]
}

function changed(value: unknown, [name, ...rest]: readonly string[], to: unknown): unknown {
  if (name === undefined) return to
  const replaced = (member: unknown, at: string): unknown =>
    at === name ? changed(member, rest, to) : member
  if (Array.isArray(value)) return value.map((item: unknown, at) => replaced(item, String(at)))
  return Object.fromEntries(Object.entries(value ?? {}).map(([at, member]) => [at, replaced(member, at)]))
}

const value = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom<unknown>(
    'amount',
    'params.x',
    'lead',
    '*',
    '',
    '0s',
    '1h',
    'deny',
    'shadow',
    -1,
    1e300,
    [],
    {},
    { label: 'x' },
  ),
)

test('a policy with anything in any place is refused with places, or decides without failing', () => {
  const org = fc.constantFrom(
    undefined,
    '',
    'domain: x\n',
    'allowed_actions: ["*"]\n',
    'rules: [{ id: r, effect: deny }]\n',
    JSON.stringify(whole),
  )
  fc.assert(
    fc.property(fc.constantFrom(...placesIn(whole)), value, org, (path, to, parent) => {
      const parsed = parsePolicy(JSON.stringify(changed(whole, path, to)), { load: () => parent })
      if (parsed.kind === 'invalid') {
        expect(parsed.problems.some(({ severity }) => severity === 'error')).toBe(true)
        for (const { line, column, message, fix } of parsed.problems) {
          expect([line >= 1, column >= 1, message !== '', fix !== '']).toEqual([true, true, true, true])
        }
        return
      }
      for (const action of ['refund', 'send_mail', 'drop', 'x']) {
        const call = parseCall('a', {
          action,
          params: { amount: 3, id: 'i' },
          context: { c: 'c', y: 1 },
          session: 's',
        })
        const needs = needsOf(parsed.policy, call.call)
        const counters = new Map(needs.counters.map(({ key }) => [key, 0]))
        const session = { labels: [], actions: [] }
        const decision = decideCall(parsed.policy, call, {
          ...facts,
          env: 'prod',
          counters,
          session,
          supports: ['redact'],
        })
        expect(decision).not.toMatchObject({ code: 'evaluation_failed' })
      }
    }),
    { numRuns: 1_000 },
  )
})

test('the policy that is changed is valid as it stands', () => {
  expect(parsePolicy(JSON.stringify(whole), { load: () => 'domain: x\n' })).toMatchObject({
    kind: 'valid',
    warnings: [],
  })
})
