import { describe, expect, test } from 'vitest'
import { policyOf, problemsOf } from './written.ts'

const good = 'agent_id: a\nallowed_actions: [refund, ship]\n'
const withFacts = `${good}facts:
  amount: { type: number, from: params.amount, for: refund }
  tier: { type: string, from: context.tier }
`

describe('a policy that says everything is understood', () => {
  const policy = policyOf(`
agents: [support-1, "support-eu-*"]
allowed_actions: [refund, "send_*"]
version: 3
mode: shadow
environments: [prod, staging]
roles: { tier2: [support-1, "support-eu-*"] }
windows:
  office: { zone: Europe/Berlin, days: [mon, tue, wed, thu, fri], from: "08:00", to: "18:00" }
facts:
  amount: { type: number, from: params.amount, for: [refund], unit: USD }
  tier:
    type: string
    from: { http: "https://crm.internal/customers/{params.customer_id}/tier", select: data.tier, timeout: 500ms, cache: 60s }
  orders:
    type: number
    from: { sql: "select count(*) from orders where customer = $1", args: [params.customer_id], source: orders }
actions:
  refund:
    roles: [tier2]
    when: env == 'prod'
    window: office
    environments: [prod]
    sensitive: [params.iban]
    subject: [params.customer_id, context.owner]
    labels: [pii]
    obligations: [{ redact: result.card_number }, { require: context.reason }, { notify: finance }]
rules:
  - { id: night, on: refund, outside: office, unless: "amount < 5", environments: [prod], effect: deny, link: "https://wiki.example.com/night", mode: shadow }
budgets:
  - { id: daily, on: refund, sum: amount, per: context.customer.id, window: 24h, max: 2000, action: lead }
  - { id: monthly, on: refund, count: true, per: [agent, tier], window: { calendar: month, zone: Europe/Berlin }, max: 100, effect: deny }
rates:
  - { id: calm, on: "*", max: 60, window: 1m, effect: deny }
flows:
  - { id: leak, after: { label: pii }, on: "send_*", unless: "params.to.endsWith('@example.com')", effect: deny }
  - { after: { action: refund }, on: "send_*", action: lead }
`)

  test('with its agents, and the first of them as its id', () => {
    expect(policy.ref).toMatchObject({ id: 'support-1', version: 3 })
    expect(
      ['support-1', 'support-eu-7', 'support-us-7'].map((agent) =>
        policy.agents.some((one) => one.matches(agent)),
      ),
    ).toEqual([true, true, false])
    expect(policy).toMatchObject({
      agentId: 'support-1',
      mode: 'shadow',
      environments: { names: ['prod', 'staging'] },
    })
  })

  test('with lookups, their addresses in turns of text and values', () => {
    expect(policy.facts.get('tier')).toMatchObject({
      source: 'lookup',
      lookup: {
        kind: 'http',
        url: ['https://crm.internal/customers/', ['params', 'customer_id'], '/tier'],
        select: ['data', 'tier'],
        timeoutMs: 500,
        cacheMs: 60_000,
      },
    })
    expect(policy.facts.get('orders')?.lookup).toMatchObject({
      kind: 'sql',
      args: [['params', 'customer_id']],
      timeoutMs: 1000,
    })
  })

  test('with the constraints of an action', () => {
    expect(policy.actions).toMatchObject([
      {
        id: 'actions.refund',
        roles: ['tier2'],
        window: { name: 'office', fromMinute: 480, toMinute: 1080 },
        environments: ['prod'],
        sensitive: [['params', 'iban']],
        labels: ['pii'],
        obligations: [
          { kind: 'redact', path: 'result.card_number' },
          { kind: 'notify', channel: 'finance' },
        ],
        requires: [['context', 'reason']],
        line: 19,
      },
    ])
  })

  test('with rules, counters and flows, and the effect that an `action` implies', () => {
    expect(policy.rules).toMatchObject([
      {
        id: 'night',
        effect: 'deny',
        shadow: true,
        link: 'https://wiki.example.com/night',
        facts: ['amount'],
      },
    ])
    expect(policy.counters).toMatchObject([
      { id: 'daily', kind: 'budget', name: 'support-1 daily', effect: 'escalate', route: 'lead', max: 2000 },
      {
        id: 'monthly',
        kind: 'budget',
        effect: 'deny',
        sum: undefined,
        window: { kind: 'calendar', unit: 'month' },
      },
      { id: 'calm', kind: 'rate', window: { kind: 'sliding', ms: 60_000 } },
    ])
    expect(policy.flows).toMatchObject([
      { id: 'leak', effect: 'deny', after: { kind: 'label', label: 'pii' } },
      { id: 'flows[1]', effect: 'escalate', route: 'lead', after: { kind: 'action' } },
    ])
    expect([...policy.routes.keys()]).toEqual(['lead'])
  })
})

describe('one mistake is one error, with its place', () => {
  test.each([
    ['agent_id beside agents', `${good}agents: [b]\n`, '3:1 error `agents` stands beside `agent_id`'],
    ['no agents', 'agents: []\nallowed_actions: [x]\n', '1:9 error `agents` must name at least one agent'],
    [
      'no agent at all',
      'allowed_actions: [x]\n',
      '1:1 error `agent_id` is missing; add it, or check a policy that extends this file',
    ],
    [
      'a role that nobody declared',
      `${good}roles: { tier2: [a] }\nactions: { refund: { roles: [tier1] } }\n`,
      '4:30 error there is no role `tier1`; did you mean `tier2`?',
    ],
    [
      'a window that nobody declared',
      `${good}rules: [{ effect: deny, window: office }]\n`,
      '3:33 error there is no window `office`; declare it under `windows`',
    ],
    [
      'an environment that is not declared',
      `${good}environments: [prod]\nrules: [{ effect: deny, environments: [prdo] }]\n`,
      '4:40 error there is no environment `prdo`; did you mean `prod`?',
    ],
    [
      'a misspelt environment in a condition',
      `${good}environments: [prod, staging]\nactions: { refund: { when: "env == 'prdo'" } }\n`,
      '4:36 error there is no environment `prdo`; did you mean `prod`?',
    ],
    [
      'a misspelt environment in a list',
      `${good}environments: [prod, staging]\nrules: [{ effect: deny, condition: "!(env in ['prod', 'stagin'])" }]\n`,
      'error there is no environment `stagin`; did you mean `staging`?',
    ],
    [
      'a zone that does not exist',
      `${good}windows: { w: { zone: Europe/Berlim } }\n`,
      '3:23 error `windows.w.zone` must be a time zone',
    ],
    ['an offset as a zone', `${good}windows: { w: { zone: "+02:00" } }\n`, 'must be a time zone'],
    [
      'a time without its zero',
      `${good}windows: { w: { zone: UTC, from: "8:00" } }\n`,
      'must be a time of day in quotes',
    ],
    [
      'a window of no length',
      `${good}windows: { w: { zone: UTC, from: "08:00", to: "08:00" } }\n`,
      'begins and ends at the same time',
    ],
    ['a day in full', `${good}windows: { w: { zone: UTC, days: [monday] } }\n`, 'must be one of mon, tue'],
    [
      'a lookup that lets a call choose the host',
      `${good}facts: { x: { type: string, from: { http: "https://{params.host}/x" } } }\n`,
      'error the address of `x` must begin with http:// or https://, a host that is written out',
    ],
    [
      'a lookup with a misspelt key',
      `${good}facts: { x: { type: string, from: { http: "https://h/x", timout: 1s } } }\n`,
      '3:58 error unknown key `timout`; did you mean `timeout`?',
    ],
    [
      'a lookup of two kinds',
      `${good}facts: { x: { type: string, from: { http: "https://h/x", sql: select } } }\n`,
      'must have either `http` or `sql`',
    ],
    [
      'a query with an argument too few',
      `${good}facts: { x: { type: number, from: { sql: "select $1, $2", args: [params.x], source: s } } }\n`,
      'the query uses `$2`, and has 1 arguments',
    ],
    [
      'a query that does not use its argument',
      `${good}facts: { x: { type: number, from: { sql: "select 1", args: [params.x], source: s } } }\n`,
      'the query does not use `$1`',
    ],
    [
      'a default for what is looked up',
      `${good}facts: { x: { type: number, default: 0, from: { http: "https://h/x" } } }\n`,
      'error `x` is looked up, and cannot have a default',
    ],
    [
      'a fact named env',
      `${good}facts: { env: { type: string, from: context.env } }\n`,
      'a fact cannot be named `env`',
    ],
    [
      'a budget without an id',
      `${good}budgets: [{ count: true, window: 1h, max: 1, effect: deny }]\n`,
      '`budgets[0].id` is missing',
    ],
    [
      'a budget of nothing',
      `${good}budgets: [{ id: b, window: 1h, max: 1, effect: deny }]\n`,
      'needs either `sum`, what to add up, or `count: true`',
    ],
    [
      'a budget without an effect',
      `${good}budgets: [{ id: b, count: true, window: 1h, max: 1 }]\n`,
      'needs `effect: deny`, or `action`',
    ],
    [
      'a budget below zero',
      `${good}budgets: [{ id: b, count: true, window: 1h, max: -1, effect: deny }]\n`,
      'must not be negative',
    ],
    [
      'a budget for ever',
      `${good}budgets: [{ id: b, count: true, window: 400d, max: 1, effect: deny }]\n`,
      'must be at most 366d',
    ],
    [
      'a budget by a calendar without a zone',
      `${good}budgets: [{ id: b, count: true, window: { calendar: day }, max: 1, effect: deny }]\n`,
      '`budgets[0].window.zone` is missing',
    ],
    [
      'a sum of a misspelt fact',
      `${withFacts}budgets: [{ id: b, sum: amout, window: 1h, max: 1, effect: deny }]\n`,
      '6:25 error unknown name `amout`; did you mean `amount`?',
    ],
    [
      'a sum of texts',
      `${withFacts}budgets: [{ id: b, sum: tier, window: 1h, max: 1, effect: deny }]\n`,
      '`tier` is a string, which cannot be added up',
    ],
    [
      'a budget on an action for which its fact does not exist',
      `${withFacts}budgets: [{ id: b, on: ship, sum: amount, window: 1h, max: 1, effect: deny }]\n`,
      'the rule names `ship`, for which none of its facts exist',
    ],
    [
      'a rate of nothing',
      `${good}rates: [{ id: r, window: 1m, max: 0, effect: deny }]\n`,
      'must be at least 1',
    ],
    [
      'an id used by a rule and a rate',
      `${good}rules: [{ id: x, effect: deny }]\nrates: [{ id: x, window: 1m, max: 1, effect: deny }]\n`,
      '4:15 error the rule id `x` is used twice',
    ],
    [
      'a flow after two things',
      `${good}flows: [{ after: { label: x, action: refund }, effect: deny }]\n`,
      'must have either `label` or `action`',
    ],
    ['a flow without after', `${good}flows: [{ on: refund, effect: deny }]\n`, '`flows[0].after` is missing'],
    [
      'a flow after a misspelt action',
      `${good}flows: [{ after: { action: refnd }, effect: deny }]\n`,
      'did you mean `refund`?',
    ],
    [
      'constraints of a misspelt action',
      `${good}actions: { refnd: {} }\n`,
      '3:12 error `refnd` is neither allowed nor forbidden; did you mean `refund`?',
    ],
    [
      'an obligation of two kinds',
      `${good}actions: { refund: { obligations: [{ redact: result.x, notify: y }] } }\n`,
      'must have exactly one of',
    ],
    [
      'an obligation of no kind',
      `${good}actions: { refund: { obligations: [{}] } }\n`,
      'must have exactly one of',
    ],
    [
      'a redaction of params',
      `${good}actions: { refund: { obligations: [{ redact: params.x }] } }\n`,
      'must be a path such as result.card_number',
    ],
    [
      'a link that is a script',
      `${good}rules: [{ effect: deny, link: "javascript:alert(1)" }]\n`,
      'must be an address such as',
    ],
    [
      'an unknown name in unless',
      `${withFacts}rules: [{ effect: deny, unless: "tierr == 'x'" }]\n`,
      'unknown name `tierr`; did you mean `tier`?',
    ],
    [
      'a misspelt part of the session',
      `${good}rules: [{ effect: deny, condition: "'x' in session.label" }]\n`,
      '`labels`',
    ],
    [
      'an ill-typed part of the approval',
      `${good}rules: [{ effect: deny, condition: "approval.granted == 'yes'" }]\n`,
      'compares a bool with a string',
    ],
    ['an ill-typed when', `${withFacts}actions: { refund: { when: amount } }\n`, 'must be true or false'],
  ])('%s', (_, text, problem) => {
    const problems = problemsOf(text)
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain(problem)
    expect(problems[0]).toContain(' error ')
  })

  test('without `environments` a condition may compare `env` with anything', () => {
    expect(problemsOf(`${good}rules: [{ effect: deny, condition: "env == 'prdo'" }]\n`)).toEqual([])
  })

  test('texts that only look like a comparison with `env` are no mistake', () => {
    const condition = `env == 'prod' && params.env == 'x' && params.note != "env == 'x'"`
    expect(
      problemsOf(
        `${good}environments: [prod]\nrules:\n  - effect: deny\n    condition: ${JSON.stringify(condition)}\n`,
      ),
    ).toEqual([])
  })

  test('a budget that the model may choose anew by its spelling is a warning', () => {
    const budget = (per: string) =>
      `budgets: [{ id: b, count: true, per: ${per}, window: 1h, max: 1, effect: deny }]\n`
    expect(problemsOf(`${good}${budget('params.customer')}`)).toEqual([
      "3:38 warning what is used is counted apart by `params.customer`, the model's own word: another spelling has a budget of its own; take it from `context`, which the host fills in",
    ])
    const told = (per: string) =>
      problemsOf(`${withFacts}${budget(per)}`).filter((problem) => problem.includes('counted apart'))
    expect(told('amount')).toHaveLength(1)
    expect(told('[tier, context.customer, agent]')).toEqual([])
  })

  test('a label that nothing leaves behind is a warning', () => {
    expect(
      problemsOf(
        `${good}flows: [{ after: { label: pii }, effect: deny }]\nactions: { refund: { labels: [pi] } }\n`,
      ),
    ).toEqual(['3:18 warning no action leaves the label `pii` behind; did you mean `pi`?'])
  })
})
