import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { cli, exampleFile } from './run-cli.ts'
import { seedCases } from './seed-cases.ts'

const policy = exampleFile('policies/customer-support.yaml')
const decide = (...args: readonly string[]) => cli(['decide', '--policy', policy, '--json', ...args])

describe('the calls of the original policy get the answers that their users expect', () => {
  test.each(seedCases)('$action $params: $effect', async ({ action, params, effect, reason }) => {
    const run = await decide('--action', action, '--params', JSON.stringify(params))
    expect(run).toMatchObject({ code: 0, err: '' })
    expect(run.json).toMatchObject({
      id: null,
      effect,
      reasons: [reason],
      policy: { id: 'customer-support-agent-v2', version: null },
      record: null,
    })
  })
})

describe('what cannot be evaluated is not allowed', () => {
  test.each(['{}', '{"amount":"600"}', '{"amount":"100"}', '{"amount":null}', '{"amount":[100]}'])(
    'a refund with %s waits for a person',
    async (params) => {
      const run = await decide('--action', 'issue_refund', '--params', params)
      expect(run.json).toMatchObject({ effect: 'escalate' })
      expect(run.code).toBe(0)
    },
  )

  test('an amount beyond all numbers is denied', async () => {
    const run = await decide('--action', 'issue_refund', '--params', '{"amount":1e999}')
    expect(run.json).toMatchObject({
      effect: 'deny',
      reasons: ['Call is malformed: params.amount is infinite'],
    })
    expect(run.code).toBe(0)
  })

  test('half a character is denied', async () => {
    const run = await decide('--action', 'issue_refund', '--params', String.raw`{"amount":1,"note":"\ud800"}`)
    expect(run.json).toMatchObject({ effect: 'deny' })
  })

  test('a flag under __proto__ is no flag', async () => {
    const run = await decide('--action', 'issue_refund', '--params', '{"__proto__":{"amount":100}}')
    expect(run.json).toMatchObject({ effect: 'escalate' })
  })
})

test('another agent than the policy binds is denied, by no policy', async () => {
  const run = await decide(
    '--action',
    'issue_refund',
    '--params',
    '{"amount":100}',
    '--agent',
    'somebody-else',
  )
  expect(run.json).toMatchObject({ effect: 'deny', policy: null, rules: [] })
})

test('every rule that determined is listed with its line', async () => {
  const run = await decide('--action', 'issue_refund', '--params', '{"amount":600,"is_vip":true}')
  expect(run.json).toMatchObject({
    rules: [
      { id: 'escalation_rules[0]', because: 'matched', line: 13, condition: 'refund_amount > 500' },
      { id: 'escalation_rules[1]', because: 'matched', line: 15 },
    ],
  })
})

test('without --json it says the same to people', async () => {
  const run = await cli([
    'decide',
    '--policy',
    policy,
    '--action',
    'issue_refund',
    '--params',
    '{"amount":600}',
  ])
  expect(run.out).toContain('escalate\n  Escalation required: human_approval_required\n')
  expect(run.out).toContain('customer-support.yaml:13 escalation_rules[0]: refund_amount > 500')
})

describe('bad input is no answer, and exits with 2', () => {
  const call = ['--action', 'issue_refund']
  test.each([
    ['parameters that are not JSON', [...call, '--params', '{"amount":'], '--params is not JSON'],
    ['parameters that are a list', [...call, '--params', '[1]'], '`params` must be an object'],
    ['parameters that are null', [...call, '--params', 'null'], '`params` must be an object'],
    ['a context that is a text', [...call, '--context', '"x"'], '`context` must be an object'],
    ['an action with a space', ['--action', 'issue refund'], '`action` must be'],
    ['a day that does not exist', [...call, '--now', '2026-02-30T00:00:00Z'], 'is no time'],
    ['a date without a time', [...call, '--now', '2026-02-28'], 'is no time'],
    ['no action', [], "required option '--action <name>' not specified"],
    ['too much', [...call, '--params', JSON.stringify({ a: 'x'.repeat(70_000) })], 'larger than 64 KiB'],
  ])('%s', async (_, args, message) => {
    const run = await decide(...args)
    expect(run.code).toBe(2)
    expect(run.json).toMatchObject({ error: { message: expect.stringContaining(message) as string } })
  })

  test('a policy that is not there', async () => {
    const run = await cli(['decide', '--policy', '/nowhere/policy.yaml', '--action', 'x'])
    expect(run).toMatchObject({
      code: 2,
      out: '',
      err: 'bailiwick: there is no file `/nowhere/policy.yaml`\nCheck the path.\n',
    })
  })
})

test('the instant is the one that --now names', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'bailiwick-decide-'))
  try {
    const file = join(dir, 'policy.yaml')
    const condition = `now >= timestamp("2026-02-01T00:00:00Z")`
    await writeFile(
      file,
      `agent_id: a\nallowed_actions: [x]\nrules: [{effect: deny, condition: '${condition}'}]\n`,
    )
    const at = (now: string) => cli(['decide', '--policy', file, '--action', 'x', '--json', '--now', now])
    expect((await at('2026-02-01T00:59:59+01:00')).json).toMatchObject({ effect: 'allow' })
    expect((await at('2026-02-01T01:00:00+01:00')).json).toMatchObject({ effect: 'deny' })
  } finally {
    await rm(dir, { recursive: true })
  }
})
