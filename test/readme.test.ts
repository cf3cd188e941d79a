import { rm } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  compileSnippets,
  makeWorkbench,
  matchesOutput,
  parseSnippets,
  readSnippets,
  runSnippet,
  type Workbench,
} from './readme-snippets.ts'
import { startTemporaryService, type TemporaryService } from './temporary-service.ts'
import { exists } from './workspace.ts'

/** Each document with the policies of the service that it speaks to. */
const documents = [
  { document: 'README.md', policies: 'examples/customer-support/policies' },
  { document: 'docs/LIBRARY.md', policies: 'examples/customer-support/policies' },
  { document: 'docs/APPROVALS.md', policies: 'examples/approvals' },
]
const nowhere = { environment: {}, address: '127.0.0.1:9' }

describe.each(documents)('$document', ({ document, policies }) => {
  const snippets = readSnippets(document)
  let service: TemporaryService | undefined
  let bench: Workbench
  let complaints: readonly string[]

  beforeAll(async () => {
    if (snippets.length === 0) return
    service = await startTemporaryService(policies)
    bench = await makeWorkbench('bailiwick-documents', service)
    complaints = await compileSnippets(snippets, bench)
  })
  afterAll(() => service?.stop())

  test('has snippets that can be run', () => {
    expect(snippets.length).toBeGreaterThan(0)
  })

  test.runIf(snippets.length > 0)(
    'its TypeScript compiles against the packages as they are published',
    () => {
      expect(complaints).toEqual([])
    },
  )

  // In order: each finds what those before it exported.
  test.each(snippets)(`the $language snippet at line $line does what ${document} says`, async (snippet) => {
    expect(await runSnippet(snippet, bench)).toBeUndefined()
  })
})

describe('finding snippets', () => {
  test('only blocks marked to run are snippets', () => {
    const markdown = '# T\n\n```sh\nrm -rf x\n```\n\n```sh run\necho a\n```\n\n```ts run exit=3\nlet a\n```\n'
    expect(parseSnippets(markdown)).toEqual([
      { language: 'sh', code: 'echo a\n', line: 8, exitCode: 0 },
      { language: 'ts', code: 'let a\n', line: 12, exitCode: 3 },
    ])
  })

  test('an output block belongs to the snippet right before it', () => {
    const [snippet] = parseSnippets('```sh run\necho a\n```\n\n```text output\na\n```\n')
    expect(snippet?.output).toBe('a\n')
    expect(() => parseSnippets('```sh run\necho a\n```\nprose\n```text output\na\n```\n')).toThrow('line 6')
    expect(() => parseSnippets('```text output\na\n```\n')).toThrow('line 2')
  })

  test.each(['```py run', '```sh runs', '```sh run exit=one', '```sh run exit=1 again'])(
    'a mark that means nothing is an error, not a block left out: %s',
    (fence) => {
      expect(() => parseSnippets(`${fence}\nx\n\`\`\`\n`)).toThrow('line 2')
    },
  )
})

describe('comparing output', () => {
  test('the same lines match, whatever their trailing space; other lines do not', () => {
    expect(matchesOutput('a (b) \nc\n\n', 'a (b)\nc\n')).toBe(true)
    expect(matchesOutput('a\n', 'b\n')).toBe(false)
    expect(matchesOutput('a\nb\n', 'a\n')).toBe(false)
  })

  test('… stands for any text in one line, and alone for any number of lines', () => {
    expect(matchesOutput('id=123 ok\n', 'id=… ok\n')).toBe(true)
    expect(matchesOutput('id=1\n2 ok\n', 'id=… ok\n')).toBe(false)
    expect(matchesOutput('a\nb\nc\n', 'a\n…\nc\n')).toBe(true)
    expect(matchesOutput('a\nc\n', 'a\n…\nc\n')).toBe(true)
    expect(matchesOutput('a\nb\nd\n', 'a\n…\nc\n')).toBe(false)
  })
})

describe('running snippets', () => {
  let bench: Workbench
  beforeAll(async () => {
    bench = await makeWorkbench('bailiwick-readme-control', nowhere)
  })
  afterAll(() => rm(bench.folder, { recursive: true, force: true }))
  const run = async (markdown: string) => {
    const snippets = parseSnippets(markdown)
    const complaints = await compileSnippets(snippets, bench)
    const results: (string | undefined)[] = []
    for (const snippet of complaints.length > 0 ? [] : snippets)
      results.push(await runSnippet(snippet, bench))
    return { complaints, results }
  }

  test('a command that fails is found, unless the document says so', async () => {
    const { results } = await run('```sh run\nfalse\necho on\n```\n\n```sh run exit=1\nfalse\n```\n')
    expect(results).toEqual([expect.stringContaining('it ended with 1, not 0'), undefined])
  })

  test('a command that was to fail and does not is found', async () => {
    const { results } = await run('```sh run exit=1\ntrue\n```\n')
    expect(results[0]).toContain('it ended with 0, not 1')
  })

  test('output that the document does not show is found', async () => {
    const { results } = await run('```sh run\necho a; echo b >&2\n```\n```text output\na\n```\n')
    expect(results[0]).toContain('where the document says')
    const shown = await run('```sh run\necho a; echo b >&2\n```\n```text output\na\nb\n```\n')
    expect(shown.results).toEqual([undefined])
  })

  test('a type error is found, at the line of the document', async () => {
    const { complaints } = await run("prose\n\n```ts run\nconst a: number = 'b'\nconsole.log(a)\n```\n")
    expect(complaints).toEqual([expect.stringMatching(/^line-4\.ts\(4,7\): error TS2322/)])
  })

  test('TypeScript runs, awaits at the top, and fails the test when it throws', async () => {
    const { complaints, results } = await run(
      "```ts run\nimport { sep } from 'node:path'\nconsole.log(await Promise.resolve(sep))\n```\n```text output\n/\n```\n" +
        "\n```ts run\nthrow new Error('no')\n```\n",
    )
    expect(complaints).toEqual([])
    expect(results).toEqual([undefined, expect.stringContaining('it ended with 1, not 0')])
  })

  test('a variable that one snippet exports is there for the next, in either language', async () => {
    const { results } = await run(
      '```sh run\nexport KEY="a b"\n```\n\n```ts run\nconsole.log(process.env["KEY"])\n```\n```text output\na b\n```\n' +
        '\n```sh run\necho "$KEY"\n```\n```text output\na b\n```\n',
    )
    expect(results).toEqual([undefined, undefined, undefined])
  })

  test('the documented address leads to the service of this run, and is what the output shows', async () => {
    const { results } = await run(
      '```sh run\necho http://127.0.0.1:7420 | tr 0-9 x\necho http://localhost:7420\n```\n' +
        '```text output\nhttp://xxx.x.x.x:x\nhttp://127.0.0.1:7420\n```\n',
    )
    expect(results).toEqual([undefined])
  })

  test('the files of the repository are there, and what a snippet writes stays out of it', async () => {
    const { results } = await run(
      '```sh run\ntest -f packages/core/package.json\necho > written-by-a-snippet\n```\n',
    )
    expect(results).toEqual([undefined])
    expect(exists('written-by-a-snippet')).toBe(false)
  })
})
