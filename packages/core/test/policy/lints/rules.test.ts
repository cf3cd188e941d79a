import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { parsePolicy } from '../../../src/policy/compile.ts'
import { codesOf, warningsOf, withRules } from './linted.ts'

const deny = (condition: string, more = '') => `on: refund, condition: "${condition}", effect: deny${more}`
const ask = (condition: string, more = '') =>
  `on: refund, condition: "${condition}", effect: escalate, action: ask${more}`

describe('a rule that changes nothing, because another one does as much wherever it matches', () => {
  test('is told with both places', () => {
    expect(warningsOf(withRules(deny('amount > 500'), deny('amount > 1000')))).toEqual([
      '11:5 shadowed-rule `rules[2]` changes nothing: wherever it matches, `rules[1]` on line 10 denies, too; remove it, or correct the one of the two that is wrong',
    ])
  })

  test.each([
    ['a narrower interval', deny('amount > 500'), deny('amount > 600 && amount < 700')],
    ['a further condition', deny('amount > 500'), deny('amount > 500 && paused')],
    ['one of several', deny("amount > 500 || tier == 'gold'"), deny("tier == 'gold'")],
    ['a smaller set', deny("tier in ['gold', 'silver', 'iron']"), deny("tier in ['iron', 'gold']")],
    ['what is left of two', deny('amount > 5'), deny('(amount > 10 && paused) || (amount > 6 && !paused)')],
    ['an escalation beside a denial', deny('amount >= 500'), ask('amount > 500')],
    ['the same route', ask('amount > 500'), ask('amount > 600')],
    ['the same, written differently', deny('!(amount <= 500)'), deny('amount > 500')],
    ['a constant on the left', deny('500 < amount'), deny('amount > 600')],
    ['whatever else it asks', deny('amount > 5'), deny('amount > 5 && tags.exists(t, t == tier)')],
    ['an exception of its own', deny('amount > 5'), deny('amount > 5', ', unless: paused')],
    [
      'the same part that nobody can look into',
      deny("tier.startsWith('g')"),
      deny("tier.startsWith('g') && paused"),
    ],
    ['all actions beside one', 'condition: "amount > 5", effect: deny', deny('amount > 6')],
    ['the size of a list', deny('size(tags) > 3'), deny('tags.size() >= 4 && size(tags) > 4')],
  ])('%s', (_, outer, inner) => {
    expect(codesOf(withRules(outer, inner))).toEqual(['shadowed-rule'])
  })

  test.each([
    ['intervals that overlap', deny('amount > 500'), deny('amount > 400 && amount < 600')],
    ['another set', deny("tier in ['gold', 'silver']"), deny("tier in ['gold', 'iron']")],
    ['a denial beside an escalation', ask('amount > 500'), deny('amount > 1000')],
    [
      'another route',
      ask('amount > 500'),
      'on: refund, condition: "amount > 1000", effect: escalate, action: cfo',
    ],
    ['another action', deny('amount > 500'), 'on: mail, condition: "amount > 1000", effect: deny'],
    ['a rule in shadow mode', deny('amount > 500', ', mode: shadow'), deny('amount > 1000')],
    ['an exception of the other', deny('amount > 5', ', unless: paused'), deny('amount > 6')],
    ['another environment', deny('amount > 5', ', environments: [prod]'), deny('amount > 6')],
    ['parts that nobody can look into', deny("tier.startsWith('g')"), deny("tier.startsWith('go')")],
  ])('silent: %s', (_, outer, inner) => {
    expect(codesOf(withRules(outer, inner))).toEqual([])
  })

  test('of two that say the same, the later one is too much', () => {
    expect(warningsOf(withRules(deny('amount > 5'), deny('5 < amount')))).toEqual([
      expect.stringContaining('11:5 shadowed-rule `rules[2]`'),
    ])
  })

  test('an absent fact is a value like any other', () => {
    // Where `amount` is absent, the first matches by error, and so does the second.
    expect(codesOf(withRules(deny('amount > 5'), deny('amount > 6 && (paused || amount > 8)')))).toEqual([
      'shadowed-rule',
    ])
    // `amount > 5 && amount < 3` matches by error only, and there `paused` may be false.
    expect(codesOf(withRules(deny('paused'), deny('amount > 5 && amount < 3')))).toEqual(['never-true'])
  })

  test('a rule of a file above counts, and stays silent itself', () => {
    const org = 'rules: [{ id: org-limit, on: refund, condition: "params.n > 5", effect: deny }]\n'
    const leaf = (condition: string) =>
      `agent_id: a\nallowed_actions: [refund]\nextends: org.yaml\nfacts: {}\nrules: [{ on: refund, condition: "${condition}", effect: deny }]\n`
    const codes = (condition: string) => {
      const parsed = parsePolicy(leaf(condition), { load: () => org })
      return parsed.kind === 'valid'
        ? parsed.warnings.map(({ code, message }) => `${code} ${message}`)
        : parsed.problems
    }
    expect(codes('params.n > 9')).toEqual([
      'shadowed-rule `rules[0]` changes nothing: wherever it matches, `org-limit` in `org.yaml` denies, too',
    ])
    expect(codes('params.n > 1')).toEqual([])
  })
})

describe('a condition that comes out one way', () => {
  test.each([
    ['parts that exclude each other', deny('amount > 5 && amount < 3'), 'never-true'],
    ['two texts at once', deny("tier == 'a' && tier == 'b'"), 'never-true'],
    ['a list shorter than none', deny('size(tags) < 0'), 'never-true'],
    ['a choice of everything', ask('amount > 5 || amount <= 5'), 'always-true'],
    ['a size that everything has', ask('size(tags) >= 0'), 'always-true'],
    ['an exception that never is', deny('paused', ', unless: "amount > 5 && amount < 3"'), 'never-true'],
  ])('%s', (_, rule, code) => {
    expect(codesOf(withRules(rule))).toContain(code)
  })

  test.each([
    ['touching intervals', deny('amount >= 5 && amount <= 5')],
    ['all but one value', ask('amount > 5 || amount < 5')],
    ['a constant that is written as one', ask('true')],
    ['parts that nobody can look into', deny("tier.startsWith('a') && tier.startsWith('b')")],
  ])('silent: %s', (_, rule) => {
    expect(codesOf(withRules(rule))).toEqual([])
  })

  test('`env` is one of the environments, and `agent` one of the agents', () => {
    const policy = (condition: string) =>
      `agent_id: a\nenvironments: [prod, test]\nallowed_actions: [refund]\nrules: [{ condition: "${condition}", effect: deny }]\n`
    expect(codesOf(policy("agent == 'b'"))).toEqual(['never-true'])
    expect(codesOf(policy("agent == 'a' && params.x > 1"))).toEqual([])
    expect(codesOf(policy("env == 'prod' || env == 'test'"))).toEqual(['always-denied', 'always-true'])
    expect(codesOf(policy("env == 'prod'"))).toEqual([])
  })

  test('`action` is one that the rule is on', () => {
    expect(warningsOf(withRules(deny("action == 'mail' && paused")))).toEqual([
      '10:31 never-true `action == \'mail\'` is never true: `action` is always "refund"; correct it, or what is declared of the value',
    ])
    expect(codesOf(withRules('condition: "action == \'mail\' && paused", effect: deny'))).toEqual([])
  })
})

describe('thresholds', () => {
  test('a value between two tiers is told', () => {
    expect(warningsOf(withRules(ask('amount >= 100 && amount < 500'), deny('amount > 500')))).toEqual([
      '11:31 threshold-gap `rules[2]` and `rules[1]` on line 10 leave out exactly 500; write `>=` or `<=` at one of them, or the same limit in both, if no value is to pass between them',
    ])
  })

  test.each([
    ['a run of values', ask('amount >= 100 && amount < 500'), deny('amount > 1000')],
    ['between asking about little and denying much', ask('amount < 500'), deny('amount > 1000')],
    ['fractions', ask('amount >= 100 && amount <= 499'), ask('amount >= 500')],
    ['a value between asking and denying', ask('amount < 500'), deny('amount > 500')],
  ])('a hole: %s', (_, below, above) => {
    expect(codesOf(withRules(below, above))).toEqual(['threshold-gap'])
  })

  test.each([
    ['tiers that meet', ask('amount >= 100 && amount < 500'), deny('amount >= 500')],
    ['negative amounts, and large ones', ask('amount < 0'), deny('amount > 1000')],
    ['tiers that overlap', ask('amount >= 100 && amount < 600'), deny('amount >= 500')],
    ['a range that is allowed', deny('amount <= 0'), deny('amount >= 1')],
    ['what is allowed between', deny('amount < 0'), ask('amount > 500')],
    ['ranges that are forbidden one by one', deny('amount > 80 && amount < 90'), deny('amount > 8000')],
    ['single values', deny('amount == 1'), deny('amount == 3')],
    [
      'other actions',
      ask('amount >= 100 && amount < 500'),
      'on: mail, condition: "amount > 500", effect: deny',
    ],
    ['a further condition', ask('amount >= 100 && amount < 500'), deny('amount > 500 && paused')],
  ])('silent: %s', (_, below, above) => {
    expect(codesOf(withRules(below, above))).toEqual([])
  })

  test('a limit that two rules share, once with `>` and once with `>=`, is told', () => {
    expect(warningsOf(withRules(ask('amount >= 500'), deny('amount > 500')))).toEqual([
      '11:31 threshold-boundary `rules[2]` and `rules[1]` on line 10 share the limit 500, and only one of them includes it; compare with `>` or with `>=` in both, if they mean the same limit',
    ])
    expect(codesOf(withRules(ask('amount >= 500'), deny('amount > 501')))).toEqual([])
  })
})

describe('rules that no call reaches', () => {
  test('on actions that are forbidden only', () => {
    const policy = (on: string) =>
      `agent_id: a\nallowed_actions: [refund]\nforbidden_actions: ["delete_*"]\nrules: [{ on: ${on}, condition: "params.n > 5", effect: deny }]\n`
    expect(warningsOf(policy('delete_user'))).toEqual([
      '4:15 unreachable-rule `rules[0]` speaks only of actions that are never allowed; correct `on`, or remove it: it decides nothing',
    ])
    expect(codesOf(policy('[delete_user, refund]'))).toEqual([])
  })

  test('on actions for which none of its facts exist', () => {
    const policy = (of: string) =>
      `agent_id: a\nallowed_actions: [refund, mail]\nfacts: { n: { type: number, from: context.n, for: ${of} } }\nrules: [{ on: "re*", condition: n > 5, effect: deny }]\n`
    expect(codesOf(policy('mail'))).toEqual(['silent-rule'])
    expect(codesOf(policy('refund'))).toEqual([])
  })

  test('flows, budgets and rates as well', () => {
    const policy = (on: string) =>
      `agent_id: a\nallowed_actions: [refund]\nforbidden_actions: [pay]\nflows: [{ after: { action: refund }, on: ${on}, effect: deny }]\nbudgets: [{ id: b, on: ${on}, count: true, window: 1h, max: 2, effect: deny }]\n`
    expect(codesOf(policy('pay'))).toEqual(['unreachable-rule', 'unreachable-rule'])
    expect(codesOf(policy('refund'))).toEqual([])
  })

  test('an allowed action that a rule denies in any case', () => {
    const policy = (rule: string) => `agent_id: a\nallowed_actions: [refund, "get_*"]\nrules: [{ ${rule} }]\n`
    expect(warningsOf(policy('on: refund, effect: deny'))).toEqual([
      '2:19 always-denied `refund` is allowed, and `rules[0]` on line 3 denies it in any case; forbid it, or give the rule a condition',
    ])
    expect(codesOf(policy('on: refund, effect: deny, condition: "params.n > 5"'))).toEqual([])
    expect(codesOf(policy('on: refund, effect: deny, unless: "params.n > 5"'))).toEqual([])
    expect(codesOf(policy('on: refund, effect: deny, mode: shadow'))).toEqual([])
    expect(codesOf(policy('on: refund, effect: escalate, action: ask'))).toEqual([])
  })
})

test('the policy that users already have gets the two warnings about its facts, and no other', async () => {
  const seed = new URL('../../../../../examples/customer-support/governance_policy.yaml', import.meta.url)
  expect(codesOf(await readFile(seed, 'utf8'))).toEqual(['undeclared-fact', 'undeclared-fact'])
})
