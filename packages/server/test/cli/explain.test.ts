import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ledger, loadPolicies, openDatabase, type OpenedDatabase } from '@bailiwick/store'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeDataDir } from '../../../store/test/harness/cluster-copy.ts'
import { makeTestDir, removeTestDir } from '../../../store/test/harness/data-dir.ts'
import { cli } from './run-cli.ts'

const text = `agent_id: support
allowed_actions: [issue_refund, send_mail, export]
facts:
  refund_amount: {type: number, from: params.amount, for: [issue_refund]}
  vip: {type: bool, from: context.customer.is_vip, default: false}
  iban: {type: string, from: params.iban, for: [issue_refund]}
  tier: {type: string, from: {http: "https://crm.internal/{params.customer}", select: tier}, for: [export]}
actions:
  issue_refund: {sensitive: [params.iban], when: "refund_amount < 10000"}
  export: {obligations: [{redact: result.card}], when: "env == 'prod'"}
rules:
  - {id: foreign, on: issue_refund, condition: "!iban.startsWith('DE') && refund_amount > 50", effect: deny}
  - {id: tiers, on: export, condition: "tier == 'basic'", effect: deny}
escalation_rules:
  - {condition: "refund_amount > 500", action: human_approval_required}
  - {condition: "vip", action: human_review_before_action}
budgets:
  - {id: daily, on: issue_refund, sum: refund_amount, window: 24h, max: 2000, action: human_approval_required}
flows:
  - {id: no-exfiltration, after: {label: untrusted}, on: send_mail, effect: deny}
`
let dir: string
let policy: string

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'bailiwick-explain-'))
  policy = join(dir, 'policy.yaml')
  await writeFile(policy, text)
})
afterAll(() => rm(dir, { recursive: true }))

const run = (command: 'explain' | 'decide', action: string, params: object, ...more: readonly string[]) =>
  cli([command, '--policy', policy, '--action', action, '--params', JSON.stringify(params), ...more])
const refund = { amount: 600, iban: 'DE1234' }

describe('bailiwick explain, of a call that nobody has made', () => {
  test('tells every rule of the action, part by part, with the values that it met', async () => {
    const { code, out } = await run('explain', 'issue_refund', refund)
    expect(code).toBe(0)
    expect(out).toContain('escalate\n  Escalation required: human_approval_required\n')
    expect(out).toContain(
      [
        '  ✓ escalation_rules[0] (line 15) matched: escalate, human_approval_required',
        '      refund_amount > 500 = true',
        '        refund_amount = 600',
      ].join('\n'),
    )
    expect(out).toContain(
      '  ✓ actions.issue_refund.when (line 9) holds\n      refund_amount < 10000 = true\n',
    )
    expect(out).toContain('  ✗ foreign (line 12) did not match; otherwise deny\n')
    expect(out).toContain('        refund_amount > 50 – not asked for\n')
    expect(out).toContain('  2 other rules speak of other actions\n')
  })

  test('says whose word each fact is, and what it would take for another effect', async () => {
    const { out } = await run('explain', 'issue_refund', refund)
    expect(out).toContain("  refund_amount = 600: params.amount, the model's word\n")
    expect(out).toContain("  vip = false: the policy's default, for context.customer.is_vip is absent\n")
    expect(out).toContain('It would be allowed if refund_amount were 500: Action approved\n')
    expect(out).toContain('It would be allowed if human_approval_required were granted: Action approved\n')
  })

  test('what the policy calls sensitive is in no line of it', async () => {
    for (const json of [[], ['--json']]) {
      const { out } = await run('explain', 'issue_refund', refund, ...json)
      expect(out).toContain('•••')
      expect(out).not.toContain('DE1234')
    }
  })

  test('a condition that could not be evaluated stands out, and says why once', async () => {
    const { out } = await run('explain', 'issue_refund', { amount: 'x' })
    expect(out).toContain(
      '  ! escalation_rules[0] (line 15) could not be evaluated, so it counts as matched: escalate, human_approval_required (refund_amount is a string, not a number)\n' +
        '      refund_amount > 500 !\n        refund_amount ! refund_amount is a string, not a number\n',
    )
    expect(out).toContain("  iban is absent: params.iban, the model's word\n")
    expect(out).toContain('! daily: what this call uses cannot be told')
  })

  test('a budget says what is used, what this call uses and what is left of it', async () => {
    const small = { amount: 100, iban: 'DE1234' }
    const inside = await run('explain', 'issue_refund', small, '--used', 'daily=1900')
    expect(inside.out).toContain('✗ daily: 1900 used + 100 by this call of 2000, 0 left')
    expect(inside.out).toMatch(/^allow\n/)
    const beyond = await run('explain', 'issue_refund', small, '--used', 'daily=1900.01')
    expect(beyond.out).toContain('✓ daily: 1900.01 used + 100 by this call of 2000, 0.01 too much')
    expect(beyond.out).toMatch(/^escalate\n/)
  })

  test('--json prints the explanation', async () => {
    const { json } = await run('explain', 'issue_refund', refund, '--json')
    expect(json).toMatchObject({
      effect: 'escalate',
      rules: expect.arrayContaining([
        expect.objectContaining({ id: 'foreign', because: 'not_matched' }),
      ]) as unknown,
      facts: expect.arrayContaining([
        expect.objectContaining({ name: 'refund_amount', value: '600', source: 'params' }),
      ]) as unknown,
      counters: [{ id: 'daily', used: 0, amount: 600, max: 2000 }],
    })
  })

  test('of an agent that the policy does not bind, there is only the reason to tell', async () => {
    const { json } = await run('explain', 'issue_refund', refund, '--agent', 'nobody', '--json')
    expect(json).toMatchObject({ effect: 'deny', code: 'no_policy', rules: [], facts: [], changes: [] })
  })
})

describe('bailiwick explain, of a recorded decision', () => {
  let dataDir: string
  let database: OpenedDatabase
  let ledger: Ledger
  let id: string
  beforeAll(async () => {
    dataDir = await makeTestDir()
    await makeDataDir(dataDir)
    database = await openDatabase({ dataDir })
    const policies = await loadPolicies(policy)
    const { connection } = database
    ledger = await Ledger.open({ connection, policies, dataDir, consoleUrl: 'http://127.0.0.1:7420' })
    await ledger.decide('support', { action: 'issue_refund', params: { ...refund, amount: 400 } })
    ;({ id } = await ledger.decide('support', { action: 'issue_refund', params: refund }))
  })
  afterAll(async () => {
    await ledger.close()
    await database.leave()
    await removeTestDir(dataDir)
  })
  const explainIt = (...args: readonly string[]) => cli(['explain', ...args, '--data', dataDir])

  test('tells what was known when it was decided, beside the running service, and records that it did, each time', async () => {
    const size = (await ledger.head()).size
    const { code, out, err } = await explainIt(id)
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toContain(`${id} escalate\n  Escalation required: human_approval_required\n`)
    expect(out).toContain('✗ daily: 400 used + 600 by this call of 2000, 1000 left')
    expect(out).not.toContain('DE1234')
    expect(out).not.toContain('not what was recorded')
    expect((await explainIt(id, '--json')).json).toMatchObject({ decision: id, same: true, differences: [] })
    expect((await ledger.head()).size).toBe(size + 2)
  })

  test('exits with 1 where it does not come out as it was recorded, and says in what', async () => {
    const change = (from: string, to: string) =>
      ledger.pool.query('update log_batch set records = replace(records, $1, $2)', [from, to])
    await change('Escalation required', 'Escalation wanted')
    const { code, out } = await explainIt(id)
    expect(code).toBe(1)
    expect(out).toContain('This is not what was recorded: made again, the decision differs in reasons.\n')
    const { code: jsonCode, json } = await explainIt(id, '--json')
    expect({ jsonCode, json }).toMatchObject({ jsonCode: 1, json: { same: false, differences: ['reasons'] } })
    await change('Escalation wanted', 'Escalation required')
    expect((await explainIt(id)).code).toBe(0)
  })

  test('there is no answer for what is not there, or was erased', async () => {
    expect(await explainIt('dec_9999')).toMatchObject({ code: 2, out: '' })
    expect(await explainIt(id, '--policy', policy)).toMatchObject({
      code: 2,
      err: expect.stringContaining('has its own policy') as string,
    })
    expect(await cli(['explain', id, '--data', join(dir, 'nowhere')])).toMatchObject({
      code: 2,
      err: expect.stringContaining('there is no log') as string,
    })
    await ledger.pool.query(`update log_batch set bodies = '', erased = array[first]`)
    expect(await explainIt(id)).toMatchObject({
      code: 2,
      err: expect.stringContaining(`the payload of ${id} has been erased`) as string,
    })
  })
})

describe('what decide and explain are told of the surroundings counts', () => {
  test.each([
    ['no label', ['--session', 's-1'], 'allow'],
    ['the label', ['--session', 's-1', '--label', 'untrusted', '--past', 'read_page'], 'deny'],
    ['no session', [], 'deny'],
  ])('a session with %s: %s', async (_, more, effect) => {
    for (const command of ['decide', 'explain'] as const) {
      expect((await run(command, 'send_mail', { to: 'x' }, '--json', ...more)).json).toMatchObject({ effect })
    }
  })

  test.each([
    ['the environment is another', ['--env', 'test'], 'when_false'],
    ['an obligation is not carried out', ['--env', 'prod', '--supports', 'none'], 'obligation_unsupported'],
  ])('denied where %s', async (_, more, code) => {
    const all = ['--lookup', 'tier="gold"', ...more, '--json']
    expect((await run('explain', 'export', { customer: 'c' }, ...all)).json).toMatchObject({
      effect: 'deny',
      code,
    })
  })

  test('a requirement that is not met does not hold, and is no rule that matched', async () => {
    const all = ['--lookup', 'tier="gold"', '--env', 'prod', '--supports', 'none']
    const { out } = await run('explain', 'export', { customer: 'c' }, ...all)
    expect(out).toContain('  ✗ actions.export.obligations (line 10) does not hold: deny\n')
    expect(out).toContain('  ✓ actions.export.when (line 10) holds\n')
  })

  test('allowed where all is well, and then decide says what has to be done beside it', async () => {
    const all = ['--lookup', 'tier="gold"', '--env', 'prod']
    expect((await run('decide', 'export', { customer: 'c' }, ...all, '--json')).json).toMatchObject({
      effect: 'allow',
      obligations: [{ kind: 'redact', path: 'result.card' }],
    })
    expect((await run('decide', 'export', { customer: 'c' }, ...all)).out).toContain(
      '  to do: redact result.card\n',
    )
    const basic = ['--lookup', 'tier="basic"', '--env', 'prod', '--json']
    expect((await run('decide', 'export', { customer: 'c' }, ...basic)).json).toMatchObject({
      effect: 'deny',
    })
    const unknown = ['--env', 'prod', '--json']
    expect((await run('decide', 'export', { customer: 'c' }, ...unknown)).json).toMatchObject({
      effect: 'deny',
    })
  })

  test.each([
    [['--used', 'dayly=3'], 'no budget or rate `dayly`', 'It has daily.'],
    [['--used', 'daily'], 'gives nothing a value', '--used refunds-24h=1900'],
    [['--used', 'daily=-1'], 'not a number of 0 or more', 'used'],
    [['--used', 'daily='], 'not a number of 0 or more', 'used'],
    [['--used', 'daily=1e999'], 'not a number of 0 or more', 'used'],
    [['--label', 'untrusted'], 'none is named', '--session'],
    [['--past', 'read_page'], 'none is named', '--session'],
    [['--lookup', 'teer="gold"'], 'no fact `teer`', 'It has tier.'],
    [['--lookup', 'tier=gold'], '--lookup is not JSON', 'tier="gold"'],
  ])('%j is bad input: %s', async (more, message, fix) => {
    for (const command of ['decide', 'explain'] as const) {
      const { code, json } = await run(command, 'issue_refund', refund, '--json', ...more)
      expect(code).toBe(2)
      expect(json).toMatchObject({
        error: {
          message: expect.stringContaining(message) as string,
          fix: expect.stringContaining(fix) as string,
        },
      })
    }
  })
})

test('the unless of a rule and what a flow comes after are told beside the parts', async () => {
  const file = join(dir, 'unless.yaml')
  await writeFile(
    file,
    `agent_id: a
allowed_actions: [send_mail]
rules:
  - {id: large, condition: params.size > 5, unless: params.urgent, effect: deny}
flows:
  - {id: leak, after: {label: untrusted}, on: send_mail, unless: params.internal, effect: deny}
`,
  )
  const params = JSON.stringify({ size: 6, urgent: false, internal: false })
  const call = ['--action', 'send_mail', '--params', params, '--session', 's', '--label', 'untrusted']
  const { out } = await cli(['explain', '--policy', file, ...call])
  expect(out).toContain('      (params.size > 5) && !(params.urgent)\n      params.size > 5 = true\n')
  expect(out).toContain(
    '      after the label untrusted, unless params.internal\n      params.internal = false\n',
  )
})

test('a policy in shadow mode allows, and decide says what it would have done', async () => {
  const file = join(dir, 'shadow.yaml')
  await writeFile(file, text.replace('agent_id: support', 'agent_id: support\nmode: shadow'))
  const { out, json } = await cli(['decide', '--policy', file, '--action', 'fly', '--json'])
  expect(json, out).toMatchObject({ effect: 'allow', shadow: { effect: 'deny', code: 'not_allowed' } })
  const told = await cli(['decide', '--policy', file, '--action', 'fly'])
  expect(told.out).toContain('  would have been denied, were the policy enforced\n')
})

test('a policy that extends another is read with it, and its rules say in which file they stand', async () => {
  await writeFile(
    join(dir, 'org.yaml'),
    'rules:\n  - {id: no-export, on: export, condition: "params.region == \'EU\'", effect: deny}\n',
  )
  const file = join(dir, 'team.yaml')
  await writeFile(file, 'agent_id: team\nextends: [org.yaml]\nallowed_actions: [export]\n')
  const args = ['--policy', file, '--action', 'export', '--params', '{"region": "EU"}']
  const { out } = await cli(['explain', ...args])
  expect(out).toContain('  ✓ no-export (org.yaml line 2) matched: deny\n')
  expect((await cli(['decide', ...args])).out).toContain(`  org.yaml:2, extended by ${file}, no-export: `)
})

test('nothing to explain is bad input', async () => {
  for (const args of [[], ['--policy', policy], ['--action', 'x']]) {
    expect(await cli(['explain', ...args])).toMatchObject({
      code: 2,
      err: expect.stringContaining('nothing to explain') as string,
    })
  }
})
