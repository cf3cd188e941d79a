import { describe, expect, test } from 'vitest'
import { decide } from '../../src/decision/decide.ts'
import { parsePolicy } from '../../src/policy/compile.ts'
import { call, facts, policyOf, problemsOf } from './written.ts'

const leaf = 'agent_id: a\nextends: org.yaml\nallowed_actions: [refund, ship]\n'

describe('a policy that extends another', () => {
  test('is bound by the rules of both, each with its file and line', () => {
    const policy = policyOf(`${leaf}rules: [{ id: own, on: refund, effect: escalate, action: lead }]\n`, {
      'org.yaml': 'rules:\n  - { on: ship, effect: deny, reason: "not on holidays" }\n',
    })
    expect(decide(policy, call('ship'), facts)).toMatchObject({
      code: 'denied_by_rule',
      reasons: ['not on holidays'],
      rules: [{ id: 'org.yaml:rules[0]', file: 'org.yaml', line: 2 }],
    })
    expect(decide(policy, call('refund'), facts)).toMatchObject({
      effect: 'escalate',
      rules: [{ id: 'own', line: 4 }],
    })
  })

  test('allows what every file allows, and lists why', () => {
    const policy = policyOf(leaf.replace(', ship', ''), { 'org.yaml': 'allowed_actions: ["re*", ship]\n' })
    expect(decide(policy, call('refund'), facts)).toMatchObject({
      effect: 'allow',
      rules: [{ id: 'allowed_actions[0]' }, { id: 'org.yaml:allowed_actions[0]', file: 'org.yaml' }],
    })
    expect(decide(policy, call('ship'), facts)).toMatchObject({ code: 'not_allowed' })
  })

  test('is forbidden what any file forbids', () => {
    const policy = policyOf('agent_id: a\nextends: org.yaml\nallowed_actions: ["*"]\n', {
      'org.yaml': 'forbidden_actions: ["delete_*"]\n',
    })
    expect(decide(policy, call('delete_all'), facts)).toMatchObject({
      code: 'forbidden',
      rules: [{ file: 'org.yaml' }],
    })
    expect(decide(policy, call('list_all'), facts)).toMatchObject({ effect: 'allow' })
  })

  test('cannot say what a name of the other means', () => {
    const org = 'rules: [{ id: cap, condition: "amount > 500", effect: deny }]\n'
    expect(decide(policyOf(leaf, { 'org.yaml': org }), call('refund', { amount: 900 }), facts)).toMatchObject(
      {
        code: 'denied_by_rule',
      },
    )
    for (const fact of [
      '{ type: number, from: params.other, default: 0 }',
      '{ type: number, from: params.amount, for: ship }',
    ]) {
      expect(problemsOf(`${leaf}facts: { amount: ${fact} }\n`, { 'org.yaml': org })).toContain(
        'org.yaml:1:32 error `amount` is declared in the policy that extends this file only, which this file does not extend; declare `amount` here, too, or in a file that this one extends',
      )
    }
  })

  test('cannot say what a budget of the other adds up, also through a second file', () => {
    const files = {
      'org.yaml': 'budgets: [{ id: b, on: refund, sum: amount, window: 1d, max: 9, effect: deny }]\n',
      'facts.yaml': 'facts: { amount: { type: number, from: params.other, default: 0 } }\n',
    }
    const both = leaf.replace('org.yaml', '[org.yaml, facts.yaml]')
    expect(problemsOf(both, files)).toContain(
      'org.yaml:1:37 error `amount` is declared in `facts.yaml` only, which this file does not extend; declare `amount` here, too, or in a file that this one extends',
    )
    const mended = { ...files, 'org.yaml': `extends: facts.yaml\n${files['org.yaml']}` }
    expect(policyOf(both, mended).counters).toHaveLength(1)
  })

  test('may use the facts, windows, roles and routes of the other, and the constraints of both apply', () => {
    const org = `
facts: { amount: { type: number, from: params.amount, for: refund } }
roles: { tier2: [a] }
windows: { always: { zone: UTC } }
approvals: { lead: { approvers: ["role:lead"], quorum: 2 } }
actions: { "re*": { roles: [tier2] } }
`
    const policy = policyOf(
      `${leaf}rules: [{ condition: "amount > 5", window: always, effect: escalate, action: lead }]\nactions: { refund: { when: "amount < 9" } }\n`,
      { 'org.yaml': org },
    )
    expect(decide(policy, call('refund', { amount: 6 }), facts)).toMatchObject({ approval: { quorum: 2 } })
    expect(decide(policy, call('refund', { amount: 9 }), facts)).toMatchObject({ code: 'when_false' })
    expect(decide(policy, { ...call('refund', { amount: 1 }), agent: 'b' as never }, facts)).toMatchObject({
      code: 'role_missing',
      rules: [{ id: 'org.yaml:actions.re*.roles' }],
    })
  })

  test('reaches files through files, each path seen from the file it stands in, and each file once', () => {
    const loaded: string[] = []
    const files: Record<string, string> = {
      '../org.yaml': 'rules: [{ id: org, effect: deny }]\n',
      'teams/one.yaml': 'extends: ../../org.yaml\n',
    }
    const parsed = parsePolicy(
      'agent_id: a\nextends: [teams/one.yaml, ../org.yaml]\nallowed_actions: [x]\n',
      {
        load: (path) => {
          loaded.push(path)
          return files[path]
        },
      },
    )
    expect(parsed).toMatchObject({
      kind: 'valid',
      policy: { parents: [{ file: 'teams/one.yaml' }, { file: '../org.yaml' }] },
    })
    expect(loaded).toEqual(['teams/one.yaml', '../org.yaml'])
  })

  test('has another hash when the other file changes, and not when only a comment does', () => {
    const hash = (org: string) => policyOf(leaf, { 'org.yaml': org }).ref.sha256
    expect(hash('domain: x\n')).toBe(hash('# why\ndomain: "x"\n'))
    expect(hash('domain: x\n')).not.toBe(hash('domain: y\n'))
  })

  test('shares the budgets of the other with every policy that extends it, and keeps its own', () => {
    const org = 'budgets: [{ id: all, count: true, window: 1d, max: 5, effect: deny }]\n'
    const own = 'budgets: [{ id: mine, count: true, window: 1d, max: 5, effect: deny }]\n'
    const names = policyOf(leaf + own, { 'org.yaml': org }).counters.map(({ name }) => name)
    expect(names).toEqual(['a mine', ' all'])
  })

  test('may make routes stricter, field by field', () => {
    const policy = policyOf(
      `${leaf}rules: [{ effect: escalate, action: lead }]\napprovals: { lead: { quorum: 3, deadline: 5m } }\n`,
      { 'org.yaml': 'approvals: { lead: { approvers: ["role:lead"], quorum: 2, deadline: 10m } }\n' },
    )
    expect(policy.routes.get('lead')).toMatchObject({
      name: 'lead',
      approvers: ['role:lead'],
      quorum: 3,
      deadlineMs: 300_000,
    })
  })

  test('may repeat a fact word for word', () => {
    const fact = 'facts: { amount: { type: number, from: params.amount } }\n'
    expect(problemsOf(leaf + fact, { 'org.yaml': fact })).toEqual([])
  })

  test('is not told of names in the other that only other policies allow', () => {
    expect(problemsOf(leaf, { 'org.yaml': 'rules: [{ on: export, effect: deny }]\n' })).toEqual([])
  })
})

describe('what a policy may not do with another', () => {
  const lead = 'approvals: { lead: { approvers: ["role:lead", "role:boss"], quorum: 2, deadline: 10m } }\n'
  const asks = 'rules: [{ effect: escalate, action: lead }]\n'
  test.each([
    ['allow more', leaf, 'allowed_actions: ["re*"]\n', '3:27 error `ship` is not allowed by `org.yaml`'],
    [
      'allow a wider pattern',
      'agent_id: a\nextends: org.yaml\nallowed_actions: ["r*"]\n',
      'allowed_actions: ["re*"]\n',
      '3:19 error `r*` is not allowed by `org.yaml`',
    ],
    [
      'give a fact another meaning',
      `${leaf}facts: { amount: { type: number, from: params.sum } }\n`,
      'facts: { amount: { type: number, from: params.amount } }\n',
      '4:10 error `amount` is declared in another way in `org.yaml`',
    ],
    [
      'give a role to others',
      `${leaf}roles: { tier2: [a, b] }\n`,
      'roles: { tier2: [a] }\n',
      '4:10 error `tier2` is declared in another way in `org.yaml`',
    ],
    [
      'widen a window',
      `${leaf}windows: { w: { zone: UTC } }\n`,
      'windows: { w: { zone: UTC, to: "18:00" } }\n',
      '4:12 error `w` is declared in another way',
    ],
    [
      'use an id twice',
      `${leaf}rules: [{ id: x, effect: deny }]\n`,
      'rates: [{ id: x, max: 1, window: 1m, effect: deny }]\n',
      'org.yaml:1:15 error the rule id `x` is used in the policy that extends this file, too',
    ],
    [
      'ask fewer people',
      `${leaf}${asks}approvals: { lead: { quorum: 1 } }\n`,
      lead,
      '5:30 error `lead` needs 2 approvals in a file that this one extends',
    ],
    [
      'wait longer',
      `${leaf}${asks}approvals: { lead: { deadline: 1h } }\n`,
      lead,
      '`lead` waits 10m in a file that this one extends',
    ],
    [
      'ask other people',
      `${leaf}${asks}approvals: { lead: { approvers: ["role:boss", "role:friend"] } }\n`,
      lead,
      '`lead` does not ask role:friend in a file that this one extends',
    ],
    [
      'loosen an enforced file',
      `${leaf}mode: shadow\n`,
      'mode: enforce\n',
      '4:7 error `org.yaml` is to be enforced',
    ],
    [
      'be put in shadow mode by it',
      leaf,
      'mode: shadow\n',
      'org.yaml:1:7 error a file that others extend cannot be in shadow mode',
    ],
    [
      'add an environment',
      `${leaf}environments: [prod, lab]\n`,
      'environments: [prod]\n',
      '4:22 error the environment `lab` is none of those in `org.yaml`',
    ],
    [
      'extend one that binds an agent',
      leaf,
      'agent_id: b\n',
      'org.yaml:1:1 error `agent_id` cannot stand in a file that others extend',
    ],
    [
      'extend a broken file',
      leaf,
      'rules: [{ effct: deny }]\n',
      'org.yaml:1:11 error unknown key `effct`; did you mean `effect`?',
    ],
    [
      'extend itself through it',
      leaf,
      'extends: ./org.yaml\n',
      'org.yaml:1:10 error `./org.yaml` extends itself',
    ],
  ])('%s', (_, text, org, problem) => {
    const problems = problemsOf(text, { 'org.yaml': org })
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain(problem)
  })

  test('extend what is not there', () => {
    expect(problemsOf(leaf)).toEqual([
      '2:10 error there is no file `org.yaml` to extend; check the path: it is seen from this file',
    ])
    expect(parsePolicy(leaf)).toMatchObject({ kind: 'invalid' })
  })

  test('extend what may not be read, which is all that is told of it', () => {
    const refused = { why: 'lies elsewhere', fix: 'keep it here' }
    expect(parsePolicy(leaf, { load: () => refused })).toEqual({
      kind: 'invalid',
      problems: [
        {
          severity: 'error',
          line: 2,
          column: 10,
          message: '`org.yaml`, which this file extends, lies elsewhere',
          fix: 'keep it here',
          code: 'refused-file',
        },
      ],
    })
  })

  test.each(['/etc/policy.yaml', 'file:///x', 'a\\b'])('extend `%s`, which is no relative path', (path) => {
    expect(problemsOf(`agent_id: a\nextends: ${JSON.stringify(path)}\nallowed_actions: []\n`)[0]).toContain(
      'must be a path',
    )
  })

  test('extend files without end', () => {
    const files = Object.fromEntries(
      Array.from({ length: 12 }, (_, at) => [`f${at}.yaml`, `extends: f${at + 1}.yaml\n`]),
    )
    expect(problemsOf('agent_id: a\nextends: f0.yaml\nallowed_actions: []\n', files)).toEqual([
      'f7.yaml:1:10 error the policy extends more than 8 files; put what belongs together into one file',
    ])
  })
})
