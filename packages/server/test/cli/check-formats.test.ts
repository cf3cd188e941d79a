import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cli, exampleFile } from './run-cli.ts'

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'bailiwick-formats-'))
})
afterAll(() => rm(dir, { recursive: true }))

async function written(name: string, text: string): Promise<string> {
  const file = join(dir, name)
  await writeFile(file, text)
  return file
}

const seed = exampleFile('governance_policy.yaml')
const seedFromHere = relative(process.cwd(), seed)
const broken = 'agent_id: a\nallowed_actions: [refund]\nforbiden_actions: [x]\n'

describe('--format pretty', () => {
  test('shows the line, and where in it', async () => {
    const run = await cli(['check', '--format', 'pretty', seed])
    expect(run.code).toBe(0)
    expect(run.out).toContain(
      [
        `${seed}:13:17 warning: no fact declares \`refund_amount\`, so it stands for \`params.refund_amount\`, and a call without it counts as matched [undeclared-fact]`,
        '   13 |   - condition: "refund_amount > 500"',
        '      |                 ^',
        '  add under facts: `refund_amount: {type: number, from: params.refund_amount}`, with the path where the value really is',
      ].join('\n'),
    )
    expect(run.out.trimEnd().endsWith('1 file, 0 errors, 2 warnings')).toBe(true)
  })

  test('has colours on a terminal, and none elsewhere or where they are not wanted', async () => {
    const escape = '\u001B['
    const file = await written('colours.yaml', broken)
    expect((await cli(['check', file], {}, { isTerminal: true })).out).toContain(
      `${escape}31merror${escape}39m`,
    )
    expect((await cli(['check', file, '--format', 'pretty'])).out).not.toContain(escape)
    expect((await cli(['check', file], { NO_COLOR: '1' }, { isTerminal: true })).out).not.toContain(escape)
    expect((await cli(['check', file, '--format', 'text'], {}, { isTerminal: true })).out).not.toContain(
      escape,
    )
  })

  test('lets no file write to the terminal', async () => {
    const file = await written(
      'escape.yaml',
      'agent_id: a\nallowed_actions: [refund]\n\u009B2J: "\u202Eevil"\n',
    )
    const run = await cli(['check', file, '--format', 'pretty'])
    expect(run.out).not.toMatch(/[\u009B\u202E]/u)
    expect(run.code).toBe(2)
  })

  test('cuts long lines around the place, and counts tabs and wide characters as terminals do', async () => {
    const long = await written('long.yaml', `agent_id: a\nallowed_actions: [${'refund, '.repeat(500)}{}]\n`)
    const frame = (await cli(['check', long, '--format', 'pretty'])).out.split('\n')
    const at = frame.findIndex((line) => line.startsWith('    2 | '))
    expect(frame[at]?.length).toBeLessThan(130)
    expect(frame[at]?.slice(frame[at + 1]?.indexOf('^'))).toMatch(/^\{/)

    const wide = await written('wide.yaml', 'agent_id: a\nallowed_actions: ["退款", {}]\n')
    const lines = (await cli(['check', wide, '--format', 'pretty'])).out.split('\n')
    const mark = lines.find((line) => line.trimEnd().endsWith('^')) ?? ''
    // Two characters of two cells each: the caret stands two columns further than characters would say.
    expect(mark.indexOf('^')).toBe((lines.find((line) => line.includes('退款'))?.indexOf('{}') ?? 0) + 2)
  })
})

describe('--format text', () => {
  test('ends each line with the code of the problem, errors and warnings alike', async () => {
    const warned = (await cli(['check', '--format', 'text', seed])).out.trimEnd().split('\n')
    expect(warned.slice(0, 2).every((line) => line.endsWith(' [undeclared-fact]'))).toBe(true)
    const file = await written('coded.yaml', broken)
    expect((await cli(['check', '--format', 'text', file])).out.split('\n')[0]).toMatch(/ \[unknown-key\]$/)
  })
})

describe('--format json', () => {
  test('is what --json prints', async () => {
    const run = await cli(['check', '--format', 'json', seed])
    expect(run.json).toEqual((await cli(['check', '--json', seed])).json)
    expect(run.json).toMatchObject({ files: [{ valid: true, problems: [{ code: 'undeclared-fact' }, {}] }] })
  })

  test.each([[['--format', 'json']], [['--format=json']]])('an error is JSON as well: %s', async (option) => {
    const run = await cli(['check', ...option, join(dir, 'absent')])
    expect(run).toMatchObject({ code: 2, json: { error: { code: 'bad_input' } } })
  })

  test('another word is bad input', async () => {
    expect(await cli(['check', '--format', 'xml', seed])).toMatchObject({ code: 2, out: '' })
  })
})

interface Region {
  readonly startLine: number
  readonly startColumn: number
  readonly endLine?: number
  readonly endColumn?: number
}
interface Location {
  readonly uri: string
  readonly uriBaseId?: string
}
interface Result {
  readonly ruleId: string
  readonly ruleIndex: number
  readonly level: string
  readonly message: { readonly text: string }
  readonly locations: readonly { readonly physicalLocation: { artifactLocation: Location; region: Region } }[]
  readonly fixes?: readonly {
    readonly description: { readonly text: string }
    readonly artifactChanges: readonly {
      readonly artifactLocation: Location
      readonly replacements: readonly { deletedRegion: Required<Region>; insertedContent: { text: string } }[]
    }[]
  }[]
}
interface Sarif {
  readonly $schema: string
  readonly version: string
  readonly runs: readonly {
    readonly columnKind: string
    readonly tool: { readonly driver: { name: string; version: string; rules: readonly { id: string }[] } }
    readonly results: readonly Result[]
  }[]
}

/** What SARIF 2.1.0 requires of every log, and code scanning of every result. */
function expectValid({ version, runs }: Sarif): void {
  expect(version).toBe('2.1.0')
  for (const { tool, results, columnKind } of runs) {
    expect(columnKind).toBe('utf16CodeUnits')
    expect(tool.driver.name).toBe('bailiwick')
    const ids = tool.driver.rules.map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    for (const { ruleId, ruleIndex, level, message, locations } of results) {
      expect(ids[ruleIndex]).toBe(ruleId)
      expect(['error', 'warning', 'note', 'none']).toContain(level)
      expect(message.text).not.toBe('')
      expect(locations).toHaveLength(1)
      for (const { physicalLocation } of locations) {
        const { artifactLocation, region } = physicalLocation
        expect(artifactLocation.uri).toMatch(/^[\w%.~!*'()/:-]+$/)
        expect(artifactLocation.uri.startsWith('file:///')).toBe(artifactLocation.uriBaseId === undefined)
        expect(region.startLine).toBeGreaterThanOrEqual(1)
        expect(region.startColumn).toBeGreaterThanOrEqual(1)
      }
    }
  }
}

describe('--format sarif', () => {
  test('is a valid log with the problems as results and the codes as rules', async () => {
    const run = await cli(['check', '--format', 'sarif', seed])
    const log = run.json as Sarif
    expectValid(log)
    expect(run.code).toBe(0)
    expect(log.runs[0]?.tool.driver.rules).toEqual([
      { id: 'undeclared-fact', shortDescription: { text: 'A condition names a fact that nobody declared.' } },
    ])
    expect(log.runs[0]?.results[0]?.locations[0]?.physicalLocation).toEqual({
      artifactLocation: { uri: seedFromHere, uriBaseId: '%SRCROOT%' },
      region: { startLine: 13, startColumn: 17 },
    })
    expect(
      log.runs[0]?.results.map(({ fixes }) => fixes?.[0]?.artifactChanges[0]?.replacements),
    ).toMatchObject([
      [
        {
          insertedContent: {
            text: 'facts:\n  refund_amount: { type: number, from: params.refund_amount }\n',
          },
        },
      ],
      [{ insertedContent: { text: expect.stringContaining('customer_flagged_as_vip') as string } }],
    ])
  })

  test('names files with spaces, umlauts and colons as URIs, and keeps problems without a code', async () => {
    const file = await written('a ü:b%.yaml', broken)
    const run = await cli(['check', '--format', 'sarif', file])
    const log = run.json as Sarif
    expectValid(log)
    expect(run.code).toBe(2)
    const [result] = log.runs[0]?.results ?? []
    expect(fileURLToPath(result?.locations[0]?.physicalLocation.artifactLocation.uri ?? '')).toBe(file)
    expect(result).toMatchObject({ level: 'error' })
  })

  test('has no results where there are no problems', async () => {
    const file = await written('good.yaml', 'agent_id: a\nallowed_actions: [refund]\n')
    const log = (await cli(['check', '--format', 'sarif', file])).json as Sarif
    expectValid(log)
    expect(log.runs[0]?.results).toEqual([])
  })
})

describe('--format github', () => {
  test('is one workflow command for each problem', async () => {
    const run = await cli(['check', '--format', 'github', seed])
    const lines = run.out.trimEnd().split('\n')
    expect(lines).toHaveLength(2)
    expect(lines[0]).toBe(
      `::warning file=${seedFromHere},line=13,col=17,title=undeclared-fact::no fact declares \`refund_amount\`, so it stands for \`params.refund_amount\`, and a call without it counts as matched; add under facts: \`refund_amount: {type: number, from: params.refund_amount}\`, with the path where the value really is`,
    )
  })

  test('escapes what would end a property or the command, so that a file cannot give commands', async () => {
    const file = await written(
      'a,b:c%.yaml',
      'agent_id: a\nallowed_actions: [refund]\n"x\\n::set-env name=A::%0A": 1\n',
    )
    const run = await cli(['check', '--format', 'github', file])
    const lines = run.out.trimEnd().split('\n')
    expect(lines).toHaveLength(1)
    expect(lines[0]).toContain(`file=${dir}/a%2Cb%3Ac%25.yaml,line=3,col=1,`)
    expect(lines[0]).toContain('%250A')
    expect(run.code).toBe(2)
  })
})
