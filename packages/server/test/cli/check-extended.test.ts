import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Problem } from '@bailiwick/core'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { lineReport, prettyReport, type CheckedFile } from '../../src/cli/check-report.ts'
import { fixFiles } from '../../src/cli/fix-files.ts'
import { githubCommands } from '../../src/cli/github-commands.ts'
import { sarifLog } from '../../src/cli/sarif.ts'

let dir: string
let files: readonly CheckedFile[]
let parent: string
const parentText = 'agent_id: a\nallowed_actions:\n  - refund\n  - refund\n'

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'bailiwick-extended-'))
  parent = join(dir, 'org.yaml')
  await writeFile(parent, parentText)
  const problem: Problem = {
    severity: 'warning',
    file: 'org.yaml',
    line: 4,
    column: 5,
    message: '`refund` stands twice in allowed_actions',
    fix: 'remove one of the two',
    code: 'repeated-entry',
    edit: {
      title: 'removes the second `refund` from allowed_actions',
      safe: true,
      change: { kind: 'remove', item: ['allowed_actions', 1], value: 'refund' },
    },
  }
  // Two policies that extend one file both tell its problems.
  files = ['a.yaml', 'b.yaml'].map((name) => ({ file: join(dir, name), valid: true, problems: [problem] }))
})
afterEach(() => rm(dir, { recursive: true }))

describe('a problem of a file that the checked one extends', () => {
  const textOf = () => parentText

  test('is told of that file, in every format', () => {
    expect(lineReport(files)).toContain(`${parent}:4:5 warning: `)
    expect(prettyReport(files, { colours: false, textOf })).toContain(`${parent}:4:5 warning: `)
    expect(prettyReport(files, { colours: false, textOf })).toContain('    4 |   - refund\n      |     ^')
    expect(githubCommands(files, dir)[0]).toMatch(
      /^::warning file=org\.yaml,line=4,col=5,title=repeated-entry::/,
    )
    const location = {
      artifactLocation: { uri: 'org.yaml', uriBaseId: '%SRCROOT%' },
      region: { startLine: 4, startColumn: 5 },
    }
    const deletion = {
      deletedRegion: { startLine: 4, startColumn: 1, endLine: 5, endColumn: 1 },
      insertedContent: { text: '' },
    }
    expect(sarifLog(files, { directory: dir, textOf })).toMatchObject({
      runs: [
        {
          results: [
            {
              locations: [{ physicalLocation: location }],
              fixes: [{ artifactChanges: [{ replacements: [deletion] }] }],
            },
            {},
          ],
        },
      ],
    })
  })

  test('is mended in that file, once', async () => {
    expect(await fixFiles(files)).toMatchObject([{ file: parent, made: [{}], left: undefined }])
    expect(await readFile(parent, 'utf8')).toBe('agent_id: a\nallowed_actions:\n  - refund\n')
  })

  test('is left where the edit is for its author to make', async () => {
    const asked = files.map((file) => ({
      ...file,
      problems: file.problems.map((problem) => ({
        ...problem,
        edit: problem.edit && { ...problem.edit, safe: false },
      })),
    }))
    expect(await fixFiles(asked)).toEqual([])
    expect(await readFile(parent, 'utf8')).toBe(parentText)
  })
})
