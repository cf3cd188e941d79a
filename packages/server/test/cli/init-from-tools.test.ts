import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  compileParamsSchema,
  parsePolicy,
  parsePolicyTest,
  runPolicyTest,
  type PolicyTestSuite,
} from '@bailiwick/core'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { draftPolicy } from '../../src/cli/draft-policy.ts'
import { readToolList } from '../../src/cli/tool-list.ts'
import { cli } from './run-cli.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'bailiwick-init-'))
})
afterEach(() => rm(dir, { recursive: true }))

const tools = {
  tools: [
    {
      name: 'get_balance',
      description: 'Get the balance.',
      inputSchema: { type: 'object', properties: {}, title: 'Input' },
    },
    {
      name: 'send_money',
      description: 'Sends a transaction to the recipient.',
      inputSchema: {
        type: 'object',
        properties: {
          recipient: { type: 'string', description: 'IBAN', title: 'Recipient' },
          amount: { type: 'number', minimum: 0, format: 'double' },
          note: { anyOf: [{ type: 'string' }, { type: 'null' }], default: null },
        },
        required: ['recipient', 'amount'],
      },
    },
    { name: 'delete_account', description: 'Deletes the account.', inputSchema: { type: 'object' } },
    { name: 'frobnicate', annotations: { readOnlyHint: true } },
    { name: 'two words', description: 'No policy can name it.' },
  ],
}

/** Until the language knows `actions`, drafts are checked without that block, which stands last. */
function known(policy: string): string {
  return languageKnowsActions() ? policy : policy.slice(0, policy.indexOf('\n# What the tools say'))
}

/** The cases that hold without that block. */
function knownCases(suite: PolicyTestSuite): PolicyTestSuite {
  const cases = suite.cases.filter(({ name }) => !name.endsWith('without parameters is denied'))
  return languageKnowsActions() ? suite : { ...suite, cases }
}

function languageKnowsActions(): boolean {
  return (
    parsePolicy('agent_id: a\nallowed_actions: [x]\nactions: { x: { params: { type: object } } }\n').kind ===
    'valid'
  )
}

interface Draft {
  readonly allowed_actions: readonly string[]
  readonly forbidden_actions: readonly string[]
  readonly rules?: readonly { readonly on: readonly string[] }[]
  readonly actions?: Readonly<Record<string, { readonly params: unknown }>>
}

describe('bailiwick init --from-tools', () => {
  async function initialised(): Promise<string> {
    const file = join(dir, 'tools.json')
    await writeFile(file, JSON.stringify(tools))
    const run = await cli(['init', join(dir, 'p'), '--from-tools', file, '--agent', 'bank-1'])
    expect(run).toMatchObject({ code: 0, err: '' })
    expect(run.out).toContain('Of 5 tools: 2 allowed, 1 wait for a person, 1 forbidden, 1 left out.')
    return readFile(join(dir, 'p', 'policy.yaml'), 'utf8')
  }

  test('allows what reads, lets a person decide what changes, forbids what destroys, and says why', async () => {
    const text = await initialised()
    for (const line of [
      'agent_id: bank-1',
      '  - get_balance # the name says `get`',
      '  - frobnicate # it is annotated as read-only, by its own word',
      '  - send_money # the name says `send`',
      '  - delete_account # the name says `delete`',
      '# Not in this policy, and so denied: "two words", because its name contains white space or control characters.',
      '    # left out: properties.amount.format (unknown format `double`)',
    ]) {
      expect(text.split('\n')).toContain(line)
    }
    const draft = parse(text) as Draft
    expect(draft.allowed_actions).toEqual(['get_balance', 'frobnicate', 'send_money'])
    expect(draft.forbidden_actions).toEqual(['delete_account'])
    expect(draft.rules).toMatchObject([
      { on: ['send_money'], effect: 'escalate', action: 'human_approval_required' },
    ])
  })

  test("copies each tool's parameters, without what only describes", async () => {
    const { actions } = parse(await initialised()) as Draft
    expect(actions).toEqual({
      get_balance: { params: { type: 'object' } },
      send_money: {
        params: {
          type: 'object',
          properties: {
            recipient: { type: 'string' },
            amount: { type: 'number', minimum: 0 },
            note: { anyOf: [{ type: 'string' }, { type: 'null' }] },
          },
          required: ['recipient', 'amount'],
        },
      },
      delete_account: { params: { type: 'object' } },
    })
    for (const { params } of Object.values(actions ?? {}))
      expect(compileParamsSchema(params).kind).toBe('compiled')
  })

  test('the draft passes its own test', async () => {
    const policy = parsePolicy(known(await initialised()))
    const suite = parsePolicyTest(await readFile(join(dir, 'p', 'policy.policy-test.yaml'), 'utf8'))
    if (policy.kind === 'invalid' || suite.kind === 'invalid')
      throw new Error(JSON.stringify([policy, suite]))
    const report = runPolicyTest(policy.policy, knownCases(suite.suite))
    expect(report).toMatchObject({ failed: 0 })
    expect(suite.suite.cases.map(({ name, expect: { effect } }) => [name, effect])).toEqual([
      ['get_balance is allowed', 'allow'],
      ['send_money waits for a person', 'escalate'],
      ['send_money without parameters is denied', 'deny'],
      ['delete_account is forbidden', 'deny'],
      ['frobnicate is allowed', 'allow'],
      ['what the policy does not mention is denied', 'deny'],
    ])
  })

  test('ONCE THE LANGUAGE KNOWS `actions`: the draft passes check and test as it is; until then `actions` is its only error', async () => {
    await initialised()
    const check = await cli(['check', join(dir, 'p'), '--json'])
    const { files } = check.json as {
      files: readonly { valid: boolean; problems: readonly { message: string }[] }[]
    }
    const messages = files.flatMap(({ problems }) => problems.map(({ message }) => message))
    if (languageKnowsActions()) {
      // The tool without a schema is for its author to look at.
      expect(messages).toEqual(['`frobnicate` has no parameter schema, so any parameters pass'])
      expect(check.code).toBe(0)
      expect((await cli(['test', join(dir, 'p')])).code).toBe(0)
    } else expect(messages).toEqual(['`actions` is not enforced by this version'])
  })

  test('reads standard input', async () => {
    const run = await cli(['init', dir, '--from-tools', '-', '--json'], {}, { input: JSON.stringify(tools) })
    expect(run.json).toEqual({
      files: [join(dir, 'policy.yaml'), join(dir, 'policy.policy-test.yaml')],
      counts: { read: 2, write: 1, destructive: 1, left: 1 },
    })
  })

  test('overwrites nothing', async () => {
    await writeFile(join(dir, 'policy.policy-test.yaml'), 'mine')
    const run = await cli(['init', dir, '--from-tools', '-'], {}, { input: JSON.stringify(tools) })
    expect(run.code).toBe(2)
    expect(run.err).toContain('exists already')
    expect(await readdir(dir)).toEqual(['policy.policy-test.yaml'])
  })

  test.each([
    ['no tools', ['--from-tools', '-'], '{}', 'there is no tool in standard input'],
    ['no JSON', ['--from-tools', '-'], 'x', 'standard input is not JSON'],
    ['more than it reads', ['--from-tools', '-'], ' '.repeat(5 * 1024 * 1024), 'too large'],
    ['a file that is not there', ['--from-tools', '/absent.json'], '', '`/absent.json` cannot be read'],
    [
      'an agent that no policy can name',
      ['--from-tools', '-', '--agent', 'a b'],
      '[{"name":"get_a"}]',
      '`agent_id`',
    ],
  ])('with %s writes nothing', async (_, args, input, message) => {
    const run = await cli(['init', join(dir, 'p'), ...args], {}, { input })
    expect(run).toMatchObject({ code: 2, out: '' })
    expect(run.err).toContain(message)
    expect(await readdir(dir)).toEqual([])
  })
})

describe('a draft', () => {
  function draft(list: unknown) {
    return draftPolicy(readToolList(JSON.stringify(list), 'x'), { agent: 'a', policyFile: 'policy.yaml' })
  }

  test('takes tools of one name at the most cautious, and no schema where they differ', () => {
    const { policy } = draft([
      { name: 'get_a', inputSchema: { type: 'object', properties: { a: { type: 'string' } } } },
      { name: 'get_a', description: 'Deletes a.', inputSchema: { type: 'object' } },
    ])
    expect(parse(policy)).toMatchObject({
      allowed_actions: [],
      forbidden_actions: ['get_a'],
      actions: { get_a: { params: { type: 'object' } } },
    })
    expect(policy).toContain('2 tools have this name and other schemas')
  })

  test('has no case where no parameters can be told from a schema, and says so', () => {
    const params = {
      type: 'object',
      required: ['id'],
      properties: { id: { type: 'string', pattern: '^[0-9]+$' } },
    }
    const { test: text } = draft([{ name: 'get_a', inputSchema: params }])
    expect(text).toContain('# No case for get_a')
    expect(parsePolicyTest(text).kind).toBe('valid')
  })

  const anyText = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.constantFrom(
      'a\nallowed_actions: ["*"]',
      '# x',
      '"',
      "'",
      '}: [',
      'yes',
      '1',
      '&a',
      '*a',
      '!!x',
      '- -',
      '|',
    ),
  )
  const anyTool = fc.record({
    name: fc.oneof(
      anyText.filter((text) => text !== ''),
      fc.constantFrom('get_a', 'delete_b', 'true', '1e3', '[x]', '#a', '&a'),
    ),
    description: anyText,
    inputSchema: fc.oneof(
      fc.jsonValue(),
      fc.record({
        type: fc.constant('object'),
        properties: fc.dictionary(anyText, fc.jsonValue(), { maxKeys: 3 }),
      }),
    ),
  })

  test('of whatever tools say is a valid policy with a test that passes, and allows nothing but listed tools', () => {
    fc.assert(
      fc.property(fc.array(anyTool, { minLength: 1, maxLength: 5 }), (list) => {
        const { policy, test: text, counts } = draft(list)
        const parsed = parsePolicy(known(policy))
        if (parsed.kind === 'invalid')
          throw new Error(JSON.stringify({ list, policy, problems: parsed.problems }))
        const names = list.map(({ name }) => name)
        for (const { pattern } of parsed.policy.allowed) expect(names).toContain(pattern.text)
        for (const { pattern } of parsed.policy.allowed) expect(pattern.text).not.toContain('*')
        expect(parsed.policy.allowed).toHaveLength(counts.read + counts.write)
        const { actions = {} } = parse(policy) as Draft
        for (const { params } of Object.values(actions))
          expect(compileParamsSchema(params).kind).toBe('compiled')
        const suite = parsePolicyTest(text)
        if (suite.kind === 'invalid')
          throw new Error(JSON.stringify({ list, text, problems: suite.problems }))
        expect(runPolicyTest(parsed.policy, knownCases(suite.suite))).toMatchObject({ failed: 0 })
      }),
      { seed: 19, numRuns: 300 },
    )
  })
})
