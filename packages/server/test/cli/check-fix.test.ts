import {
  chmod,
  copyFile,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { seedCases } from './seed-cases.ts'
import { cli, exampleFile } from './run-cli.ts'

let dir: string
let file: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'bailiwick-fix-'))
  file = join(dir, 'policy.yaml')
  await copyFile(exampleFile('governance_policy.yaml'), file)
})
afterEach(() => rm(dir, { recursive: true }))

const declared =
  'facts:\n  refund_amount: { type: number, from: params.refund_amount }\n  customer_flagged_as_vip: { type: bool, from: params.customer_flagged_as_vip }\n'

describe('bailiwick check --fix', () => {
  test('declares the facts of the policy that users already have, says so, and leaves the rest as it is', async () => {
    const before = await readFile(file, 'utf8')
    const run = await cli(['check', '--fix', file])
    expect(run).toMatchObject({ code: 0, err: '' })
    expect(run.out.trimEnd().split('\n')).toEqual([
      `${file} fixed: declares the fact \`refund_amount\` as a number from \`params.refund_amount\``,
      `${file} fixed: declares the fact \`customer_flagged_as_vip\` as a bool from \`params.customer_flagged_as_vip\``,
      expect.stringContaining("`customer_flagged_as_vip` decides, and is the model's word alone"),
      '1 file, 0 errors, 1 warning',
    ])
    expect(await readFile(file, 'utf8')).toBe(`${before}${declared}`)
    expect(await readdir(dir)).toEqual(['policy.yaml'])
  })

  test('changes no decision', async () => {
    const decided = () =>
      Promise.all(
        [
          ...seedCases,
          { action: 'issue_refund', params: { refund_amount: 600, customer_flagged_as_vip: false } },
        ].map(async ({ action, params }) => {
          const args = [
            'decide',
            '--policy',
            file,
            '--action',
            action,
            '--params',
            JSON.stringify(params),
            '--json',
          ]
          const { effect, reasons } = (await cli(args)).json as { effect: string; reasons: readonly string[] }
          return { effect, reasons }
        }),
      )
    const before = await decided()
    await cli(['check', '--fix', file])
    expect(await decided()).toEqual(before)
  })

  test('a second time does nothing', async () => {
    await cli(['check', '--fix', file])
    const { mtimeMs, ino } = await stat(file)
    const run = await cli(['check', '--fix', '--json', file])
    expect(run.json).toMatchObject({
      files: [{ valid: true, problems: [{ code: 'model-asserts-fact' }] }],
      fixed: [],
    })
    expect(await stat(file)).toMatchObject({ mtimeMs, ino })
  })

  test('without it nothing is written', async () => {
    const { mtimeMs, ino } = await stat(file)
    await cli(['check', file])
    expect(await stat(file)).toMatchObject({ mtimeMs, ino })
  })

  test('writes the file in one step, with its permissions, and through a link', async () => {
    await chmod(file, 0o640)
    const link = join(dir, 'link.yaml')
    await symlink('policy.yaml', link)
    await cli(['check', '--fix', link])
    expect((await lstat(link)).isSymbolicLink()).toBe(true)
    expect(await readFile(file, 'utf8')).toContain(declared)
    expect((await stat(file)).mode & 0o777).toBe(0o640)
  })

  test('leaves a file alone where the edit would lead to an error that is not there now', async () => {
    // The second name cannot be read, so it is not declared; in a file with facts it would be unknown as well.
    const text =
      'agent_id: a\nallowed_actions: [refund]\nrules:\n  - { condition: a > 1, effect: deny }\n  - { condition: "b > 1 && nonsense(b)", effect: deny }\n'
    await writeFile(file, text)
    const before = await cli(['check', file])
    const run = await cli(['check', '--fix', file])
    expect(run.code).toBe(2)
    expect(await readFile(file, 'utf8')).toBe(text)
    expect(run.out).toContain('not fixed: then there would be an error: unknown name `b`')
    expect(run.out).toContain(before.out.trimEnd().split('\n').at(-1))
  })

  test('guesses no names: what was meant is for the author to say', async () => {
    const text = 'agent_id: a\nallowed_actions: [refund]\nforbiden_actions: [x]\n'
    await writeFile(file, text)
    const run = await cli(['check', '--fix', file])
    expect(run.code).toBe(2)
    expect(run.out).toContain('did you mean `forbidden_actions`?')
    expect(await readFile(file, 'utf8')).toBe(text)
  })

  test('removes entries that stand twice', async () => {
    await writeFile(file, 'agent_id: a\nallowed_actions:\n  - refund # small ones\n  - ship\n  - refund\n')
    const run = await cli(['check', '--fix', file])
    expect(run.out).toContain('fixed: removes the second `refund` from allowed_actions')
    expect(await readFile(file, 'utf8')).toBe(
      'agent_id: a\nallowed_actions:\n  - refund # small ones\n  - ship\n',
    )
  })

  test('a file in a directory that cannot be written to stays as it is, and the error says so', async () => {
    const closed = join(dir, 'closed')
    await mkdir(closed)
    const inside = join(closed, 'policy.yaml')
    await copyFile(file, inside)
    const before = await readFile(inside, 'utf8')
    await chmod(closed, 0o500)
    const run = await cli(['check', '--fix', inside])
    // Whoever runs this as root may write anywhere.
    if (process.getuid?.() !== 0) {
      expect(run).toMatchObject({ code: 2, out: '' })
      expect(run.err).toContain('cannot be written')
      expect(await readFile(inside, 'utf8')).toBe(before)
    }
    await chmod(closed, 0o700)
  })

  test('a file beside which nothing can be written is said to be so, also where nothing can be removed there', async () => {
    // As long as a name may be, so that no longer one can stand beside it.
    const long = join(dir, `${'p'.repeat(250)}.yaml`)
    await copyFile(file, long)
    const before = await readFile(long, 'utf8')
    const run = await cli(['check', '--fix', long])
    expect(run).toMatchObject({ code: 2, out: '' })
    expect(run.err).toContain('cannot be written')
    expect(await readFile(long, 'utf8')).toBe(before)
    expect(await readdir(dir)).toHaveLength(2)
  })

  test.each(['sarif', 'github'])(
    'with --format %s, what was fixed is told on standard error',
    async (format) => {
      const run = await cli(['check', '--fix', '--format', format, file])
      expect(run.err).toContain('fixed: declares the fact `refund_amount`')
      expect(run.out).not.toContain('fixed:')
    },
  )
})
