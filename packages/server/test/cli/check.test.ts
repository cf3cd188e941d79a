import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cli, exampleFile } from './run-cli.ts'

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'bailiwick-check-'))
})
afterAll(() => rm(dir, { recursive: true }))

async function written(name: string, text: string): Promise<string> {
  const file = join(dir, name)
  await writeFile(file, text)
  return file
}

describe('the policy that users already have', () => {
  test('is valid, with warnings that name the two facts to add', async () => {
    const run = await cli(['check', exampleFile('governance_policy.yaml')])
    expect(run).toMatchObject({ code: 0, err: '' })
    expect(run.out).toContain('governance_policy.yaml:13:17 warning: no fact declares `refund_amount`')
    expect(run.out).toContain('add under facts: `refund_amount: {type: number, from: params.refund_amount}`')
    expect(run.out).toContain(
      'governance_policy.yaml:15:17 warning: no fact declares `customer_flagged_as_vip`',
    )
    expect(run.out).toContain('`customer_flagged_as_vip: {type: bool, from: params.customer_flagged_as_vip}`')
    expect(run.out).toContain('1 file, 0 errors, 2 warnings')
  })

  test('escalates every allowed action, because nothing is known of either fact', async () => {
    const args = [
      'decide',
      '--policy',
      exampleFile('governance_policy.yaml'),
      '--action',
      'issue_refund',
      '--json',
    ]
    const run = await cli([...args, '--params', '{"amount":100}'])
    expect(run.json).toMatchObject({ effect: 'escalate' })
  })

  test('stands word for word at the top of the example', async () => {
    const seed = await readFile(exampleFile('governance_policy.yaml'), 'utf8')
    const example = await readFile(exampleFile('policies/customer-support.yaml'), 'utf8')
    expect(example.startsWith(seed.trimEnd())).toBe(true)
  })

  test('with the facts, is valid with one warning about the word of the model', async () => {
    const run = await cli(['check', exampleFile('policies'), '--json'])
    expect(run.code).toBe(0)
    expect(run.json).toMatchObject({
      files: [
        {
          valid: true,
          problems: [
            { severity: 'warning', message: expect.stringContaining("the model's own word") as string },
          ],
        },
        { file: exampleFile('policies/customer-support.policy-test.yaml'), valid: true, problems: [] },
      ],
    })
  })
})

const good = 'agent_id: a\nallowed_actions: [refund]\n'

describe('a broken policy gives one clear error with its place, and exit code 2', () => {
  test.each([
    [
      'bad YAML',
      'agent_id: a\nallowed_actions: [refund\n',
      '3:1',
      'not valid YAML: flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
    ['YAML with a tab', 'agent_id: a\nallowed_actions:\n\t- refund\n', '3:1', 'not valid YAML: tabs'],
    ['a key that stands twice', `${good}agent_id: b\n`, '3:1', 'the key stands twice'],
    [
      'an unknown key',
      `${good}forbiden_actions: [x]\n`,
      '3:1',
      'unknown key `forbiden_actions`; did you mean `forbidden_actions`?',
    ],
    [
      'a misspelt key that is required',
      'agent_id: a\nalowed_actions: [x]\n',
      '2:1',
      'unknown key `alowed_actions`; did you mean `allowed_actions`?',
    ],
    ['a missing key', 'agent_id: a\n', '1:1', '`allowed_actions` is missing; add it'],
    [
      'an unknown name',
      `${good}facts: { refund_amount: { type: number, from: params.amount } }\nescalation_rules:\n  - condition: "refund_amout > 500"\n    action: ask\n`,
      '5:17',
      'unknown name `refund_amout`; did you mean `refund_amount`?',
    ],
    [
      'an ill-typed condition',
      `${good}facts: { refund_amount: { type: number, from: params.amount } }\nescalation_rules:\n  - condition: "refund_amount > 'much'"\n    action: ask\n`,
      '5:',
      'number',
    ],
    [
      'an action that is allowed and forbidden',
      `${good}forbidden_actions: [refund]\n`,
      '3:21',
      '`refund` is both allowed and forbidden',
    ],
    [
      'a file of 2 MiB',
      `${good}# ${'x'.repeat(2 * 1024 * 1024)}\n`,
      '1:1',
      'the policy is larger than 1 MiB',
    ],
    ['an empty file', '', '1:1', 'the file must be a map'],
  ])('%s', async (name, text, place, message) => {
    const file = await written(`${name.replaceAll(' ', '-')}.yaml`, text)
    const run = await cli(['check', file])
    const [problem = '', summary, ...rest] = run.out.trimEnd().split('\n')
    expect(problem.startsWith(`${file}:${place}`)).toBe(true)
    expect(problem).toContain(message)
    expect(problem).not.toContain('warning')
    expect(summary).toBe('1 file, 1 error, 0 warnings')
    expect(rest).toEqual([])
    expect(run).toMatchObject({ code: 2, err: '' })
  })

  test('also for whoever decides by it', async () => {
    const file = await written('unknown.yaml', `${good}forbiden_actions: [x]\n`)
    const run = await cli(['decide', '--policy', file, '--action', 'refund'])
    expect(run).toMatchObject({ code: 2, out: '' })
    expect(run.err).toContain(`${file}:3:1 unknown key \`forbiden_actions\``)
  })

  test('bytes that are no UTF-8', async () => {
    const file = join(dir, 'latin1.yaml')
    await writeFile(file, Buffer.from('agent_id: a\ndomain: caf\xe9\n', 'latin1'))
    const run = await cli(['check', file])
    expect(run.out).toContain(`${file}:2:12 the file is not UTF-8 text; save it as UTF-8`)
    expect(run.code).toBe(2)
  })
})

test('a directory is read as the service reads it, and one agent has one policy', async () => {
  const policies = join(dir, 'policies')
  await mkdir(policies)
  await writeFile(join(policies, 'a.yaml'), good)
  await writeFile(join(policies, 'b.yml'), good)
  const run = await cli(['check', policies, '--json'])
  expect(run.code).toBe(2)
  expect(run.json).toMatchObject({
    files: [
      { file: join(policies, 'a.yaml'), valid: true },
      { file: join(policies, 'b.yml'), valid: false },
    ],
  })
  await writeFile(join(policies, 'b.yml'), good.replace('agent_id: a', 'agent_id: b'))
  expect((await cli(['check', policies])).code).toBe(0)
})

test('a directory is checked with the policy tests in it, but not with those below', async () => {
  const both = join(dir, 'both')
  await mkdir(join(both, 'below'), { recursive: true })
  await writeFile(join(both, 'a.yaml'), good)
  await writeFile(join(both, 'below', 'b.policy-test.yaml'), 'no test')
  const file = join(both, 'a.policy-test.yaml')
  await writeFile(file, 'policy: a.yaml\ncases: [{ action: refund, expect: allow }]\n')
  const fine = await cli(['check', both, '--json'])
  expect(fine.code).toBe(0)
  expect(fine.json).toMatchObject({ files: [{ file: join(both, 'a.yaml') }, { file, valid: true }] })

  await writeFile(file, 'policy: a.yaml\ncases: [{ action: refund, expekt: allow }]\n')
  const broken = await cli(['check', both])
  expect(broken.code).toBe(2)
  expect(broken.out).toContain(`${file}:2:27 unknown key \`expekt\`; did you mean \`expect\`?`)
})

test('a policy test is checked as one', async () => {
  const file = await written('x.policy-test.yaml', 'policy: x.yaml\ncases: []\n')
  const run = await cli(['check', file])
  expect(run.out).toContain(`${file}:2:8 \`cases\` must have at least one case`)
  expect(run.code).toBe(2)
})

test('nothing to check is bad input', async () => {
  expect(await cli(['check', join(dir, 'absent')])).toMatchObject({ code: 2, out: '' })
  await mkdir(join(dir, 'empty'))
  expect(await cli(['check', join(dir, 'empty')])).toMatchObject({ code: 2, out: '' })
})

describe('a file that policies beside it extend, checked by itself', () => {
  const support = 'agent_id: support\nextends: org.yaml\nallowed_actions: [refund]\n'
  const parent = async (texts: Readonly<Record<string, string>>) => {
    const place = await mkdtemp(join(dir, 'parent-'))
    for (const [name, text] of Object.entries(texts)) await writeFile(join(place, name), text)
    return join(place, 'org.yaml')
  }

  test('is right without an agent: they name theirs', async () => {
    const org = await parent({ 'org.yaml': 'forbidden_actions: [drop]\n', 'support.yaml': support })
    expect(await cli(['check', org])).toMatchObject({ code: 0, out: '1 file, 0 errors, 0 warnings\n' })
  })

  test('is told what they find wrong with it, each once, and nothing that is wrong with them', async () => {
    const org = await parent({
      'org.yaml': 'forbiden_actions: [drop]\n',
      'support.yaml': support,
      'billing.yaml': support.replace('support', 'billing'),
      'own.yaml': 'agent_id: own\nextends: [org.yaml, nothing.yaml]\nallowed_actions: [refund]\n',
    })
    const run = await cli(['check', '--json', org])
    expect(run.code).toBe(2)
    expect(run.json).toMatchObject({
      files: [{ file: org, valid: false, problems: [{ code: 'unknown-key', line: 1 }] }],
    })
    expect((run.json as { files: [{ problems: unknown[] }] }).files[0].problems).toHaveLength(1)
  })

  test('has to name one where nobody extends it, or is checked through who does', async () => {
    const org = await parent({ 'org.yaml': 'forbidden_actions: [drop]\n', 'own.yaml': 'agent_id: own\n' })
    const run = await cli(['check', org])
    expect(run.code).toBe(2)
    expect(run.out).toContain(
      '`agent_id` is missing; add it, or check a policy that extends this file, if it is for others to extend',
    )
  })

  test('binds nobody all the same: nothing is decided by it', async () => {
    const org = await parent({ 'org.yaml': 'forbidden_actions: [drop]\n', 'support.yaml': support })
    const run = await cli(['decide', '--policy', org, '--action', 'refund'])
    expect(run.code).toBe(2)
  })
})
