import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cli, exampleFile } from './run-cli.ts'
import { seedCases } from './seed-cases.ts'

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'bailiwick-test-command-'))
})
afterAll(() => rm(dir, { recursive: true }))

const policy = 'agent_id: a\nallowed_actions: [refund]\n'

async function suiteIn(name: string, cases: string): Promise<string> {
  const below = join(dir, name)
  await mkdir(below, { recursive: true })
  await writeFile(join(below, 'p.yaml'), policy)
  await writeFile(join(below, 'p.policy-test.yaml'), `policy: p.yaml\ncases:\n${cases}`)
  return below
}

test("the example's tests pass, and hold the five calls that its users try", async () => {
  const run = await cli(['test', exampleFile('policies'), '--json'])
  expect(run).toMatchObject({ code: 0, err: '' })
  const report = run.json as { suites: { report: { cases: { expected: object }[] } }[] }
  const expected = report.suites[0]?.report.cases.map((result) => result.expected)
  for (const { effect, reason } of seedCases)
    expect(expected).toContainEqual(expect.objectContaining({ effect, reason }))
})

test('a failing case exits with 1 and says what was expected and what came', async () => {
  const below = await suiteIn(
    'failing',
    '  - {name: big, action: refund, expect: deny}\n  - {action: refund, expect: allow}\n',
  )
  const junit = join(below, 'report.xml')
  const run = await cli(['test', below, '--junit', junit])
  expect(run.code).toBe(1)
  expect(run.out).toContain(`  ✗ big (${join(below, 'p.policy-test.yaml')}:3)`)
  expect(run.out).toContain('expected deny, got allow')
  expect(run.out).toContain(`allowed_actions[0] (${join(below, 'p.yaml')}:2)`)
  expect(run.out).toContain('  ✓ case 2: refund')
  expect(run.out).toContain('1 passed, 1 failed')
  const xml = await readFile(junit, 'utf8')
  expect(xml).toContain('<testsuites name="bailiwick" tests="2" failures="1" errors="0">')
  expect(xml).toContain('<failure message="expected deny, got allow" type="decision">')
})

describe('what cannot be run exits with 2', () => {
  test('a suite without cases', async () => {
    const below = await suiteIn('no-cases', '')
    const run = await cli(['test', below])
    expect(run.code).toBe(2)
    expect(run.out).toContain('1 file could not be run')
  })

  test('a policy that is not there, at the place that names it', async () => {
    const below = await suiteIn('no-policy', '  - {action: refund, expect: allow}\n')
    await rm(join(below, 'p.yaml'))
    const junit = join(below, 'report.xml')
    const run = await cli(['test', below, '--junit', junit])
    expect(run.code).toBe(2)
    expect(run.out).toContain(`p.policy-test.yaml:1:9 there is no file`)
    expect(await readFile(junit, 'utf8')).toContain('errors="1"')
  })

  test("a policy that is wrong, at the policy's own place", async () => {
    const below = await suiteIn('bad-policy', '  - {action: refund, expect: allow}\n')
    await writeFile(join(below, 'p.yaml'), `${policy}forbiden: [x]\n`)
    const run = await cli(['test', below])
    expect(run.code).toBe(2)
    expect(run.out).toContain(`${join(below, 'p.yaml')}:3:1 unknown key \`forbiden\``)
  })

  test('a directory without tests', async () => {
    await mkdir(join(dir, 'nothing'))
    expect(await cli(['test', join(dir, 'nothing')])).toMatchObject({ code: 2, out: '' })
  })

  test('a report that cannot be written', async () => {
    const below = await suiteIn('unwritable', '  - {action: refund, expect: allow}\n')
    const run = await cli(['test', below, '--junit', join(below, 'absent', 'report.xml')])
    expect(run.code).toBe(2)
    expect(run.err).toContain('the report cannot be written')
  })
})

test('tests are found at any depth, but not in dot directories and node_modules', async () => {
  const root = join(dir, 'deep')
  const passing = '  - {action: refund, expect: allow}\n'
  for (const name of ['deep/a/b', 'deep/.git', 'deep/node_modules/x']) await suiteIn(name, passing)
  const run = await cli(['test', root, '--json'])
  expect(run.json).toMatchObject({ passed: 1, suites: [{ file: join(root, 'a/b/p.policy-test.yaml') }] })
})

describe('what init writes', () => {
  test('checks, passes its own test, and is never overwritten', async () => {
    const fresh = join(dir, 'fresh')
    const first = await cli(['init', fresh])
    expect(first.code).toBe(0)
    expect(first.out).toContain(`bailiwick serve --policies ${fresh}`)
    expect(await cli(['check', fresh])).toMatchObject({ code: 0, out: '2 files, 0 errors, 0 warnings\n' })
    expect((await cli(['test', fresh])).code).toBe(0)

    await rm(join(fresh, 'customer-support.policy-test.yaml'))
    await writeFile(join(fresh, 'customer-support.yaml'), 'mine')
    const second = await cli(['init', fresh, '--json'])
    expect(second.code).toBe(2)
    expect(second.json).toMatchObject({ error: { code: 'conflict' } })
    expect(await readFile(join(fresh, 'customer-support.yaml'), 'utf8')).toBe('mine')
    await expect(readFile(join(fresh, 'customer-support.policy-test.yaml'))).rejects.toThrow('ENOENT')
  })
})

describe('the command line', () => {
  test.each([
    [['chek'], "unknown command 'chek'", 'Did you mean check?'],
    [['check', '--jsn'], "unknown option '--jsn'", 'Did you mean --json?'],
    [['log', 'verfy'], "unknown command 'verfy'", 'Did you mean verify?'],
    [['keys', 'create'], "required option '--agent <id>' not specified", ''],
    [['serve', '--port', '70000'], '`70000` is no port', ''],
  ])('%j is refused with exit code 2', async (args, message, suggestion) => {
    const run = await cli(args)
    expect(run).toMatchObject({ code: 2, out: '' })
    expect(run.err).toContain(message)
    expect(run.err).toContain(suggestion)
  })

  test('documents its exit codes', async () => {
    const run = await cli(['--help'])
    expect(run.code).toBe(0)
    expect(run.out).toContain('Exit codes:')
    expect((await cli(['decide', '--help'])).out).toContain('whatever the effect')
  })

  test('shows a stack only when it is asked to', async () => {
    const args = ['decide', '--policy', '/nowhere', '--action', 'x']
    expect((await cli(args)).err).not.toContain('    at ')
    expect((await cli(args, { BAILIWICK_DEBUG: '1' })).err).toContain('    at ')
  })
})
