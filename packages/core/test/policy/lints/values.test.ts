import { describe, expect, test } from 'vitest'
import { parsePolicy } from '../../../src/policy/compile.ts'
import { codesOf, errorOf, warningsOf } from './linted.ts'

/** A policy for `refund` with the schema of its one parameter, a fact that reads it, and rules. */
function withSchema(amount: string, ...rules: readonly string[]): string {
  return `agent_id: a
allowed_actions: [refund]
facts: { amount: { type: number, from: params.amount, for: refund } }
actions:
  refund: { params: { type: object, required: [amount], properties: { amount: ${amount} }, additionalProperties: false } }
rules:
${rules.map((rule) => `  - { on: refund, ${rule} }\n`).join('')}`
}

const over = (limit: number) => `condition: amount > ${limit}, effect: escalate, action: ask`

describe('what the parameter schema says of a value', () => {
  test('a limit beyond its bounds is never passed', () => {
    const schema = '{ type: number, minimum: 0, maximum: 100 }'
    expect(warningsOf(withSchema(schema, over(500)))).toEqual([
      '7:30 never-true `amount > 500` is never true: `amount` is at least 0 and at most 100; correct it, or what is declared of the value',
    ])
    expect(codesOf(withSchema(schema, over(99)))).toEqual([])
    expect(codesOf(withSchema('{ type: number, exclusiveMaximum: 100 }', over(99.5)))).toEqual([])
    expect(codesOf(withSchema('{ type: integer, exclusiveMaximum: 100 }', over(99)))).toEqual(['never-true'])
  })

  test('a limit below its bounds is always passed', () => {
    const schema = '{ type: number, exclusiveMinimum: 0 }'
    expect(codesOf(withSchema(schema, 'condition: amount > 0, effect: escalate, action: ask'))).toEqual([
      'always-true',
    ])
    expect(codesOf(withSchema(schema, 'condition: amount > 0, effect: deny'))).toEqual([
      'always-denied',
      'always-true',
    ])
  })

  test('what the schema leaves open is not taken for told', () => {
    expect(codesOf(withSchema('true', over(500)))).toEqual([])
    const optional = withSchema('{ type: number, minimum: 5 }', over(1)).replace('required: [amount], ', '')
    // Where it is absent the rule matches, too.
    expect(codesOf(optional)).toEqual(['always-true'])
    const either = '{ anyOf: [{ type: number, maximum: 5 }, { type: number, maximum: 900 }] }'
    expect(codesOf(withSchema(either, over(500)))).toEqual([])
  })

  test('whole numbers leave no hole between 499 and 500', () => {
    const tiers = [
      'condition: amount >= 100 && amount <= 499, effect: escalate, action: ask',
      over(499).replace('> 499', '>= 500').replace('ask', 'cfo'),
    ]
    expect(codesOf(withSchema('{ type: integer }', ...tiers))).toEqual([])
    expect(codesOf(withSchema('{ type: number }', ...tiers))).toEqual(['threshold-gap'])
  })

  test('what `when` asks of an action holds for its rules', () => {
    const policy = (limit: number) =>
      withSchema('{ type: number }', over(limit)).replace('refund: {', 'refund: { when: amount <= 1000,')
    expect(codesOf(policy(2000))).toEqual(['never-true'])
    expect(codesOf(policy(500))).toEqual([])
  })

  test('a text that an enum does not have is never there, and the nearest that it has is named', () => {
    const policy = (tier: string) => `agent_id: a
allowed_actions: [refund]
actions:
  refund: { params: { type: object, required: [size], properties: { size: { enum: [small, large] } } } }
rules: [{ on: refund, condition: "params.size == '${tier}'", effect: deny }]
`
    expect(warningsOf(policy('lage'))).toEqual([
      '5:35 never-true `params.size == \'lage\'` is never true: `params.size` is one of "small", "large"; did you mean "large"?',
    ])
    expect(codesOf(policy('large'))).toEqual([])
  })
})

describe('facts and parameter schemas', () => {
  const fact = (written: string, more = '') => `agent_id: a
allowed_actions: [refund, mail]
facts: { amount: ${written} }
actions:
  refund: { params: { type: object, required: [amount], properties: { amount: { type: number }, note: { type: string } }, additionalProperties: false } }
  mail: { params: { type: object, additionalProperties: false } }
rules: [{ condition: amount > 500, effect: escalate, action: ask }]
${more}`

  test('another type than in the schema is an error', () => {
    expect(errorOf(fact('{ type: number, from: params.note, for: refund }'))).toBe(
      '3:26 fact-type-mismatch `amount` is a number, and by the schema of `refund` `params.note` is a string; correct one of the two types, or the path',
    )
    expect(codesOf(fact('{ type: number, from: params.amount, for: refund }'))).toEqual([])
  })

  test('a path that the schema does not have is told, with the one that was meant', () => {
    expect(warningsOf(fact('{ type: number, from: params.amout, for: refund }'))).toEqual([
      '3:10 fact-not-in-schema no call of `refund` that fits its schema has `params.amout`: what asks for `amount` counts as matched; did you mean `params.amount`?',
    ])
  })

  test('a fact that some of its actions cannot have needs a `for`', () => {
    expect(warningsOf(fact('{ type: number, from: params.amount }'))).toEqual([
      '3:10 fact-not-in-schema no call of `mail` that fits its schema has `params.amount`: what asks for `amount` counts as matched; name in `for` the actions that have it',
    ])
  })

  test('an open schema is asked for the spelling only', () => {
    const open = (path: string) =>
      `agent_id: a\nallowed_actions: [refund]\nfacts: { amount: { type: number, from: params.${path}, for: refund } }\nactions:\n  refund: { params: { type: object, properties: { amount: { type: number } } } }\nrules: [{ condition: amount > 500, effect: escalate, action: ask }]\n`
    expect(codesOf(open('amout'))).toEqual(['fact-not-in-schema'])
    expect(codesOf(open('total'))).toEqual([])
  })

  test('a path in a condition that no schema has is told', () => {
    const policy = (path: string) =>
      `agent_id: a\nallowed_actions: [mail]\nactions:\n  mail: { params: { type: object, properties: { to: { type: string } }, additionalProperties: false } }\nrules: [{ on: mail, condition: "${path}.endsWith('x')", effect: deny }]\n`
    expect(codesOf(policy('params.too'))).toEqual(['unknown-parameter'])
    expect(codesOf(policy('params.to'))).toEqual([])
  })

  test('an allowed action without a schema is told where others have one', () => {
    const policy = (actions: string) => `agent_id: a\nallowed_actions: [refund, mail, "get_*"]\n${actions}`
    expect(warningsOf(policy('actions: { mail: { params: { type: object } } }\n'))).toEqual([
      '2:19 no-params-schema `refund` has no parameter schema, so any parameters pass; add `params` under `actions` for it',
    ])
    expect(codesOf(policy('actions: { "*": { params: { type: object } } }\n'))).toEqual([])
    expect(codesOf(policy('actions: { mail: { labels: [sent] } }\n'))).toEqual([])
  })

  test('a fact that nothing uses is told; one that only a budget adds up is used', () => {
    const policy = (more: string) =>
      `agent_id: a\nallowed_actions: [refund]\nfacts: { amount: { type: number, from: context.amount } }\n${more}`
    expect(codesOf(policy(''))).toEqual(['unused-fact'])
    const budget = 'budgets: [{ id: b, on: refund, sum: amount, window: 1h, max: 5, effect: deny }]\n'
    expect(codesOf(policy(budget))).toEqual([])
  })
})

describe('the word of a model', () => {
  const policy = (name: string, written: string, condition = name) =>
    `agent_id: a\nallowed_actions: [refund]\nfacts: { ${name}: { ${written} } }\nrules: [{ on: refund, condition: "${condition}", effect: escalate, action: ask }]\n`

  test('for how things are is told, and said with care', () => {
    expect(warningsOf(policy('customer_is_vip', 'type: bool, from: params.vip'))).toEqual([
      "3:10 model-asserts-fact `customer_is_vip` decides, and is the model's word alone; if it says how things are, a model may say otherwise; take it from `context`, which the host fills in, or look it up",
    ])
    expect(codesOf(policy('level', 'type: string, from: params.riskLevel', "level == 'high'"))).toEqual([
      'model-asserts-fact',
    ])
  })

  test.each([
    ['for what the action is to do', policy('force', 'type: bool, from: params.force')],
    ['of the host', policy('customer_is_vip', 'type: bool, from: context.vip')],
    ['for a number', policy('risk', 'type: number, from: params.risk', 'risk > 5')],
  ])('silent: %s', (_, text) => {
    expect(codesOf(text)).toEqual([])
  })

  test('is told of a file above, where a default lets it be left out', () => {
    const org = 'facts: { is_vip: { type: bool, from: params.vip, default: false } }\n'
    const leaf = 'agent_id: a\nallowed_actions: [refund]\nextends: org.yaml\n'
    const parsed = parsePolicy(leaf, { load: () => org })
    expect(parsed.kind === 'valid' ? parsed.warnings : []).toMatchObject([
      { file: 'org.yaml', line: 1, column: 10, code: 'default-for-params' },
    ])
  })

  test('is told once where a default lets it be left out, and not where the schema requires it', () => {
    const text = policy('is_vip', 'type: bool, from: params.vip, default: false')
    expect(codesOf(text)).toEqual(['default-for-params'])
    const schema =
      'actions: { refund: { params: { type: object, required: [vip], properties: { vip: { type: boolean } } } } }\n'
    expect(codesOf(`${text}${schema}`)).toEqual(['model-asserts-fact'])
  })
})

describe('budgets and rates', () => {
  const policy = (max: number, rates = '') => `agent_id: a
allowed_actions: [refund]
facts: { amount: { type: number, from: params.amount, for: refund } }
actions:
  refund: { params: { type: object, required: [amount], properties: { amount: { type: number, minimum: 10, maximum: 100 } } } }
budgets: [{ id: daily, on: refund, sum: amount, window: 24h, max: ${max}, effect: deny }]
${rates}`
  const rate = (per = '') => `rates: [{ id: calm, on: "*", max: 5, window: 1h, effect: deny${per} }]\n`

  test('one that every call passes is told', () => {
    expect(warningsOf(policy(9))).toEqual([
      '6:67 counter-always every call passes `daily`: one takes at least 10, and `max` is 9; raise `max`, or write a rule',
    ])
    expect(codesOf(policy(0))).toEqual(['counter-always'])
    expect(codesOf(policy(10))).toEqual([])
  })

  test('one that the calls which a rate lets through never reach is told', () => {
    expect(warningsOf(policy(12_000, rate()))).toEqual([
      '6:67 counter-never `daily` is never reached: 120 calls in its window are the most that `calm` lets through; lower `max`, or remove it',
    ])
    expect(codesOf(policy(11_999, rate()))).toEqual([])
    expect(codesOf(policy(12_000))).toEqual([])
    // Counted apart by agent, there may be any number of them.
    expect(codesOf(policy(12_000, rate(', per: agent')))).toEqual([])
  })
})

describe('patterns', () => {
  const policy = (pattern: string) =>
    `agent_id: a\nallowed_actions: [mail]\nrules: [{ on: mail, condition: "params.to.matches(r'${pattern}')", effect: deny }]\n`

  test.each([
    ['without anchors', 'example[.]com', 'unanchored-pattern'],
    ['with anchors at one alternative each', '^a|b$', 'unanchored-pattern'],
    ['with something behind the end', 'a$b', 'pattern-never-matches'],
    ['with something before the start', 'a+^b', 'pattern-never-matches'],
  ])('%s', (_, pattern, code) => {
    expect(codesOf(policy(pattern))).toEqual([code])
  })

  test.each([
    '^a$',
    '^(a|b)$',
    '(?i)^a',
    'a$',
    '.*a.*',
    '^a$|^b$',
    '(^a|^b)',
    '^a|^b',
    '(?m)a$\\\\nb',
    'a*^b',
    '^[|]x',
  ])('silent: %s', (pattern) => {
    expect(codesOf(policy(pattern))).toEqual([])
  })
})

describe('conditions that may run out of steps', () => {
  const policy = (more: string) =>
    `agent_id: a\nallowed_actions: [tag]\nfacts: { tags: { type: list<string>, from: params.tags, for: tag } }\nrules: [{ condition: "tags.exists(a, tags.exists(b, a + b == 'xy'))", effect: deny }]\n${more}`

  test('are told, unless a schema says how long the lists are', () => {
    expect(codesOf(policy(''))).toEqual(['costly-condition'])
    const schema =
      'actions: { tag: { params: { type: object, properties: { tags: { type: array, maxItems: 5, items: { type: string, maxLength: 20 } } } } } }\n'
    expect(codesOf(policy(schema))).toEqual([])
  })
})
