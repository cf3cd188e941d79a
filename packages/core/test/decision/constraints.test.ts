import { describe, expect, test } from 'vitest'
import { decide } from '../../src/decision/decide.ts'
import type { Facts } from '../../src/model/call.ts'
import type { JsonObject } from '../../src/model/json.ts'
import { at, by, call, facts, policyOf } from '../policy/written.ts'

const policy = policyOf(`
agent_id: a
allowed_actions: [refund, "read_*", ship]
roles: { tier2: [a, "b-*"], boss: [c] }
windows: { office: { zone: UTC, from: "08:00", to: "18:00" } }
facts: { amount: { type: number, from: params.amount, for: refund } }
actions:
  refund: { roles: [tier2, boss], when: "amount < 100 && env == 'prod'", obligations: [{ require: context.reason }] }
  "read_*": { window: office, environments: [prod, staging] }
  read_secrets: { roles: [boss] }
`)
const prod: Facts = { ...at('2026-01-05T12:00:00Z'), env: 'prod' }
const reason = { reason: 'broken cup' }
const refund = (params: JsonObject = { amount: 5 }, context: JsonObject = reason) =>
  call('refund', params, context)

test('a call that satisfies everything is allowed', () => {
  expect(decide(policy, refund(), prod)).toMatchObject({ effect: 'allow' })
})

describe('roles', () => {
  test('an agent with one of them may, another may not', () => {
    expect(decide(policy, by('b-7', refund()), prod)).toMatchObject({ effect: 'allow' })
    expect(decide(policy, by('c', refund()), prod)).toMatchObject({ effect: 'allow' })
    expect(decide(policy, by('d', refund()), prod)).toEqual({
      effect: 'deny',
      code: 'role_missing',
      reasons: ['The agent needs one of the roles tier2, boss'],
      rules: [{ id: 'actions.refund.roles', effect: 'deny', because: 'matched', line: 8 }],
    })
  })

  test('conditions know the roles of the calling agent', () => {
    const own = policyOf(
      `agents: ["*"]\nallowed_actions: [x]\nroles: { boss: [c] }\nrules: [{ condition: "!('boss' in roles)", effect: deny }]\n`,
    )
    expect(decide(own, by('c', call('x')), facts)).toMatchObject({ effect: 'allow' })
    expect(decide(own, call('x'), facts)).toMatchObject({
      code: 'denied_by_rule',
      rules: [{ because: 'matched' }],
    })
  })
})

describe('environments', () => {
  test('only those that are named', () => {
    expect(decide(policy, call('read_x'), { ...prod, env: 'staging' })).toMatchObject({ effect: 'allow' })
    expect(decide(policy, call('read_x'), { ...prod, env: 'lab' })).toMatchObject({
      code: 'wrong_environment',
      reasons: ['read_* is allowed in prod, staging only'],
    })
  })

  test('a service that does not say where it runs is nowhere', () => {
    expect(decide(policy, call('read_x'), { ...prod, env: undefined })).toMatchObject({
      code: 'wrong_environment',
    })
  })

  test('a policy made for some environments denies everything elsewhere', () => {
    const made = policyOf('agent_id: a\nallowed_actions: [x]\nenvironments: [prod]\n')
    expect(decide(made, call('x'), prod)).toMatchObject({ effect: 'allow' })
    for (const env of ['staging', undefined]) {
      expect(decide(made, call('x'), { ...prod, env })).toMatchObject({
        code: 'wrong_environment',
        rules: [{ id: 'environments', line: 3 }],
      })
    }
  })
})

describe('windows', () => {
  test('inside, and one millisecond after', () => {
    expect(decide(policy, call('read_x'), { ...at('2026-01-05T17:59:59.999Z'), env: 'prod' })).toMatchObject({
      effect: 'allow',
    })
    expect(decide(policy, call('read_x'), { ...at('2026-01-05T18:00:00Z'), env: 'prod' })).toMatchObject({
      code: 'outside_window',
      reasons: ['read_* is allowed in the window office only'],
    })
  })
})

describe('when', () => {
  test('what is false denies', () => {
    expect(decide(policy, refund({ amount: 100 }), prod)).toMatchObject({
      code: 'when_false',
      rules: [{ id: 'actions.refund.when', because: 'matched', condition: "amount < 100 && env == 'prod'" }],
    })
    expect(decide(policy, refund(), { ...prod, env: 'lab' })).toMatchObject({ code: 'when_false' })
  })

  test('what cannot be evaluated denies, and says what is missing and whose word it would have been', () => {
    const decision = decide(policy, refund({}), prod)
    expect(decision).toMatchObject({ code: 'when_false', rules: [{ because: 'condition_error' }] })
    expect(decision.reasons[1]).toContain("params.amount is absent (the model's word)")
  })
})

describe('a schema of the parameters', () => {
  const problems = [
    { path: ['amount'], message: 'must be a number' },
    { path: ['items', 0, 'id'], message: 'is missing' },
  ]
  const strict = {
    ...policy,
    actions: policy.actions.map((entry) => ({
      ...entry,
      params: { accepts: (params: unknown) => params === good, problems: () => problems },
    })),
  }
  const good = call('refund', { amount: 5 }).params

  test('denies what does not fit, and tells all that is wrong', () => {
    expect(decide(strict, { ...refund(), params: good }, prod)).toMatchObject({ effect: 'allow' })
    expect(decide(strict, refund(), prod)).toEqual({
      effect: 'deny',
      code: 'params_invalid',
      reasons: ['params.amount must be a number', 'params.items[0].id is missing'],
      rules: [{ id: 'actions.refund.params', effect: 'deny', because: 'matched', line: 8 }],
    })
  })

  test('denies also where it cannot say why', () => {
    const mute = {
      ...strict,
      actions: strict.actions.map((entry) => ({
        ...entry,
        params: { accepts: () => false, problems: () => [] },
      })),
    }
    expect(decide(mute, refund(), prod)).toMatchObject({
      code: 'params_invalid',
      reasons: ['params do not fit'],
    })
  })
})

describe('what is required', () => {
  test.each([
    ['absent', {}],
    ['null', { reason: null }],
    ['empty', { reason: '' }],
    ['blank', { reason: '  ' }],
    ['an empty list', { reason: [] }],
    ['an empty map', { reason: {} }],
  ])('and %s denies', (_, context) => {
    expect(decide(policy, refund({ amount: 5 }, context), prod)).toMatchObject({
      code: 'requirement_missing',
      reasons: ['context.reason is required'],
    })
  })

  test.each([[0], [false], ['x'], [['x']]])('and %j is there', (value) => {
    expect(decide(policy, refund({ amount: 5 }, { reason: value }), prod)).toMatchObject({ effect: 'allow' })
  })
})

describe('several constraints', () => {
  test('are told all at once, and the code is that of the first kind', () => {
    expect(decide(policy, by('d', refund({ amount: 500 }, {})), prod)).toMatchObject({
      code: 'role_missing',
      rules: [
        { id: 'actions.refund.roles' },
        { id: 'actions.refund.when' },
        { id: 'actions.refund.obligations' },
      ],
    })
  })

  test('of all patterns that match apply', () => {
    expect(decide(policy, call('read_secrets'), prod)).toMatchObject({ code: 'role_missing' })
    expect(decide(policy, by('c', call('read_secrets')), prod)).toMatchObject({ effect: 'allow' })
    expect(decide(policy, by('c', call('read_secrets')), { ...prod, env: 'lab' })).toMatchObject({
      code: 'wrong_environment',
    })
  })

  test('of other actions do not', () => {
    expect(decide(policy, by('d', call('ship')), facts)).toMatchObject({ effect: 'allow' })
  })

  test('stand before deny rules, and after what is forbidden', () => {
    const ordered = policyOf(`
agent_id: a
allowed_actions: ["*"]
forbidden_actions: [drop]
actions: { "*": { environments: [prod] } }
rules: [{ id: never, effect: deny }]
`)
    expect(decide(ordered, call('drop'), facts)).toMatchObject({ code: 'forbidden' })
    expect(decide(ordered, call('x'), facts)).toMatchObject({ code: 'wrong_environment' })
    expect(decide(ordered, call('x'), prod)).toMatchObject({ code: 'denied_by_rule' })
  })
})

describe('a suspended agent', () => {
  test('is denied everything, also by a policy in shadow mode', () => {
    for (const mode of ['enforce', 'shadow']) {
      const any = policyOf(`agent_id: a\nallowed_actions: [x]\nforbidden_actions: [y]\nmode: ${mode}\n`)
      for (const action of ['x', 'y', 'z']) {
        const decision = decide(any, call(action), { ...facts, suspension: { reason: 'under review' } })
        expect(decision).toEqual({
          effect: 'deny',
          code: 'suspended',
          reasons: ['The agent is suspended: under review'],
          rules: [],
        })
      }
    }
  })
})
