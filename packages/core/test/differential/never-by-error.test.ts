import { describe, expect, test } from 'vitest'
import { decide } from '../../src/index.ts'
import type { ActionName, AgentId, CompiledPolicy, Decision, Instant, Json } from '../../src/index.ts'
import { policyOf } from '../policy/written.ts'
import { examplePolicies, type Example, type WrittenCall, type WrittenRule } from './examples.ts'
import { Random } from './random.ts'
import { callsFor, factsOf, pathsIn, withValue, type Place } from './sampled-calls.ts'

const examples = examplePolicies()
const long = 'x'.repeat(60 * 1024)

/** What can come instead of a value. `undefined`: nothing. */
const mishaps: readonly (readonly [string, Json | undefined])[] = [
  ['missing', undefined],
  ['null', null],
  ['NaN', NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
  ['2^63', 2 ** 63],
  ['a number', 7],
  ['a truth value', false],
  ['the other truth value', true],
  ['an empty text', ''],
  ['a text that looks like a number', '600'],
  ['a text that looks like a truth value', 'false'],
  ['60 kB of text', long],
  ['an empty list', []],
  ['a list of a list', [[]]],
  ['a list with null', ['a', null]],
  ['an empty map', {}],
  ['a map with a `__proto__`', JSON.parse('{"__proto__": {"valueOf": 1, "length": 0}, "length": 0}') as Json],
]

const strength: Record<Decision['effect'], number> = { allow: 0, escalate: 1, deny: 2 }

describe.each(examples)('$file', (example) => {
  const whole = policyOf(example.text)

  test.each(example.rules)('$id: no value of a fact makes a call pass by an error', (rule) => {
    const { only, opposite, met, unmet } = startingPoints(example, rule)
    const weaker = met
      .filter((call) => strength[answer(whole, call).effect] >= strength[rule.effect])
      .flatMap((call) => spoilt(example, rule, call))
      .filter(({ illTyped }) => illTyped)
      .filter(({ call }) =>
        [only, whole].some((policy) => strength[answer(policy, call).effect] < strength[rule.effect]),
      )
    expect(weaker.map(({ what }) => what)).toEqual([])

    // A rule that says nothing has been evaluated, and to false: then its opposite is true.
    const silentByError = [...met, ...unmet]
      .flatMap((call) => spoilt(example, rule, call))
      .filter(({ call }) => becauseOf(only, call) === undefined && becauseOf(opposite, call) !== 'matched')
    expect(silentByError.map(({ what }) => what)).toEqual([])
  })
})

test('nearly every condition of the examples was true for some call, before its facts were spoilt', () => {
  const all = examples.flatMap((example) => example.rules.map((rule) => ({ example, rule })))
  const neverTrue = all.filter(({ example, rule }) => startingPoints(example, rule).met.length === 0)
  expect(all.length).toBeGreaterThan(3)
  // Otherwise: add calls to the policy's own tests for which these conditions are true.
  if (neverTrue.length > all.length / 10) expect(neverTrue.map(({ rule }) => rule.id)).toEqual([])
})

/** The rule by itself and turned round, with a few calls for which its condition is true, and false. */
function startingPoints(example: Example, rule: WrittenRule) {
  const only = alone(example, rule, rule.condition)
  const opposite = alone(example, rule, `!(${rule.condition})`)
  const met: WrittenCall[] = []
  const unmet: WrittenCall[] = []
  for (const call of callsFor(example, rule, new Random(1))) {
    if (met.length < 3 && becauseOf(only, call) === 'matched') met.push(call)
    if (unmet.length < 3 && becauseOf(opposite, call) === 'matched') unmet.push(call)
    if (met.length === 3 && unmet.length === 3) break
  }
  return { only, opposite, met, unmet }
}

interface Spoilt {
  readonly call: WrittenCall
  readonly what: string
  /** Whether what is there now is nothing that conditions may use. */
  readonly illTyped: boolean
}

/** The call with each fact of the rule, and each path that it reads, in turn replaced by each mishap. */
function spoilt(example: Example, rule: WrittenRule, call: WrittenCall): Spoilt[] {
  // A condition that itself looks at the place may take what comes there instead: `!has(params.note)`.
  const asks = /\bhas\(|\bnull\b|\bin\b/.test(rule.condition)
  const places = [
    ...factsOf(example, rule).map(({ type, place, filled }) => ({
      place,
      illTyped: (value: Json | undefined) =>
        !rule.condition.includes(pathText(place)) &&
        (value === undefined ? filled === undefined : !isOf(type, value)),
    })),
    ...pathsIn(rule.condition).map((place) => ({
      place,
      illTyped: (value: Json | undefined) => !asks && value === undefined,
    })),
  ]
  return places.flatMap(({ place, illTyped }) =>
    mishaps.map(([what, value]) => ({
      call: withValue(call, place, value),
      what: `${pathText(place)} is ${what}`,
      illTyped: illTyped(value),
    })),
  )
}

function pathText({ root, path }: Place): string {
  return [root, ...path].join('.')
}

// The type of an undeclared fact is told from its use; no use takes null, a list or a map.
function isOf(type: string | undefined, value: Json): boolean {
  if (type === undefined) return typeof value !== 'object' && !Number.isNaN(value)
  const items = type.startsWith('list<') ? type.slice('list<'.length, -1) : undefined
  if (items !== undefined) return Array.isArray(value) && value.every((item) => isOf(items, item))
  if (type === 'number') return typeof value === 'number' && Number.isFinite(value)
  return typeof value === (type === 'bool' ? 'boolean' : type)
}

/** The example's policy with one rule and no other, so that the answer is that rule's. */
function alone(example: Example, rule: WrittenRule, condition: string): CompiledPolicy {
  const { id, effect, on, action } = rule
  return policyOf(
    JSON.stringify({
      agent_id: example.agent,
      allowed_actions: example.allowed,
      ...(example.facts === undefined ? {} : { facts: example.facts }),
      rules: [{ id, effect, on, action, condition }],
    }),
  )
}

function becauseOf(policy: CompiledPolicy, call: WrittenCall): string | undefined {
  return answer(policy, call).rules.find(({ effect }) => effect !== 'allow')?.because
}

function answer(policy: CompiledPolicy, { action, params, context, now }: WrittenCall): Decision {
  const call = { agent: policy.agentId as AgentId, action: action as ActionName, params, context }
  return decide(policy, call, { now: now as Instant })
}
