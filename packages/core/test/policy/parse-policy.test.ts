import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parsePolicy } from '../../src/policy/compile.ts'
import { policyOf, problemsOf } from './written.ts'

const good = 'agent_id: a\nallowed_actions: [refund, ship]\n'
const withFact = `${good}facts:\n  amount: { type: number, from: params.amount, for: refund }\n`

describe('a policy that is written as it should be', () => {
  test('keeps what was written, with lines', () => {
    const policy = policyOf(`${withFact}version: 3
domain: orders
forbidden_actions: ["delete_*"]
escalation_rules:
  - condition: "amount > 500"
    action: ask
rules:
  - { id: no-eu, on: "ref*", condition: "params.region == 'EU'", effect: deny, reason: "EU" }
approvals:
  ask: { approvers: ["role:lead", "person:ann@example.com"], quorum: 2, deadline: 2h }
`)
    expect(policy).toMatchObject({ agentId: 'a', domain: 'orders', ref: { id: 'a', version: 3 } })
    expect(policy.allowed).toMatchObject([
      { id: 'allowed_actions[0]', line: 2 },
      { id: 'allowed_actions[1]', line: 2 },
    ])
    expect(policy.rules).toMatchObject([
      { id: 'escalation_rules[0]', effect: 'escalate', route: 'ask', facts: ['amount'], line: 9 },
      { id: 'no-eu', effect: 'deny', reason: 'EU', facts: [], line: 12 },
    ])
    expect(policy.routes.get('ask')).toMatchObject({
      name: 'ask',
      approvers: ['role:lead', 'person:ann@example.com'],
      quorum: 2,
      deadlineMs: 7_200_000,
    })
  })

  test('gives five minutes and one person to a route that says nothing of them', () => {
    const policy = policyOf(`${good}rules: [{ effect: escalate, action: ask }]\n`)
    expect(policy.routes.get('ask')).toMatchObject({
      name: 'ask',
      approvers: [],
      quorum: 1,
      deadlineMs: 300_000,
    })
  })

  test('has one hash whatever its comments and quotes, and another for other content', () => {
    const hash = (text: string) => policyOf(text).ref.sha256
    expect(hash('# x\nagent_id: "a"\nallowed_actions:\n  - refund\n  - \'ship\'\n')).toBe(hash(good))
    expect(hash(good.replace('ship', 'shop'))).not.toBe(hash(good))
  })

  test('may begin with a byte order mark and end its lines with CR LF', () => {
    expect(problemsOf(`\u{FEFF}${good.replaceAll('\n', '\r\n')}`)).toEqual([])
    expect(problemsOf(`\u{FEFF}agent_id: a\r\nallowed_actions: [x]\r\nfoo: 1\r\n`)[0]).toMatch(
      /^3:1 error unknown key `foo`/,
    )
  })
})

describe('one mistake is one error, with its place', () => {
  test.each([
    [
      'an unclosed quote',
      'agent_id: "a\nallowed_actions: [x]\n',
      '3:1 error not valid YAML: missing closing',
    ],
    ['wrong indentation', 'agent_id: a\n  allowed_actions: [x]\n', '1:11 error not valid YAML'],
    [
      'two documents',
      `${good}---\nagent_id: b\n`,
      '3:1 error not valid YAML: the file has more than one document',
    ],
    [
      'an alias of nothing',
      'agent_id: a\nallowed_actions: *all\n',
      '2:18 error no anchor `&all` stands before this alias',
    ],
    ['a tag', 'agent_id: !mine a\nallowed_actions: [x]\n', '1:11 error not valid YAML: unresolved tag'],
    [
      'too many aliases',
      `a: &a [${'x,'.repeat(30)}]\nb: &b [${'*a,'.repeat(30)}]\nc: [${'*b,'.repeat(30)}]\n`,
      '1:1 error the YAML cannot be expanded',
    ],
    ['nesting without end', '['.repeat(50_000), 'it nests too deep'],
    [
      'half a character',
      `${good}domain: "\\ud800"\n`,
      '3:9 error the text contains half of a surrogate pair',
    ],
    [
      'a fact named __proto__',
      `${good}facts:\n  __proto__: { type: number, from: params.x }\n`,
      '4:3 error unknown key `__proto__`',
    ],
    [
      'a route named __proto__',
      `${good}approvals:\n  __proto__: { quorum: 2 }\n`,
      '4:3 error unknown key `__proto__`',
    ],
    ['a key for later', `${good}invariants: []\n`, '3:1 error `invariants` is not enforced by this version'],
    [
      'a key of a rule',
      `${good}rules: [{ effect: deny, contition: "true" }]\n`,
      '3:25 error unknown key `contition`; did you mean `condition`?',
    ],
    [
      'a list of actions under the key of their constraints',
      `${good}actions: [refund]\n`,
      '3:10 error `actions` must be a map from an action to its constraints; what is allowed is listed in `allowed_actions`',
    ],
    [
      'a key of a fact',
      `${good}facts: { x: { typ: number, from: params.x } }\n`,
      '3:15 error unknown key `typ`; did you mean `type`?',
    ],
    ['a rule without effect', `${good}rules: [{ on: refund }]\n`, '3:9 error `rules[0].effect` is missing'],
    [
      'an unknown effect',
      `${good}rules: [{ effect: allow }]\n`,
      '3:19 error `rules[0].effect` must be deny or escalate',
    ],
    [
      'an escalation to nowhere',
      `${good}rules: [{ effect: escalate }]\n`,
      'an escalating rule needs `action`',
    ],
    [
      'a quorum that the named people cannot reach',
      `${good}rules: [{ effect: escalate, action: cfo }]\napprovals:\n  cfo: { approvers: ["person:a@b.c"], quorum: 2 }\n`,
      '5:3 error `cfo` needs 2 approvals and names 1 person',
    ],
    [
      'a denying rule that asks somebody',
      `${good}rules: [{ effect: deny, action: cfo }]\n`,
      'a denying rule has no `action`',
    ],
    [
      'a rule for nothing',
      `${good}rules: [{ effect: deny, on: [] }]\n`,
      '3:29 error `rules[0].on` must name at least one action',
    ],
    [
      'an action that is no text',
      'agent_id: a\nallowed_actions: [1]\n',
      '2:19 error `allowed_actions[0]` must be a text',
    ],
    [
      'an action with a space',
      'agent_id: a\nallowed_actions: ["a b"]\n',
      '2:19 error `allowed_actions[0]` must not contain white space',
    ],
    [
      'less than every action logged',
      `${good}audit_frequency: daily\n`,
      '3:18 error `audit_frequency` must be every_action_logged',
    ],
    ['an unknown mode', `${good}mode: dry-run\n`, '3:7 error `mode` must be enforce or shadow'],
    [
      'a deadline of nothing',
      `${good}rules: [{effect: escalate, action: q}]\napprovals: { q: { deadline: 0m } }\n`,
      '4:29 error `approvals.q.deadline` must be a length of time',
    ],
    [
      'a deadline of a year',
      `${good}rules: [{effect: escalate, action: q}]\napprovals: { q: { deadline: 365d } }\n`,
      '4:29 error `approvals.q.deadline` must be at most 30d',
    ],
    [
      'a quorum of nobody',
      `${good}rules: [{effect: escalate, action: q}]\napprovals: { q: { quorum: 0 } }\n`,
      'must be at least 1',
    ],
    [
      'a standing grant for more calls than may be',
      `${good}rules: [{effect: escalate, action: q}]\napprovals: { q: { standing: { uses: 200, lasts: 8h } } }\n`,
      '4:37 error `approvals.q.standing.uses` must be at most 100',
    ],
    [
      'a standing grant for longer than may be',
      `${good}rules: [{effect: escalate, action: q}]\napprovals: { q: { standing: { uses: 2, lasts: 25h } } }\n`,
      '4:47 error `approvals.q.standing.lasts` must be at most 1d',
    ],
    [
      'a fact with a reserved name',
      `${good}facts: { now: { type: number, from: params.x } }\n`,
      '3:10 error a fact cannot be named `now`',
    ],
    [
      'a fact from nowhere',
      `${good}facts: { x: { type: number, from: session.x } }\n`,
      '3:35 error `facts.x.from` must be params. or context.',
    ],
    [
      'a default of another type',
      `${good}facts: { x: { type: number, from: context.x, default: "1" } }\n`,
      '3:55 error the default of `x` is no number',
    ],
    [
      'an unknown name in a condition',
      `${withFact}rules:\n  - condition: "amuont > 5"\n    effect: deny\n`,
      '6:17 error unknown name `amuont`; did you mean `amount`?',
    ],
    [
      'a condition that is no condition',
      `${withFact}rules:\n  - condition: "amount + 1"\n    effect: deny\n`,
      '6:24 error the condition must be true or false',
    ],
    [
      'a condition that does not end',
      `${withFact}rules:\n  - condition: "amount > "\n    effect: deny\n`,
      '6:',
    ],
    [
      'a condition without end',
      `${withFact}rules:\n  - condition: "${'true || '.repeat(600)}true"\n    effect: deny\n`,
      '6:16 error the condition is longer than 4096 characters',
    ],
    [
      'two rules with one id',
      `${good}rules: [{id: r, effect: deny}, {id: r, effect: deny}]\n`,
      '3:37 error the rule id `r` is used twice',
    ],
    [
      'an action both allowed and forbidden',
      `${good}forbidden_actions: [ship]\n`,
      '3:21 error `ship` is both allowed and forbidden',
    ],
    [
      'a misspelt action in a rule',
      `${good}rules: [{ on: refnud, effect: deny }]\n`,
      '3:15 error `refnud` is neither allowed nor forbidden; did you mean `refund`?',
    ],
    [
      'a misspelt action of a fact',
      `${good}facts: { x: { type: number, from: params.x, for: [refunds] } }\n`,
      '3:51 error `refunds` is neither allowed nor forbidden; did you mean `refund`?',
    ],
    [
      'a rule for an action without its facts',
      `${withFact}rules: [{ on: ship, condition: "amount > 5", effect: deny }]\n`,
      '5:15 error the rule names `ship`, for which none of its facts exist',
    ],
  ])('%s', (_, text, problem) => {
    const problems = problemsOf(text)
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain(problem)
    expect(problems[0]).not.toMatch(/^\d+:\d+ warning/)
  })

  test('several mistakes are all told, in the order of the file', () => {
    const problems = problemsOf('agent_id: 7\nallowed_actions: x\nfoo: 1\nrules: [{ effect: no }]\n')
    expect(problems.map((problem) => problem.split(' ')[0])).toEqual(['1:11', '2:18', '3:1', '4:19'])
  })
})

describe('what is odd but safe is a warning', () => {
  test.each([
    [
      'an action that stands twice',
      'agent_id: a\nallowed_actions: [x, x]\n',
      '`x` stands twice in allowed_actions',
    ],
    [
      'an allowed action under a forbidden pattern',
      `${good}forbidden_actions: ["ref*"]\n`,
      '`refund` is never allowed',
    ],
    [
      'a route that nobody asks for',
      `${good}approvals: { ask: { quorum: 1 } }\n`,
      'no rule asks for the route `ask`',
    ],
    [
      'a rule for an action that is not listed',
      `${good}rules: [{ on: write_poems, effect: deny }]\n`,
      '`write_poems` is neither allowed nor forbidden',
    ],
    [
      'a default for the word of a model',
      `${good}facts: { x: { type: bool, from: params.x, default: false } }\nrules: [{ condition: x, effect: deny }]\n`,
      "is the model's own word",
    ],
  ])('%s', (_, text, problem) => {
    const parsed = parsePolicy(text)
    expect(parsed).toMatchObject({ kind: 'valid', warnings: [{ severity: 'warning' }] })
    expect(problemsOf(text)[0]).toContain(problem)
  })

  test('a pattern that covers no listed action is told, and one that looks misspelt is refused', () => {
    const rule = (on: string) =>
      problemsOf(`${good}rules: [{ on: "${on}", condition: "params.n > 1", effect: deny }]\n`)
    expect(rule('export_*')).toEqual([
      expect.stringContaining('warning the pattern `export_*` covers no action'),
    ])
    expect(rule('refnd*')).toEqual([expect.stringContaining('error the pattern `refnd*` covers no action')])
    expect(rule('ref*')).toEqual([])
  })

  test.each([
    ['a number', 'approvals: { 1: { quorum: 1 } }'],
    ['an alias', 'domain: &d rules\n*d : []'],
  ])('%s as a key is refused: it may replace another key unseen', (_, lines) => {
    expect(problemsOf(`${good}${lines}\n`)).toEqual(
      expect.arrayContaining([expect.stringContaining('a key is not a text')]),
    )
  })

  test('another version of YAML is refused: it reads the same text in another way', () => {
    expect(problemsOf(`%YAML 1.1\n---\n${good}`)[0]).toContain('the file asks for YAML 1.1')
  })
})

test('names that JavaScript objects inherit are names like any other', () => {
  const policy = policyOf(`${good}facts:
  constructor: { type: number, from: params.constructor }
  toString: { type: string, from: context.a.toString }
`)
  expect([...policy.facts.keys()]).toEqual(['constructor', 'toString'])
})

test('no text whatsoever makes the parser throw, and every problem has a place', () => {
  const pieces = fc.constantFrom(
    'agent_id',
    'allowed_actions',
    'rules',
    'facts',
    ': ',
    '\n',
    '  ',
    '- ',
    '[',
    ']',
    '{',
    '}',
    '"',
    "'",
    '|',
    '>',
    '&a ',
    '*a',
    '<<',
    '!t ',
    '#',
    'x',
    '1',
    '.nan',
    'null',
    '\u{0}',
    '\ud800',
    '%YAML 1.1\n---\n',
    '? ',
    ',',
    'condition',
    'x > 1',
  )
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
      const parsed = parsePolicy(parts.join(''))
      const problems = parsed.kind === 'valid' ? parsed.warnings : parsed.problems
      if (parsed.kind === 'invalid') expect(problems.length).toBeGreaterThan(0)
      for (const { line, column } of problems) {
        expect(line).toBeGreaterThanOrEqual(1)
        expect(column).toBeGreaterThanOrEqual(1)
      }
    }),
    { numRuns: 2_000 },
  )
})
