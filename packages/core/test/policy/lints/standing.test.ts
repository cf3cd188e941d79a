import { describe, expect, test } from 'vitest'
import { codesOf, warningsOf } from './linted.ts'

const policy = (condition: string, mayDiffer: string, facts = '') => `agent_id: a
allowed_actions: [refund]
${facts}escalation_rules:
  - { on: refund, condition: "${condition}", action: ask }
  - { on: refund, condition: "params.note == 'x'", action: other }
approvals:
  ask: { standing: { uses: 12, lasts: 8h, may_differ: ${mayDiffer} } }
`
const amount = 'facts: { amount: { type: number, from: params.amount } }\n'

describe('a number that may be anything under a standing grant, although people are asked because of it', () => {
  test('is told where it stands', () => {
    expect(warningsOf(policy('params.amount > 500', '{ order: any, amount: any }'))).toEqual([
      '7:77 standing-any-number `amount` may be anything under a standing grant, and `escalation_rules[0]` asks people because of it; write up_to, or leave it out',
    ])
  })

  test.each([
    ['by the name of a fact', policy('amount > 500', '{ amount: any }', amount)],
    ['inside of what may be anything', policy('params.pay.amount > 500', '{ pay: any }')],
    ['beside something else', policy("params.region == 'EU' || params.amount > 5", '{ amount: any }')],
  ])('%s', (_, text) => {
    expect(codesOf(text)).toEqual(['standing-any-number'])
  })

  test.each([
    ['where it may only be less', policy('params.amount > 500', '{ amount: up_to }')],
    ['where another parameter may be anything', policy('params.amount > 500', '{ order: any }')],
    ['where another route asks because of it', policy('params.amount > 500', '{ note: any }')],
    ['where people are asked because of a text', policy("params.region == 'EU'", '{ region: any }')],
    ['where the host says the number', policy('context.amount > 500', '{ amount: any }')],
  ])('is not told %s', (_, text) => {
    expect(codesOf(text)).toEqual([])
  })
})
