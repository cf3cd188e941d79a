import { describe, expect, test } from 'vitest'
import { decide } from '../../src/decision/decide.ts'
import type { Facts } from '../../src/model/call.ts'
import { call, facts, inSession, policyOf } from '../policy/written.ts'

const policy = policyOf(`
agent_id: a
allowed_actions: [read_mail, "send_*", "crm_*", pay]
actions: { read_mail: { labels: [untrusted, pii] }, "read_*": { labels: [pii] } }
flows:
  - { id: leak, after: { label: untrusted }, on: "send_*", unless: "params.to.endsWith('@example.com')", effect: deny }
  - { id: twice, after: { action: "crm_*" }, on: pay, action: lead }
`)
const after = (labels: string[], actions: string[] = []): Facts => ({
  ...facts,
  session: { labels, actions },
})
const send = (to: unknown) => inSession(call('send_mail', { to: to as never }))

describe('a flow after a label', () => {
  test('denies what may not come after it, and its neighbours pass', () => {
    expect(decide(policy, send('x@evil.test'), after(['untrusted']))).toMatchObject({
      effect: 'deny',
      code: 'denied_by_rule',
      reasons: ['Denied by flow leak'],
      rules: [
        {
          id: 'leak',
          because: 'matched',
          condition: expect.stringContaining('after the label untrusted') as string,
        },
      ],
    })
    expect(decide(policy, send('x@evil.test'), after(['pii']))).toMatchObject({ effect: 'allow' })
    expect(decide(policy, send('x@example.com'), after(['untrusted']))).toMatchObject({ effect: 'allow' })
    expect(decide(policy, inSession(call('pay')), after(['untrusted']))).toMatchObject({ effect: 'allow' })
  })

  test('that cannot tell whether it is excused counts as matched', () => {
    expect(decide(policy, send(7), after(['untrusted']))).toMatchObject({
      effect: 'deny',
      rules: [{ because: 'condition_error' }],
    })
    expect(decide(policy, send(7), after([]))).toMatchObject({ effect: 'allow' })
  })

  test('and a call without a session counts as matched, unless it is excused in any case', () => {
    expect(decide(policy, call('send_mail', { to: 'x@evil.test' }), facts)).toMatchObject({
      effect: 'deny',
      reasons: ['Denied by flow leak', 'condition_error in leak: the call names no session'],
    })
    expect(decide(policy, call('send_mail', { to: 'x@example.com' }), facts)).toMatchObject({
      effect: 'allow',
    })
  })
})

test('a flow after an action asks people, where the session has done it', () => {
  expect(decide(policy, inSession(call('pay')), after([], ['crm_read']))).toMatchObject({
    effect: 'escalate',
    reasons: ['Escalation required: lead'],
    approval: { routes: ['lead'] },
  })
  expect(decide(policy, inSession(call('pay')), after([], ['xcrm_read']))).toMatchObject({ effect: 'allow' })
})

describe('what a call leaves behind in its session', () => {
  test('is its action and the labels of all entries that cover it', () => {
    expect(decide(policy, inSession(call('read_mail')), after([]))).toMatchObject({
      effect: 'allow',
      leaves: { action: 'read_mail', labels: ['untrusted', 'pii'] },
    })
    expect(decide(policy, inSession(call('pay')), after([]))).toMatchObject({
      leaves: { action: 'pay', labels: [] },
    })
  })

  test('is nothing without a session, and nothing where it is not allowed', () => {
    expect(decide(policy, call('read_mail'), facts)).not.toHaveProperty('leaves')
    expect(decide(policy, send('x@evil.test'), after(['untrusted']))).not.toHaveProperty('leaves')
  })
})
