import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { loadPolicies, PolicyFault, readPolicies } from '../src/policies.ts'
import { readPolicy } from '../src/policy-text.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(await realpath(tmpdir()), 'bailiwick-policies-'))
})
afterEach(() => rm(dir, { recursive: true }))

async function files(texts: Readonly<Record<string, string>>): Promise<string> {
  for (const [name, text] of Object.entries(texts)) {
    await mkdir(dirname(join(dir, name)), { recursive: true })
    await writeFile(join(dir, name), text)
  }
  return join(dir, 'policies')
}

const org = 'forbidden_actions: [delete_account]\nallowed_actions: [issue_refund, "read_*"]\n'
const leaf = (path: string, agents = 'agent_id: support') =>
  `${agents}\nextends: ${path}\nallowed_actions: [issue_refund]\n`

async function problemsOf(path: string): Promise<string> {
  const fault: unknown = await loadPolicies(path).catch((error: unknown) => error)
  expect(fault).toBeInstanceOf(PolicyFault)
  return (fault as PolicyFault).message
}

describe('the policies of a directory', () => {
  test('bind the agents that they name, by id and by pattern, and nobody else', async () => {
    const path = await files({
      'policies/a.yaml': 'agent_id: billing\nallowed_actions: [a]\n',
      'policies/b.yaml': 'agents: ["support-*", desk]\nallowed_actions: [b]\n',
      'policies/b.policy-test.yaml': 'not read as a policy',
    })
    const policies = await loadPolicies(path)
    expect(policies.all).toHaveLength(2)
    const bound = (agent: string) => policies.for(agent)?.ref.id
    expect([bound('billing'), bound('desk'), bound('support-eu')]).toEqual([
      'billing',
      'support-*',
      'support-*',
    ])
    expect([bound('support'), bound('nobody'), bound('')]).toEqual([undefined, undefined, undefined])
  })

  test.each([
    ['by the same id', 'agent_id: support-1', 'support-1'],
    ['by a pattern that meets the other', 'agents: ["*-1", desk]', '*-1'],
  ])('are refused where two bind one agent, %s', async (_how, agents, named) => {
    const path = await files({
      'policies/a.yaml': 'agents: [support-1, "sup*rt-1"]\nallowed_actions: [a]\n',
      'policies/b.yaml': `${agents}\nallowed_actions: [b]\n`,
    })
    expect(await problemsOf(path)).toContain(
      `b.yaml:1:1 the agent \`${named}\` already has a policy in \`${join(path, 'a.yaml')}\``,
    )
    const [first, second] = await readPolicies(path)
    expect([first?.policy?.ref.id, second?.policy]).toEqual(['support-1', undefined])
  })
})

describe('a policy extends files', () => {
  test('beside it and below it, which are no policies of their own', async () => {
    const path = await files({
      'policies/org.yaml': org,
      'policies/a.yaml': leaf('org.yaml'),
      'policies/b.yaml': leaf('shared/team.yaml', 'agent_id: other'),
      'policies/shared/team.yaml': 'extends: ../org.yaml\nforbidden_actions: [read_secret]\n',
    })
    const policies = await loadPolicies(path)
    expect(policies.all.map(({ ref, parents }) => [ref.id, parents.map(({ file }) => file)])).toEqual([
      ['support', ['org.yaml']],
      ['other', ['shared/team.yaml', 'org.yaml']],
    ])
    expect((await readPolicies(path)).map(({ file }) => file)).toEqual([
      join(path, 'a.yaml'),
      join(path, 'b.yaml'),
    ])
  })

  test('whose problems are told once, with their file', async () => {
    const path = await files({
      'policies/a.yaml': leaf('org.yaml'),
      'policies/org.yaml': 'forbiden_actions: [x]\n',
    })
    const problems = await problemsOf(path)
    expect(problems.split('\n')).toHaveLength(1)
    expect(problems).toContain(`${join(path, 'org.yaml')}:1:1`)
  })

  test('and a file that nobody extends has to bind an agent', async () => {
    const path = await files({
      'policies/a.yaml': leaf('org.yaml'),
      'policies/org.yaml': org,
      'policies/lost.yaml': org,
    })
    expect(await problemsOf(path)).toContain('lost.yaml')
  })

  test.each([
    ['above the directory', '../org.yaml', 'lies outside'],
    ['above it by a longer way', 'shared/../../org.yaml', 'lies outside'],
    ['by a symbolic link that leads outside', 'link.yaml', 'lies outside'],
    ['below a linked directory outside', 'linked/org.yaml', 'lies outside'],
    ['that are no policy files', 'secret.txt', 'is no policy file'],
    ['that only look like policy files', 'secret.yaml', 'is no policy file'],
    ['that are no text', 'bytes.yaml', 'is not UTF-8 text'],
    ['that are directories', 'shared.yaml', 'cannot be read'],
    ['that are not there', 'nothing.yaml', 'there is no file'],
  ])('but not %s', async (_what, path, why) => {
    const policies = await files({
      'org.yaml': org,
      'policies/shared/x.yaml': org,
      'policies/shared.yaml/x.yaml': org,
      'policies/secret.txt': 'forbidden_actions: [x]',
    })
    await symlink(join(dir, 'org.yaml'), join(policies, 'link.yaml'))
    await symlink(join(policies, 'secret.txt'), join(policies, 'secret.yaml'))
    await symlink(dir, join(policies, 'linked'))
    await writeFile(join(policies, 'bytes.yaml'), Buffer.from([0xff, 0xfe]))
    await writeFile(join(policies, 'a.yaml'), leaf(path))
    const parsed = await readPolicy(join(policies, 'a.yaml'))
    expect(parsed.kind).toBe('invalid')
    const problems = parsed.kind === 'invalid' ? parsed.problems : []
    expect(problems.map(({ message, line }) => ({ message, line }))).toEqual([
      { message: expect.stringContaining(why), line: 2 },
    ])
    expect(JSON.stringify(parsed)).not.toContain('[x]')
  })

  test('by an absolute path neither, though it leads inside', async () => {
    const policies = await files({ 'policies/org.yaml': org })
    await writeFile(join(policies, 'a.yaml'), leaf(join(policies, 'org.yaml')))
    expect((await readPolicy(join(policies, 'a.yaml'))).kind).toBe('invalid')
  })

  test('through links inside the directory, as mounted configuration has them', async () => {
    const policies = await files({
      'policies/..2026/org.yaml': org,
      'policies/..2026/a.yaml': leaf('org.yaml'),
    })
    await symlink('..2026', join(policies, '..data'))
    for (const name of ['org.yaml', 'a.yaml']) await symlink(join('..data', name), join(policies, name))
    expect((await loadPolicies(policies)).all.map(({ parents }) => parents.length)).toEqual([1])
  })

  test('further up only where the directory that is named holds them', async () => {
    const policies = await files({ 'org.yaml': org, 'policies/a.yaml': leaf('../org.yaml') })
    expect((await readPolicy(join(policies, 'a.yaml'))).kind).toBe('invalid')
    expect((await readPolicy(join(policies, 'a.yaml'), dir)).kind).toBe('valid')
  })
})
