import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { subjectsOf } from '../../src/policy/subjects.ts'
import { canonicalJson } from '../../src/model/canonical-json.ts'
import { call, policyOf, problemsOf } from './written.ts'

const good = 'agent_id: a\nallowed_actions: [refund, send_mail, "crm_*"]\n'
const of = (policy: string, action: string, params: object, context = {}, parents = {}) =>
  subjectsOf(policyOf(policy, parents), { ...call(action, params as never), context })

describe('whose data a call holds', () => {
  test('is nobody’s where the policy does not say', () => {
    expect(of(good, 'refund', { customer_id: 'c1' })).toEqual([])
  })

  test('is said by one path or several, below params and context', () => {
    expect(of(`${good}subject: params.customer_id\n`, 'refund', { customer_id: 'c1' })).toEqual(['"c1"'])
    const both = `${good}subject: [params.to, context.customer.id]\n`
    expect(of(both, 'refund', { to: 'c1' }, { customer: { id: 2 } })).toEqual(['"c1"', '2'])
    expect(of(both, 'refund', { to: 'c1' }, { customer: { id: 'c1' } }), 'each once').toEqual(['"c1"'])
  })

  test('is said by the entries of the action, all of them, instead of by the top', () => {
    const policy = `${good}subject: params.customer_id
actions:
  send_mail: { subject: params.to }
  "crm_*": { subject: [] }
  "*_mail": { subject: params.cc }
  refund: { labels: [x] }
`
    expect(of(policy, 'send_mail', { customer_id: 'c1', to: 'c2', cc: 'c3' })).toEqual(['"c2"', '"c3"'])
    expect(of(policy, 'refund', { customer_id: 'c1', to: 'c2' })).toEqual(['"c1"'])
    expect(of(policy, 'crm_read', { customer_id: 'c1' })).toEqual([])
  })

  test('is said by the files that are extended, too', () => {
    const parents = { 'org.yaml': 'subject: params.owner\nactions: { refund: { subject: params.to } }\n' }
    const policy = `extends: org.yaml\n${good}subject: params.customer_id\n`
    expect(of(policy, 'send_mail', { owner: 'c1', customer_id: 'c2' }, {}, parents)).toEqual(['"c2"', '"c1"'])
    expect(of(policy, 'refund', { owner: 'c1', customer_id: 'c2', to: 'c3' }, {}, parents)).toEqual(['"c3"'])
  })

  test.each([
    ['a text', 'c1', ['"c1"']],
    ['a text with spaces', ' c1 ', ['" c1 "']],
    ['a number', 1.5, ['1.5']],
    ['a list', ['c1', 2, 'c1'], ['"c1"', '2']],
    ['a list in a list', [['c1']], []],
    ['a map', { id: 'c1' }, []],
    ['true', true, []],
    ['null', null, []],
  ])('is taken as it is written: %s', (_, value, subjects) => {
    expect(of(`${good}subject: params.x\n`, 'refund', { x: value })).toEqual(subjects)
  })

  test('is never what objects inherit', () => {
    expect(of(`${good}subject: params.constructor.name\n`, 'refund', {})).toEqual([])
  })

  test('tells every two texts and numbers apart', () => {
    const policy = policyOf(`${good}subject: params.x\n`)
    const subjects = (x: string | number) => subjectsOf(policy, call('refund', { x }))
    const value = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
    )
    fc.assert(
      fc.property(value, value, (one, other) => {
        expect(subjects(one)).toEqual([canonicalJson(one)])
        expect(subjects(one)[0] === subjects(other)[0]).toBe(
          Object.is(one + '', other + '') && typeof one === typeof other,
        )
      }),
    )
  })

  test.each(['customer_id', 'params', 'session.id', 'params.a b', '{ from: params.x }', '[agent]', '7'])(
    'cannot be said by %s',
    (written) => {
      for (const text of [
        `${good}subject: ${written}\n`,
        `${good}actions: { refund: { subject: ${written} } }\n`,
      ]) {
        expect(problemsOf(text).join()).toContain('must be')
      }
    },
  )
})
