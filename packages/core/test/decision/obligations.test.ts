import { describe, expect, test } from 'vitest'
import { decide } from '../../src/decision/decide.ts'
import { masked } from '../../src/policy/sensitive.ts'
import { call, facts, policyOf } from '../policy/written.ts'

const policy = policyOf(`
agent_id: a
allowed_actions: [lookup, pay]
actions:
  lookup: { obligations: [{ redact: result.card }, { notify: security }] }
  "look*": { obligations: [{ redact: result.card }, { redact: result.iban }] }
  pay: { obligations: [{ notify: finance }] }
rules: [{ on: lookup, condition: "params.ask == true", effect: escalate, action: lead }]
`)

describe('obligations', () => {
  test('of all entries are told with an allow, each once', () => {
    expect(decide(policy, call('lookup', { ask: false }), { ...facts, supports: ['redact'] })).toMatchObject({
      effect: 'allow',
      obligations: [
        { kind: 'redact', path: 'result.card' },
        { kind: 'notify', channel: 'security' },
        { kind: 'redact', path: 'result.iban' },
      ],
    })
  })

  test('that the caller does not carry out deny', () => {
    for (const supports of [undefined, [], ['notify'], ['Redact']]) {
      expect(decide(policy, call('lookup', { ask: false }), { ...facts, supports })).toMatchObject({
        effect: 'deny',
        code: 'obligation_unsupported',
        reasons: ['The caller does not carry out the obligation redact'],
        rules: [{ id: 'actions.lookup.obligations' }, { id: 'actions.look*.obligations' }],
      })
    }
  })

  test('that the caller does not carry out deny before anybody is asked in vain', () => {
    expect(decide(policy, call('lookup', { ask: true }), facts)).toMatchObject({
      code: 'obligation_unsupported',
    })
    expect(decide(policy, call('lookup', { ask: true }), { ...facts, supports: ['redact'] })).toMatchObject({
      effect: 'escalate',
    })
  })

  test('that the service carries out ask nothing of the caller', () => {
    expect(decide(policy, call('pay'), facts)).toMatchObject({
      effect: 'allow',
      obligations: [{ kind: 'notify', channel: 'finance' }],
    })
  })
})

describe('what is sensitive', () => {
  const secret = policyOf(`
agent_id: a
allowed_actions: [pay]
actions:
  pay: { sensitive: [params.iban, params.payees.iban] }
  "*": { sensitive: [context.customer.name] }
`)

  test('is masked, in lists at every item, also where a text stands in place of a map, and nothing else is', () => {
    const params = { iban: 'DE1', amount: 5, payees: [{ iban: 'DE2', name: 'x' }, { iban: 7 }, 'DE3'] }
    expect(masked(secret, 'pay', 'params', params)).toEqual({
      iban: '•••',
      amount: 5,
      payees: [{ iban: '•••', name: 'x' }, { iban: '•••' }, '•••'],
    })
    expect(masked(secret, 'pay', 'params', { payees: 'DE4', iban: null })).toEqual({
      payees: '•••',
      iban: '•••',
    })
    expect(masked(secret, 'pay', 'params', { payees: null })).toEqual({ payees: null })
    expect(params.iban).toBe('DE1')
    expect(masked(secret, 'other', 'params', params)).toBe(params)
  })

  test('in the context is masked, too', () => {
    expect(masked(secret, 'x', 'context', { customer: { name: 'Ann', id: 1 } })).toEqual({
      customer: { name: '•••', id: 1 },
    })
  })
})
