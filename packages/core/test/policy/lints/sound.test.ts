import fc from 'fast-check'
import { expect, test } from 'vitest'
import { matchRegion, missRegion } from '../../../src/policy/lints/condition-region.ts'
import { isNever, isWithin } from '../../../src/policy/lints/regions.ts'
import type { Json, JsonObject } from '../../../src/model/json.ts'
import type { ConditionRule } from '../../../src/model/policy.ts'
import { call, facts, policyOf } from '../written.ts'

const atom = fc.oneof(
  fc
    .tuple(fc.constantFrom('<', '<=', '>', '>=', '==', '!='), fc.integer({ min: 0, max: 3 }))
    .map(([operator, value]) => `amount ${operator} ${value}`),
  fc.constantFrom("tier == 'a'", "tier != 'a'", "tier in ['a', 'b']", "'b' == tier", 'amount in [1, 2]'),
  fc.constantFrom('paused', 'paused == false', "tier.startsWith('a')", 'size(tags) > 1', '0 >= tags.size()'),
)
const condition = fc.letrec<{ readonly tree: string }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3 },
    atom,
    fc.tuple(tie('tree'), fc.constantFrom('&&', '||'), tie('tree')).map(([a, op, b]) => `(${a} ${op} ${b})`),
    tie('tree').map((inner) => `!(${inner})`),
  ),
})).tree

const value = (...values: readonly Json[]) => fc.constantFrom(undefined, null, ...values)
const context = fc
  .record({
    amount: value(-1, 0, 0.5, 1, 1.5, 2, 3, 4, 'x'),
    tier: value('a', 'ab', 'b', 'c', 7),
    paused: value(true, false, 'x'),
    tags: value([], ['a'], ['a', 'b'], 'x'),
  })
  .map(
    (fields) =>
      Object.fromEntries(Object.entries(fields).filter(([, field]) => field !== undefined)) as JsonObject,
  )

/** Two rules, of conditions and an exception each. */
function rulesOf(conditions: readonly (readonly [string, string])[]) {
  const rules = conditions.map(
    ([asked, excused]) =>
      `  - { condition: ${JSON.stringify(asked)}, unless: ${JSON.stringify(excused)}, effect: deny }\n`,
  )
  return policyOf(
    `agent_id: a\nallowed_actions: [x]\nfacts:\n  amount: { type: number, from: context.amount }\n  tier: { type: string, from: context.tier }\n  paused: { type: bool, from: context.paused }\n  tags: { type: list<string>, from: context.tags }\nrules:\n${rules.join('')}`,
  )
}

function matches({ condition: asked, unless }: ConditionRule, given: JsonObject): boolean {
  const it = { call: call('x', {}, given), facts }
  return asked?.evaluate(it).kind !== 'false' && unless?.evaluate(it).kind !== 'true'
}

const pair = fc.tuple(condition, condition)

test('where one rule is said to lie in another, it matches no call that the other does not match', () => {
  let claims = 0
  fc.assert(
    fc.property(pair, pair, fc.array(context, { minLength: 20, maxLength: 40 }), (one, other, calls) => {
      const policy = rulesOf([one, other])
      const [inner, outer] = policy.rules
      if (inner === undefined || outer === undefined) throw new Error('two rules')
      if (!isWithin(matchRegion(inner, policy.facts), matchRegion(outer, policy.facts))) return
      claims += 1
      for (const given of calls) if (matches(inner, given)) expect(matches(outer, given)).toBe(true)
    }),
    { numRuns: 500 },
  )
  expect(claims).toBeGreaterThan(10)
})

test('where a rule is said never to match, or never not to match, no call shows otherwise', () => {
  fc.assert(
    fc.property(pair, fc.array(context, { minLength: 20, maxLength: 40 }), (one, calls) => {
      const policy = rulesOf([one])
      const [rule] = policy.rules
      if (rule === undefined) throw new Error('one rule')
      const found = new Set(calls.map((given) => matches(rule, given)))
      if (isNever(matchRegion(rule, policy.facts))) expect(found.has(true)).toBe(false)
      if (isNever(missRegion(rule, policy.facts))) expect(found.has(false)).toBe(false)
    }),
    { numRuns: 400 },
  )
})
