import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { grantScope, isCovered, standingOf } from '../../src/approval/standing.ts'
import type { Vote } from '../../src/model/approval.ts'
import type { ApprovalTerms, DeterminingRule } from '../../src/model/decision.ts'
import type { ApprovalId, DecisionId, Instant, PersonId, RuleId, Sha256 } from '../../src/model/ids.ts'
import type { Json, JsonObject } from '../../src/model/json.ts'
import type { DecisionRecord } from '../../src/model/record.ts'

const hour = 3_600_000
const terms: ApprovalTerms = {
  routes: ['ask'],
  approvers: [],
  quorum: 2,
  deadlineMs: 300_000,
  asks: 'consent',
  standing: {
    uses: 12,
    lastsMs: 8 * hour,
    mayDiffer: [
      { how: 'up_to', param: 'amount' },
      { how: 'any', param: 'order_id' },
    ],
  },
}
const expiresAt = 1_000_000 as Instant
const vote = (name: string, more: Partial<Vote> = {}): Vote => ({
  person: `${name}@example.com` as PersonId,
  vote: 'approve',
  at: 1000 as Instant,
  standing: { uses: 5, until: (1000 + hour) as Instant },
  ...more,
})
const made = (votes: readonly Vote[], more: Partial<ApprovalTerms> = {}) =>
  standingOf({ terms: { ...terms, ...more }, votes, expiresAt })

describe('a standing grant is made', () => {
  test('by votes all of which grant one: the fewest uses, the earliest end', () => {
    const bob = vote('bob', {
      at: 2000 as Instant,
      standing: { uses: 3, until: (2000 + 2 * hour) as Instant },
    })
    expect(made([vote('ann'), bob])).toEqual({
      uses: 3,
      until: 1000 + hour,
      by: ['ann@example.com', 'bob@example.com'],
    })
  })

  test.each<[why: string, votes: readonly Vote[], more?: Partial<ApprovalTerms>]>([
    ['one of the votes grants nothing', [vote('ann'), vote('bob', { standing: undefined })]],
    ['a person is missing', [vote('ann')]],
    ['one person votes twice', [vote('ann'), vote('ann')]],
    ['somebody said no', [vote('ann'), vote('bob'), vote('eve', { vote: 'reject' })]],
    ['they break the glass', [vote('ann', { breakGlass: true }), vote('bob', { breakGlass: true })]],
    ['one of them breaks the glass', [vote('ann'), vote('bob', { breakGlass: true })]],
    ['one came too late', [vote('ann'), vote('bob', { at: expiresAt })]],
    ['the terms allow none', [vote('ann'), vote('bob')], { standing: undefined }],
    ['the terms ask for acknowledgement', [vote('ann'), vote('bob')], { asks: 'acknowledgement' }],
    [
      'it would have ended before it begins',
      [vote('ann', { standing: { uses: 1, until: 1500 as Instant } }), vote('bob', { at: 1500 as Instant })],
    ],
    [
      'one grants more than may be',
      [vote('ann'), vote('bob', { standing: { uses: 13, until: 2000 as Instant } })],
    ],
    [
      'one grants longer than may be',
      [vote('ann'), vote('bob', { standing: { uses: 1, until: (1001 + 8 * hour) as Instant } })],
    ],
    [
      'one grants nothing in number',
      [vote('ann'), vote('bob', { standing: { uses: 0, until: 2000 as Instant } })],
    ],
    [
      'one grants half a call',
      [vote('ann'), vote('bob', { standing: { uses: 1.5, until: 2000 as Instant } })],
    ],
  ])('not where %s', (_why, votes, more = {}) => {
    expect(made(votes, more)).toBeUndefined()
  })

  test('not on what was withdrawn', () => {
    const cancelled = { index: 9, by: 'agent', at: 5000 as Instant }
    expect(standingOf({ terms, votes: [vote('ann'), vote('bob')], expiresAt, cancelled })).toBeUndefined()
  })
})

const large: DeterminingRule = {
  id: 'large' as RuleId,
  effect: 'escalate',
  because: 'matched',
  route: 'ask',
  line: 3,
}
const sha256 = 'b'.repeat(64) as Sha256
const opened: DecisionRecord = {
  v: 1,
  ledger: 'main',
  index: 7,
  at: '2026-03-01T09:00:00.000Z',
  payload: null,
  kind: 'decision',
  id: 'dec_7' as DecisionId,
  agent: 'support',
  action: 'refund',
  callId: null,
  effect: 'escalate',
  code: null,
  reasons: [],
  rules: [large],
  policy: { id: 'support', version: null, sha256 },
  opens: { id: 'apr_7' as ApprovalId, terms, deadline: '2026-03-01T09:05:00.000Z' },
  claims: null,
}
const approved = { amount: 600, order_id: 'A-1', note: 'late', tags: ['a'] }
const context = { customer: { id: 'c-1', tier: 2 } }
const scope = grantScope(opened, JSON.stringify({ context, params: approved }))
const later = {
  agent: 'support',
  action: 'refund',
  policy: sha256,
  rules: [large],
  params: approved,
  context,
}
const covers = (more: Partial<typeof later> & { params?: JsonObject; rules?: readonly DeterminingRule[] }) =>
  scope !== undefined && isCovered(scope, { ...later, ...more })
const withParams = (params: JsonObject) => covers({ params: { ...approved, ...params } })

describe('a standing grant covers', () => {
  test('the same call again, however it is written', () => {
    expect(covers({})).toBe(true)
    expect(covers({ context: JSON.parse('{"customer":{"tier":2.0,"id":"c-1"}}') as never })).toBe(true)
  })

  test.each<readonly [string, JsonObject, boolean]>([
    ['another order', { order_id: 'A-2' }, true],
    ['an order of another type', { order_id: [1] }, true],
    ['less', { amount: 599.99 }, true],
    ['nothing', { amount: 0 }, true],
    ['a cent more', { amount: 600.01 }, false],
    ['less than nothing', { amount: -1 }, false],
    ['a number as text', { amount: '5' }, false],
    ['no number', { amount: null }, false],
    ['another note', { note: 'Late' }, false],
    ['another list', { tags: ['a', 'a'] }, false],
    ['a parameter more', { urgent: true }, false],
    ['a parameter that every object has', { constructor: 'x' }, false],
  ])('%s: %j is %s', (_what, params, is) => {
    expect(withParams(params)).toBe(is)
  })

  test('no call without a parameter that was approved, but one without what may be any', () => {
    const without = (name: keyof typeof approved) => {
      const { [name]: _left, ...rest } = approved
      return covers({ params: rest as never })
    }
    expect(without('note')).toBe(false)
    expect(without('amount')).toBe(false)
    expect(without('order_id')).toBe(true)
  })

  test('no call with __proto__ among its parameters', () => {
    const params = JSON.parse(
      '{"amount":600,"order_id":"A-1","note":"late","tags":["a"],"__proto__":1}',
    ) as never
    expect(covers({ params })).toBe(false)
  })

  test.each<readonly [string, Partial<typeof later>]>([
    ['another agent', { agent: 'billing' }],
    ['another action', { action: 'credit' }],
    ['another policy', { policy: 'c'.repeat(64) as Sha256 }],
    ['another context', { context: { customer: { id: 'c-1', tier: 3 } } }],
    ['no context', { context: {} as never }],
    ['another rule beside', { rules: [large, { ...large, id: 'vip' as RuleId }] }],
    ['a rule that could not be evaluated', { rules: [{ ...large, because: 'condition_error' }] }],
    ['no rule that asks anybody', { rules: [] }],
  ])('nothing with %s', (_what, more) => {
    expect(covers(more)).toBe(false)
  })

  test('a call that matches a rule in shadow mode beside', () => {
    const shadow: DeterminingRule = { ...large, id: 'new' as RuleId, shadow: true }
    expect(covers({ rules: [large, shadow] })).toBe(true)
    expect(covers({ rules: [shadow] })).toBe(false)
  })

  test('nothing but what a plain comparison, parameter by parameter, says', () => {
    const value: fc.Arbitrary<Json> = fc.oneof(
      fc.integer({ min: -2, max: 2 }),
      fc.constantFrom('a', null, true),
    )
    const params = fc.dictionary(fc.constantFrom('amount', 'order_id', 'note', 'x'), value)
    fc.assert(
      fc.property(params, params, (one, other) => {
        const of = grantScope(opened, JSON.stringify({ context: {}, params: one }))
        const expected = ['amount', 'note', 'x'].every((name) => {
          const [a, b] = [one[name], other[name]]
          if (name !== 'amount') return a === b
          if (a === undefined && b === undefined) return true
          return typeof a === 'number' && typeof b === 'number' && b >= 0 && b <= a
        })
        const call = { ...later, params: other, context: {} }
        expect(of !== undefined && isCovered(of, call)).toBe(expected)
      }),
    )
  })

  test('is about nothing where the payload or the terms are not there', () => {
    expect(grantScope(opened, 'null')).toBeUndefined()
    const bare = { ...terms, standing: undefined }
    const without = { ...opened, opens: { id: 'apr_7' as ApprovalId, terms: bare, deadline: '' } }
    expect(grantScope(without, JSON.stringify({ context, params: approved }))).toBeUndefined()
  })
})
