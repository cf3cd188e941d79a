import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { runPolicyTest, type CaseResult, type CompiledPolicy } from '@bailiwick/core'
import { isPolicyTestFile, readPolicy, readPolicyTest } from '@bailiwick/store'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeWorkbench, readSnippets, runSnippet, type Workbench } from './readme-snippets.ts'
import { ROOT } from './workspace.ts'

const examples = join(ROOT, 'examples')
const files = readdirSync(examples, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.yaml'),
)
const suites = files.filter((file) => isPolicyTestFile(file)).sort()
const written = files.filter((file) => !isPolicyTestFile(file)).sort()
/** What binds an agent. The others are there to be extended. */
const policies = written.filter((file) => /^agent(_id|s):/m.test(readFileSync(join(examples, file), 'utf8')))
const parents = written.filter((file) => !policies.includes(file))

async function policyOf(file: string): Promise<CompiledPolicy> {
  const parsed = await readPolicy(join(examples, file))
  if (parsed.kind === 'invalid') throw new Error(`${file}: ${JSON.stringify(parsed.problems)}`)
  return parsed.policy
}

async function reportOf(file: string): Promise<Report> {
  const parsed = await readPolicyTest(join(examples, file))
  if (parsed.kind === 'invalid') throw new Error(`${file}: ${JSON.stringify(parsed.problems)}`)
  const policy = await policyOf(join(file, '..', parsed.suite.policy))
  return { policy, cases: runPolicyTest(policy, parsed.suite).cases }
}

interface Report {
  readonly policy: CompiledPolicy
  readonly cases: readonly CaseResult[]
}

/** The ids of rules, flows, budgets and rates that a case of these policy tests sees at work. */
function seenRules(reports: readonly Report[]): ReadonlySet<string> {
  const actual = reports.flatMap(({ cases }) => cases.flatMap((one) => one.actual?.rules ?? []))
  return new Set(actual.map(({ id }) => String(id)))
}

function rulesOf({ rules, flows, counters }: CompiledPolicy): readonly { id: string; file?: string }[] {
  return [...rules, ...flows, ...counters].map(({ id, file }) => ({
    id: String(id),
    ...(file === undefined ? {} : { file }),
  }))
}

describe('the example policies', () => {
  test('are there, with tests', () => {
    expect(policies.length).toBeGreaterThanOrEqual(8)
    expect(suites.length).toBeGreaterThanOrEqual(8)
  })

  test.each(policies)('%s can be loaded', async (file) => {
    expect((await policyOf(file)).allowed.length).toBeGreaterThan(0)
  })

  test('extend each file that binds no agent', async () => {
    const extended = await Promise.all(
      policies.map(async (file) =>
        (await policyOf(file)).parents.map((parent) => join(file, '..', parent.file)),
      ),
    )
    expect(parents.length).toBeGreaterThan(0)
    expect([...new Set(extended.flat())].sort()).toEqual(parents)
  })

  test.each(suites)('%s passes', async (file) => {
    const { cases } = await reportOf(file)
    expect(cases.filter(({ passed }) => !passed)).toEqual([])
  })

  test.each(suites)(
    '%s has a call that is allowed, and for each rule, flow, budget and rate of its policy one in which it matches',
    async (file) => {
      const report = await reportOf(file)
      const seen = seenRules([report])
      const own = rulesOf(report.policy).filter((rule) => rule.file === undefined)
      expect(report.cases.map(({ expected }) => expected.effect)).toContain('allow')
      expect(own.map(({ id }) => id).filter((id) => !seen.has(id))).toEqual([])
    },
  )

  test('that extend others see each rule that they inherit at work in one of their tests', async () => {
    const reports = await Promise.all(suites.map((file) => reportOf(file)))
    const seen = seenRules(reports)
    const inherited = reports.flatMap(({ policy }) =>
      rulesOf(policy).filter((rule) => rule.file !== undefined),
    )
    expect(inherited.length).toBeGreaterThan(0)
    expect(inherited.map(({ id }) => id).filter((id) => !seen.has(id))).toEqual([])
  })
})

/** The README of the nearest folder that has one. */
function readmeOf(file: string): string {
  const readme = join(dirname(file), 'README.md')
  return existsSync(join(examples, readme)) ? readme : readmeOf(dirname(file))
}

describe('the READMEs of the examples', () => {
  const readmes = [...new Set(policies.map(readmeOf))].sort()
  let bench: Workbench
  beforeAll(async () => {
    bench = await makeWorkbench('bailiwick-examples', { environment: {}, address: '127.0.0.1:9' })
  })
  afterAll(() => rm(bench.folder, { recursive: true, force: true }))

  test.each(policies)('say what each rule is for that %s has or inherits', async (file) => {
    const text = readFileSync(join(examples, readmeOf(file)), 'utf8')
    const ids = rulesOf(await policyOf(file)).map(({ id }) => id)
    // An id such as `rules[2]` is a place and not a name.
    const names = ids.filter((id) => !id.endsWith(']'))
    expect(names.filter((id) => !text.includes(`\`${id}\``))).toEqual([])
  })

  test.each(readmes)(
    '%s shows why one call is decided as it is, and that is what bailiwick prints',
    async (readme) => {
      const snippets = readSnippets(join('examples', readme))
      expect(snippets.map(({ code }) => code).join()).toContain('npx bailiwick explain')
      for (const snippet of snippets) expect(await runSnippet(snippet, bench)).toBeUndefined()
    },
  )
})
