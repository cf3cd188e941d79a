import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decide } from '../../src/decision/decide.ts'
import { explain } from '../../src/decision/explain.ts'
import type { Facts, ToolCall } from '../../src/model/call.ts'
import type { ExplainedPart } from '../../src/model/explanation.ts'
import type { Instant } from '../../src/model/ids.ts'
import type { JsonObject } from '../../src/model/json.ts'
import { parsePolicy } from '../../src/policy/compile.ts'

const text = `
agent_id: support
allowed_actions: [issue_refund, send_mail]
forbidden_actions: [delete_account]
facts:
  refund_amount: {type: number, from: params.amount, for: [issue_refund]}
  vip: {type: bool, from: context.customer.is_vip, default: false}
  iban: {type: string, from: params.iban, for: [issue_refund]}
actions:
  issue_refund: {sensitive: [params.iban, params.cards], when: "refund_amount < 10000"}
rules:
  - {id: foreign, on: issue_refund, condition: "!iban.startsWith('DE') && refund_amount > 50", effect: deny, reason: "Refunds go to German accounts"}
  - {id: cards, on: issue_refund, condition: "params.cards.exists(card, card.number == '4111' && refund_amount > 7)", effect: deny}
  - {id: mail, on: send_mail, condition: "params.to == 'x'", effect: deny}
escalation_rules:
  - {condition: "refund_amount > 500", action: human_approval_required}
  - {condition: "vip", action: human_review_before_action}
budgets:
  - {id: daily, on: issue_refund, sum: refund_amount, window: 24h, max: 2000, action: human_approval_required}
`
const parsed = parsePolicy(text)
if (parsed.kind !== 'valid') throw new Error(JSON.stringify(parsed.problems))
const { policy } = parsed

function call(action: string, params: JsonObject, context: JsonObject = {}): ToolCall {
  return { agent: 'support', action, params, context } as ToolCall
}
const noon = 1_772_366_400_000 as Instant
const used = (amount: number): Facts => ({
  now: noon,
  counters: new Map([['support daily', amount]]) as never,
})
const refund = (amount: unknown, more: JsonObject = {}): ToolCall =>
  call('issue_refund', { amount: amount as number, iban: 'DE1234', cards: [], ...more })

function flat(part: ExplainedPart): ExplainedPart[] {
  return [part, ...part.parts.flatMap(flat)]
}

describe('an explanation', () => {
  test('names every rule that speaks of the action, whether it matched or not, and counts the others', () => {
    const { effect, rules, rulesElsewhere } = explain(policy, refund(600), used(0))
    expect(effect).toBe('escalate')
    expect(rules.map(({ id, because }) => [id, because])).toEqual([
      ['actions.issue_refund.when', 'not_matched'],
      ['escalation_rules[0]', 'matched'],
      ['escalation_rules[1]', 'not_matched'],
      ['foreign', 'not_matched'],
      ['cards', 'not_matched'],
    ])
    expect(rulesElsewhere).toBe(1)
  })

  test('tells what every part of a condition came to, and what nobody asked for', () => {
    const { rules } = explain(policy, refund(20), used(0))
    const foreign = rules.find(({ id }) => id === 'foreign')?.parts.flatMap(flat) ?? []
    const told = new Map(foreign.map((part) => [part.text, part.value]))
    expect(told.get(`!iban.startsWith('DE')`)).toBe('false')
    expect(foreign.find((part) => part.text === 'refund_amount > 50')).toMatchObject({
      value: null,
      error: null,
    })
  })

  test('tells what a path came to, and not again what it is taken from or what a literal says', () => {
    const { rules } = explain(policy, call('send_mail', { to: 'y' }), used(0))
    expect(rules.find(({ id }) => id === 'mail')?.parts).toEqual([
      {
        text: "params.to == 'x'",
        value: 'false',
        error: null,
        parts: [{ text: 'params.to', value: '"y"', error: null, parts: [] }],
      },
    ])
  })

  test('tells of an action’s `when` part by part also where it does not hold', () => {
    const { rules } = explain(policy, refund(10000), used(0))
    const when = rules.filter(({ id }) => id === 'actions.issue_refund.when')
    expect(when).toMatchObject([
      { because: 'matched', parts: [{ text: 'refund_amount < 10000', value: 'false' }] },
    ])
  })

  test('says whose word each fact is, what is absent, and what stands in by default', () => {
    const { facts } = explain(policy, refund(undefined), used(0))
    expect(facts).toContainEqual({
      name: 'refund_amount',
      type: 'number',
      value: null,
      from: 'params.amount',
      source: 'params',
      note: "params.amount is absent (the model's word)",
    })
    expect(facts).toContainEqual(
      expect.objectContaining({
        name: 'vip',
        value: 'false',
        source: 'context',
        note: 'the default of the policy',
      }),
    )
  })

  test('tells what had been used of a budget, and what this call uses', () => {
    const { counters } = explain(policy, refund(300), used(1900))
    expect(counters).toEqual([
      { id: 'daily', limit: 'sum of refund_amount above 2000 in 1d', used: 1900, amount: 300, max: 2000 },
    ])
  })

  test('of a forbidden or unlisted action has nothing to change', () => {
    expect(explain(policy, call('delete_account', {}), used(0)).changes).toEqual([])
    expect(explain(policy, call('fly', {}), used(0))).toMatchObject({ code: 'not_allowed', changes: [] })
  })
})

describe('what would have to differ', () => {
  test('is the nearest value on the other side of a limit, and the approval that is asked for', () => {
    const { changes } = explain(policy, refund(600), used(0))
    expect(changes).toContainEqual({
      change: 'refund_amount were 500',
      effect: 'allow',
      reason: 'Action approved',
    })
    expect(changes).toContainEqual({
      change: 'human_approval_required were granted',
      effect: 'allow',
      reason: 'Action approved',
    })
  })

  test('is what is left of a budget', () => {
    const { changes } = explain(policy, refund(300), used(1900))
    expect(changes).toContainEqual(
      expect.objectContaining({ change: 'refund_amount were 100', effect: 'allow' }),
    )
  })

  test('is true of every change that is told', () => {
    const amounts = fc.oneof(fc.integer({ min: -5, max: 12000 }), fc.constantFrom(null, '600'))
    fc.assert(
      fc.property(amounts, fc.integer({ min: 0, max: 2500 }), fc.boolean(), (amount, before, vip) => {
        const asked = { ...refund(amount), context: { customer: { is_vip: vip } } }
        const { effect, changes } = explain(policy, asked, used(before))
        expect(effect).toBe(decide(policy, asked, used(before)).effect)
        for (const change of changes) {
          expect(change.effect).not.toBe(effect)
          const [, to] = /^refund_amount were (.+)$/.exec(change.change) ?? []
          if (to === undefined) continue
          const changed = { ...asked, params: { ...asked.params, amount: Number(to) } }
          expect(decide(policy, changed, used(before)).effect).toBe(change.effect)
        }
      }),
    )
  })
})

describe('what the policy calls sensitive', () => {
  const secret = 'GB99SECRET'
  const card = '4111-5555'

  test('is in no explanation, whether it is a fact, a parameter or an item of a list', () => {
    const asked = refund(100, { iban: secret, cards: [{ number: card }] })
    const explanation = explain(policy, asked, used(0))
    const told = JSON.stringify(explanation)
    expect(told).not.toContain(secret)
    expect(told).not.toContain(card)
    expect(told).toContain('•••')
    expect(explanation.effect).toBe('deny')
  })

  test('is not told by what a budget counts of it, and what is left', () => {
    const salaries = text.replace('sensitive: [params.iban', 'sensitive: [params.amount, params.iban')
    const masking = parsePolicy(salaries)
    if (masking.kind !== 'valid') throw new Error(JSON.stringify(masking.problems))
    const { counters, changes } = explain(masking.policy, refund(321), used(1777))
    expect(counters).toMatchObject([{ id: 'daily', used: null, amount: null, masked: true, max: 2000 }])
    expect(JSON.stringify({ counters, changes })).not.toMatch(/321|1777|223/)
    expect(explain(policy, refund(321), used(1777)).counters).toEqual([
      { id: 'daily', limit: expect.any(String), used: 1777, amount: 321, max: 2000 },
    ])
  })

  test('is also what another policy calls so, such as the one in force now', () => {
    const stricter = parsePolicy(
      'agent_id: support\nallowed_actions: [issue_refund]\nactions: {issue_refund: {sensitive: [params.amount, context.customer]}}\n',
    )
    if (stricter.kind !== 'valid') throw new Error(JSON.stringify(stricter.problems))
    const asked = refund(600)
    expect(explain(policy, asked, used(0)).facts).toContainEqual(
      expect.objectContaining({ name: 'refund_amount', value: '600' }),
    )
    const explanation = explain(policy, asked, used(0), [stricter.policy])
    expect(explanation.facts).toContainEqual(expect.objectContaining({ name: 'refund_amount', value: '•••' }))
    expect(explanation.counters).toMatchObject([{ masked: true }])
    expect(JSON.stringify([explanation.rules, explanation.facts])).not.toContain('600')
  })

  test('does not keep from seeing what was decided by it', () => {
    const { rules } = explain(policy, refund(100, { iban: secret }), used(0))
    const foreign = rules.find(({ id }) => id === 'foreign')
    expect(foreign).toMatchObject({ because: 'matched' })
    const parts = foreign?.parts.flatMap(flat) ?? []
    expect(parts.find((part) => part.text === `iban.startsWith('DE')`)?.value).toBe('false')
    expect(parts.find((part) => part.text === 'iban')?.value).toBe('•••')
  })
})
