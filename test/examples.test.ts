import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { runPolicyTest, type CaseResult, type CompiledPolicy } from '@bailiwick/core'
import { isPolicyTestFile, readPolicy, readPolicyTest } from '@bailiwick/store'
import { describe, expect, test } from 'vitest'
import { ROOT } from './workspace.ts'

const examples = join(ROOT, 'examples')
const files = readdirSync(examples, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.yaml'),
)
const suites = files.filter((file) => isPolicyTestFile(file)).sort()
const policies = files.filter((file) => !isPolicyTestFile(file)).sort()

async function policyOf(file: string): Promise<CompiledPolicy> {
  const parsed = await readPolicy(join(examples, file))
  if (parsed.kind === 'invalid') throw new Error(`${file}: ${JSON.stringify(parsed.problems)}`)
  return parsed.policy
}

async function reportOf(file: string): Promise<{ policy: CompiledPolicy; cases: readonly CaseResult[] }> {
  const parsed = await readPolicyTest(join(examples, file))
  if (parsed.kind === 'invalid') throw new Error(`${file}: ${JSON.stringify(parsed.problems)}`)
  const policy = await policyOf(join(file, '..', parsed.suite.policy))
  return { policy, cases: runPolicyTest(policy, parsed.suite).cases }
}

/** The rules, flows, budgets and rates that no case of a policy test sees at work. */
function unseenRules({ policy, cases }: { policy: CompiledPolicy; cases: readonly CaseResult[] }): string[] {
  const seen = new Set(cases.flatMap(({ actual }) => actual?.rules.map(({ id }) => String(id)) ?? []))
  const written = [...policy.rules, ...policy.flows, ...policy.counters]
  return written.map(({ id }) => String(id)).filter((id) => !seen.has(id))
}

describe('the example policies', () => {
  test('are there, with tests', () => {
    expect(policies.length).toBeGreaterThanOrEqual(8)
    expect(suites.length).toBeGreaterThanOrEqual(8)
  })

  test.each(policies)('%s can be loaded', async (file) => {
    expect((await policyOf(file)).allowed.length).toBeGreaterThan(0)
  })

  test.each(suites)('%s passes', async (file) => {
    const { cases } = await reportOf(file)
    expect(cases.filter(({ passed }) => !passed)).toEqual([])
  })

  test.each(suites)(
    '%s has a call that is allowed, and for each rule, flow, budget and rate one in which it matches',
    async (file) => {
      const report = await reportOf(file)
      expect(report.cases.map(({ expected }) => expected.effect)).toContain('allow')
      expect(unseenRules(report)).toEqual([])
    },
  )
})
