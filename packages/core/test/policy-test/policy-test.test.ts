import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { problemText } from '../../src/model/problem.ts'
import { junitReport } from '../../src/policy-test/junit-report.ts'
import type { SuiteReport } from '../../src/policy-test/report.ts'
import { runPolicyTest } from '../../src/policy-test/run.ts'
import { parsePolicyTest, policyTestNowDefault, type PolicyTestSuite } from '../../src/policy-test/suite.ts'
import { textReport } from '../../src/policy-test/text-report.ts'
import { policyOf } from '../policy/written.ts'

const policy = policyOf(`
agent_id: a
allowed_actions: [refund, wait]
facts: { amount: { type: number, from: params.amount, for: refund }, vip: { type: bool, from: context.vip, default: false } }
escalation_rules:
  - { condition: "amount > 500", action: lead }
  - { condition: "vip", action: manager }
rules:
  - { on: wait, condition: 'now < timestamp("2026-06-01T00:00:00Z")', effect: deny, reason: "Not yet" }
`)

function suiteOf(text: string): PolicyTestSuite {
  const parsed = parsePolicyTest(text)
  if (parsed.kind === 'valid') return parsed.suite
  throw new Error(parsed.problems.map((problem) => problemText('test', problem)).join('\n'))
}

function problemsOf(text: string): readonly string[] {
  const parsed = parsePolicyTest(text)
  return parsed.kind === 'valid' ? [] : parsed.problems.map((problem) => problemText('t', problem))
}

const run = (cases: string) => runPolicyTest(policy, suiteOf(`policy: p.yaml\ncases:\n${cases}`))
const ran = (cases: string): SuiteReport => ({
  kind: 'ran',
  file: 't.yaml',
  policy: 'p.yaml',
  report: run(cases),
})

describe('a policy test file', () => {
  test('names a policy and cases, in a short form and a long one', () => {
    const suite = suiteOf(`policy: ../p.yaml
cases:
  - action: refund
    expect: allow
  - name: large
    action: refund
    params: { amount: 600 }
    context: { vip: true }
    now: 2026-02-28T23:30:00-01:00
    expect: { effect: escalate, reason: "x", rules: [r] }
`)
    expect(suite).toEqual({
      policy: '../p.yaml',
      policyPlace: { line: 1, column: 9 },
      cases: [
        {
          name: 'case 1: refund',
          line: 3,
          action: 'refund',
          params: {},
          context: {},
          now: policyTestNowDefault,
          expect: { effect: 'allow' },
        },
        {
          name: 'large',
          line: 5,
          action: 'refund',
          params: { amount: 600 },
          context: { vip: true },
          now: Date.UTC(2026, 2, 1, 0, 30),
          expect: { effect: 'escalate', reason: 'x', rules: ['r'] },
        },
      ],
    })
  })

  const one = 'policy: p.yaml\ncases:\n'
  test.each([
    ['no cases', 'policy: p.yaml\ncases: []\n', 't:2:8 `cases` must have at least one case'],
    ['cases of nothing', 'policy: p.yaml\ncases:\n', 't:2:7 `cases` must be a list of cases'],
    ['no policy', 'cases: [{action: x, expect: deny}]\n', 't:1:1 `policy` is missing'],
    ['no expectation', `${one}  - action: x\n`, 't:3:5 `cases[0].expect` is missing'],
    [
      'an unknown effect',
      `${one}  - {action: x, expect: alow}\n`,
      't:3:25 `cases[0].expect.effect` must be one of allow, deny, escalate',
    ],
    [
      'an unknown effect in the long form',
      `${one}  - {action: x, expect: {effect: no}}\n`,
      't:3:34 `cases[0].expect.effect` must be one of',
    ],
    [
      'a misspelt key',
      `${one}  - {actoin: x, expect: deny}\n`,
      't:3:6 unknown key `actoin`; did you mean `action`?',
    ],
    [
      'a misspelt key of an expectation',
      `${one}  - {action: x, expect: {effect: deny, reson: y}}\n`,
      't:3:40 unknown key `reson`; did you mean `reason`?',
    ],
    [
      'a reason in the wrong place',
      `${one}  - {action: x, expect: deny, reason: y}\n`,
      't:3:31 unknown key `reason`',
    ],
    [
      'parameters that are a list',
      `${one}  - {action: x, params: [1], expect: deny}\n`,
      't:3:25 `cases[0].params` must be a map',
    ],
    [
      'a time that is none',
      `${one}  - {action: x, now: 2026-02-30T00:00:00Z, expect: deny}\n`,
      't:3:22 `cases[0].now` must be a time',
    ],
    [
      'a date',
      `${one}  - {action: x, now: 2026-02-01, expect: deny}\n`,
      't:3:22 `cases[0].now` must be a time',
    ],
    ['bad YAML', 'policy: [\n', 'not valid YAML'],
    [
      'a large file',
      `${one}  - {action: x, expect: deny}\n# ${'x'.repeat(1024 * 1024)}\n`,
      't:1:1 the policy test is larger than 1 MiB',
    ],
  ])('with %s is refused with one problem', (_, text, problem) => {
    const problems = problemsOf(text)
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain(problem)
  })

  test('tells all its problems at once', () => {
    expect(problemsOf('polcy: x\ncases: [{action: x}, {expect: deny}]\n')).toHaveLength(3)
  })
})

describe('a case', () => {
  test('passes where effect, reason and rules are as it says', () => {
    const report = run(`
  - {action: refund, params: {amount: 1}, expect: allow}
  - {action: refund, params: {amount: 600}, expect: {effect: escalate, reason: "Escalation required: lead", rules: ["escalation_rules[0]"]}}
  - {action: refund, params: {amount: 600}, context: {vip: true}, expect: {effect: escalate, reason: "Escalation required: manager", rules: ["escalation_rules[1]", "escalation_rules[0]"]}}
  - {action: other, expect: {effect: deny, rules: []}}
`)
    expect(report).toMatchObject({ passed: 4, failed: 0 })
  })

  test.each([
    [
      'another effect',
      '{action: refund, params: {amount: 600}, expect: allow}',
      'expected allow, got escalate',
    ],
    [
      'another reason',
      '{action: other, expect: {effect: deny, reason: "No"}}',
      'expected the reason "No", got "Action not in allowed list"',
    ],
    [
      'part of a reason',
      '{action: other, expect: {effect: deny, reason: "Action"}}',
      'expected the reason "Action"',
    ],
    [
      'another rule',
      '{action: refund, params: {amount: 1}, expect: {effect: allow, rules: [r]}}',
      'expected the rules r, got allowed_actions[0]',
    ],
    [
      'a rule too few',
      '{action: refund, params: {amount: 600}, context: {vip: true}, expect: {effect: escalate, rules: ["escalation_rules[0]"]}}',
      'got escalation_rules[0], escalation_rules[1]',
    ],
    [
      'a call that is none',
      `{action: refund, params: {note: ${'x'.repeat(70_000)}}, expect: deny}`,
      'the call could not be decided: params and context are larger than 64 KiB',
    ],
  ])('fails with %s', (_, testCase, difference) => {
    const { cases, failed } = run(`  - ${testCase}\n`)
    expect(failed).toBe(1)
    expect(cases[0]?.differences.join()).toContain(difference)
  })

  test('with NaN or an infinity is denied, as the service denies it', () => {
    const report = run(
      '  - {action: refund, params: {amount: .nan}, expect: {effect: deny, reason: "Call is malformed: params.amount is NaN"}}\n  - {action: refund, params: {amount: .inf}, expect: deny}\n',
    )
    expect(report).toMatchObject({ passed: 2, cases: [{ actual: { code: 'malformed_call' } }, {}] })
  })

  test('happens when it says, and else at the beginning of 2026', () => {
    const report = run(`
  - {action: wait, expect: {effect: deny, reason: "Not yet"}}
  - {action: wait, now: "2026-05-31T23:59:59.999Z", expect: deny}
  - {action: wait, now: "2026-06-01T00:00:00Z", expect: allow}
`)
    expect(report.passed).toBe(3)
  })
})

describe('the report for people', () => {
  test('says of a failed case what was expected, what came, and which rules did it', () => {
    const text = textReport([
      ran(
        '  - {name: small, action: refund, params: {amount: 1}, expect: allow}\n  - {name: lost, action: refund, expect: {effect: allow, reason: "Action approved"}}\n',
      ),
    ])
    expect(text).toBe(`t.yaml
  ✓ small
  ✗ lost (t.yaml:4)
      expected allow, got escalate
      expected the reason "Action approved", got "Escalation required: lead", "condition_error in escalation_rules[0]: amount is missing; params.amount is absent (the model's word)"
      expected  allow "Action approved"
      got       escalate "Escalation required: lead", "condition_error in escalation_rules[0]: amount is missing; params.amount is absent (the model's word)"
                escalation_rules[0] (p.yaml:6): amount > 500; could not be evaluated: amount is missing; params.amount is absent (the model's word)

1 passed, 1 failed
`)
  })

  test('writes control characters out, so that a file cannot write to a terminal', () => {
    const text = textReport([ran('  - {name: "\\e[31mred\\nnext\\u202e", action: refund, expect: allow}\n')])
    expect(text).toContain('\\u{1b}[31mred\\u{a}next\\u{202e}')
    expect(text).not.toContain('\u{1b}')
  })

  test('names the problems of a file that could not be run', () => {
    const problem = { severity: 'error', line: 2, column: 3, message: 'it is wrong', fix: 'mend it' } as const
    const suite: SuiteReport = { kind: 'invalid', file: 't.yaml', problems: [{ file: 'p.yaml', problem }] }
    expect(textReport([suite])).toContain('  p.yaml:2:3 it is wrong; mend it\n')
    expect(textReport([suite])).toContain('1 file could not be run')
    expect(junitReport([suite])).toContain('<error message="p.yaml:2:3 it is wrong; mend it" type="invalid">')
  })
})

describe('the report as JUnit XML', () => {
  test('has a testcase for each case', () => {
    const xml = junitReport([
      ran(
        '  - {name: small, action: refund, params: {amount: 1}, expect: allow}\n  - {name: big, action: refund, params: {amount: 1}, expect: deny}\n',
      ),
    ])
    expect(xml).toContain('<testsuites name="bailiwick" tests="2" failures="1" errors="0">')
    expect(xml).toContain('<testsuite name="t.yaml" tests="2" failures="1" errors="0" skipped="0">')
    expect(xml).toContain('<testcase classname="t.yaml" name="small" file="t.yaml" line="3"/>')
    expect(xml).toContain('<failure message="expected deny, got allow" type="decision">')
  })

  test('is well-formed XML 1.0 whatever names and reasons contain', () => {
    const allowed = /^[\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]*$/u
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (text) => {
        const result = {
          name: text,
          line: 1,
          passed: false,
          expected: { effect: 'allow', reason: text },
          actual: null,
          differences: [text],
        } as const
        const report = { cases: [result], passed: 0, failed: 1 }
        const xml = junitReport([{ kind: 'ran', file: text, policy: text, report }])
        expect(xml).toMatch(allowed)
        // Nothing but our own elements, and every ampersand begins an entity.
        expect(xml.match(/</g)).toHaveLength(9)
        expect(xml).not.toMatch(/&(?!(amp|lt|gt|quot|apos|#9|#10|#13);)/)
      }),
    )
  })

  test.each([
    ['<b>&"\'', '&lt;b&gt;&amp;&quot;&apos;'],
    ['a\u{0}b\u{1b}c\u{ffff}', 'a\u{fffd}b\u{fffd}c\u{fffd}'],
    ['a\nb\tc', 'a&#10;b&#9;c'],
    ['😀', '😀'],
  ])('writes the name %j as %s', (name, written) => {
    const result = {
      name,
      line: 1,
      passed: true,
      expected: { effect: 'allow' },
      actual: null,
      differences: [],
    } as const
    const report = { cases: [result], passed: 1, failed: 0 }
    expect(junitReport([{ kind: 'ran', file: 't', policy: 'p', report }])).toContain(`name="${written}"`)
  })
})

describe('a case may say what the world knew', () => {
  const worldly = policyOf(`
agents: [a, "eu-*"]
allowed_actions: [refund, send, pay]
environments: [prod]
roles: { tier2: ["eu-*"] }
facts: { tier: { type: string, from: { http: "https://crm.example.com/{params.id}" }, for: pay } }
actions: { send: { roles: [tier2] }, refund: { obligations: [{ redact: result.card }] } }
rules: [{ id: tin, on: pay, condition: "tier == 'tin'", effect: deny }]
budgets: [{ id: daily, on: refund, sum: params.amount, window: 1d, max: 100, effect: deny }]
flows: [{ id: leak, after: { label: pii }, on: send, effect: deny }]
`)
  const resultOf = (written: string, by = worldly) =>
    runPolicyTest(by, suiteOf(`policy: p.yaml\ncases:\n  - ${written}\n`)).cases[0]?.differences

  test.each([
    ['env', '{ action: refund, params: { amount: 1 }, env: prod, expect: allow }'],
    ['no env', '{ action: refund, params: { amount: 1 }, expect: deny }'],
    [
      'counters',
      '{ action: refund, params: { amount: 1 }, env: prod, counters: { daily: 100 }, expect: { effect: deny, rules: [daily] } }',
    ],
    [
      'counters with room',
      '{ action: refund, params: { amount: 1 }, env: prod, counters: { daily: 99 }, expect: allow }',
    ],
    ['agent', '{ action: send, agent: eu-1, env: prod, session: {}, expect: allow }'],
    ['the own agent', '{ action: send, env: prod, session: {}, expect: deny }'],
    [
      'session',
      '{ action: send, agent: eu-1, env: prod, session: { labels: [pii] }, expect: { effect: deny, rules: [leak] } }',
    ],
    ['no session', '{ action: send, agent: eu-1, env: prod, expect: deny }'],
    ['lookups', '{ action: pay, params: { id: 1 }, env: prod, lookups: { tier: gold }, expect: allow }'],
    [
      'failed lookups',
      '{ action: pay, params: { id: 1 }, env: prod, lookups: { tier: { failed: timeout } }, expect: deny }',
    ],
    ['no lookups', '{ action: pay, params: { id: 1 }, env: prod, expect: deny }'],
    ['supports', '{ action: refund, params: { amount: 1 }, env: prod, supports: [], expect: deny }'],
  ])('%s', (_, written) => {
    expect(resultOf(written)).toEqual([])
    const other = written.includes('expect: allow')
      ? written.replace('expect: allow', 'expect: deny')
      : written.replace(/expect: .*/, 'expect: allow }')
    expect(resultOf(other)?.[0]).toMatch(/^expected (allow|deny), got (allow|deny)$/)
  })

  test('and a misspelt counter or fact does not pass', () => {
    expect(
      resultOf('{ action: refund, params: { amount: 1 }, env: prod, counters: { dayly: 1 }, expect: allow }'),
    ).toEqual(['the policy has no budget and no rate `dayly`'])
    expect(
      resultOf('{ action: refund, params: { amount: 1 }, env: prod, lookups: { teir: x }, expect: allow }'),
    ).toEqual(['the policy looks no fact `teir` up'])
  })

  test('and what a policy in shadow mode would have done', () => {
    const shadow = policyOf('agent_id: a\nallowed_actions: [x]\nforbidden_actions: [y]\nmode: shadow\n')
    expect(resultOf('{ action: y, expect: { effect: allow, shadow: deny } }', shadow)).toEqual([])
    expect(resultOf('{ action: x, expect: { effect: allow, shadow: none } }', shadow)).toEqual([])
    expect(resultOf('{ action: y, expect: { effect: allow, shadow: none } }', shadow)).toEqual([
      'expected the shadow none, got deny',
    ])
  })
})
