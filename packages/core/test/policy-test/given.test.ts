import { describe, expect, test } from 'vitest'
import { problemText } from '../../src/model/problem.ts'
import { runPolicyTest } from '../../src/policy-test/run.ts'
import { parsePolicyTest } from '../../src/policy-test/suite.ts'
import { policyOf } from '../policy/written.ts'

const policy = policyOf(`
agents: [desk-1, "desk-*"]
allowed_actions: [refund, mail, read, wipe, card, tier]
roles: { senior: [desk-2] }
facts:
  amount: { type: number, from: params.amount, for: refund }
  tier: { type: string, from: { http: "https://crm.example/{params.customer}", select: tier }, for: tier }
actions:
  wipe: { environments: [dev] }
  read: { labels: [strange] }
  card: { obligations: [{ redact: result.number }] }
rules:
  - { id: small-tier, on: tier, condition: 'tier != "gold"', effect: deny }
  - { id: juniors, on: refund, condition: '!("senior" in roles) && amount > 50', effect: deny }
budgets:
  - { id: daily, on: refund, sum: amount, window: 24h, max: 100, effect: deny }
flows:
  - { id: tainted, after: { label: strange }, on: mail, effect: deny }
`)

/** What the policy says to one call, with what a case says beside it. */
function decided(call: string, given = ''): string {
  const parsed = parsePolicyTest(`policy: p.yaml\ncases:\n  - { ${call}, ${given} expect: allow }\n`)
  if (parsed.kind === 'invalid') return parsed.problems.map((one) => problemText('t', one)).join('\n')
  const [result] = runPolicyTest(policy, parsed.suite).cases
  const differences = result?.differences.filter((text) => !text.startsWith('expected')) ?? []
  if (differences.length > 0) return differences.join()
  return [result?.actual?.effect, ...(result?.actual?.rules.map(({ id }) => id) ?? [])].join(' ')
}

const refund = 'action: refund, params: { amount: 40 }'

describe('what a case says beside its call', () => {
  test('nothing has been used of a budget, unless it says so', () => {
    expect(decided(refund)).toMatch(/^allow/)
    expect(decided(refund, 'used: { daily: 60 },')).toMatch(/^allow/)
    expect(decided(refund, 'used: { daily: 60.01 },')).toBe('deny daily')
  })

  test('nothing has happened in its session, unless it says so', () => {
    expect(decided('action: mail')).toMatch(/^allow/)
    expect(decided('action: mail', 'session: { labels: [other] },')).toMatch(/^allow/)
    expect(decided('action: mail', 'session: { labels: [strange] },')).toBe('deny tainted')
    expect(decided('action: mail', 'session: none,')).toBe('deny tainted')
  })

  test('it is called by the first of several agents, unless it names another', () => {
    const large = 'action: refund, params: { amount: 60 }'
    expect(decided(large)).toBe('deny juniors')
    expect(decided(large, 'agent: desk-2,')).toMatch(/^allow/)
  })

  test('it happens in no environment, unless it names one', () => {
    expect(decided('action: wipe')).toMatch(/^deny/)
    expect(decided('action: wipe', 'env: prod,')).toMatch(/^deny/)
    expect(decided('action: wipe', 'env: dev,')).toMatch(/^allow/)
  })

  test('what is looked up is found only if it says so', () => {
    const call = 'action: tier, params: { customer: c1 }'
    expect(decided(call)).toBe('deny small-tier')
    expect(decided(call, 'lookups: { tier: silver },')).toBe('deny small-tier')
    expect(decided(call, 'lookups: { tier: gold },')).toMatch(/^allow/)
  })

  test('obligations are carried out, unless it says otherwise', () => {
    expect(decided('action: card')).toMatch(/^allow/)
    expect(decided('action: card', 'supports: [],')).toMatch(/^deny/)
  })

  test('what the policy does not have fails the case', () => {
    expect(decided(refund, 'used: { daly: 60 },')).toBe('there is no budget or rate `daly`')
    expect(decided(refund, 'lookups: { amount: 60 },')).toBe('no fact `amount` is looked up')
  })

  test('of the wrong shape is a problem of the file', () => {
    expect(decided(refund, 'used: { daily: -1 },')).toContain('must not be negative')
    expect(decided(refund, 'session: [strange],')).toContain('must be a map with labels or actions, or none')
  })
})
