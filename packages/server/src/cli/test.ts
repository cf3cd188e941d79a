import { readdir, stat, writeFile } from 'node:fs/promises'
import { dirname, isAbsolute, join } from 'node:path'
import {
  Fault,
  junitReport,
  runPolicyTest,
  suiteTotals,
  textReport,
  type PolicyTestSuite,
  type Problem,
  type SuiteReport,
} from '@bailiwick/core'
import { isPolicyTestFile, readPolicy, readPolicyTest } from '@bailiwick/store'
import type { Command } from 'commander'
import { badInput, fine, negative, type ExitCode } from './exit-codes.ts'
import type { CliPorts } from './ports.ts'
import type { Act } from './act.ts'

interface TestOptions {
  readonly junit?: string
  readonly json?: true
}

/** Adds `bailiwick test`. */
export function addTest(program: Command, act: Act): void {
  program
    .command('test')
    .description('Runs policy tests: every *.policy-test.yaml below the directories given.')
    .argument('[paths...]', 'policy tests or directories', ['.'])
    .option('--junit <file>', 'also write the report as JUnit XML')
    .option('--json', 'print {passed, failed, invalid, suites}')
    .addHelpText(
      'after',
      '\nExits with 1 where a case fails, 2 where a test or its policy cannot be read, or there is none.',
    )
    .action(act(test))
}

async function test(ports: CliPorts, paths: readonly string[], options: TestOptions): Promise<ExitCode> {
  const files = new Set<string>()
  for (const path of paths) for (const file of await policyTestFiles(path)) files.add(file)
  if (files.size === 0) {
    throw new Fault('bad_input', `no policy test in ${paths.map((path) => `\`${path}\``).join(', ')}`, {
      fix: 'Name a directory with *.policy-test.yaml files, or write one with `bailiwick init`.',
    })
  }
  const suites: SuiteReport[] = []
  for (const file of files) suites.push(await runSuite(file))
  const totals = suiteTotals(suites)
  if (options.json) ports.out(JSON.stringify({ ...totals, suites }))
  else ports.out(textReport(suites).trimEnd())
  if (options.junit !== undefined) await writeReport(options.junit, junitReport(suites))
  if (totals.invalid > 0) return badInput
  return totals.failed > 0 ? negative : fine
}

async function writeReport(file: string, text: string): Promise<void> {
  await writeFile(file, text).catch((cause: unknown) => {
    throw new Fault('bad_input', `the report cannot be written to \`${file}\``, {
      fix: 'Name a file in a directory that exists and that you may write to.',
      cause,
    })
  })
}

async function policyTestFiles(path: string): Promise<string[]> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new Fault('bad_input', `there is no \`${path}\``, { fix: 'Check the path.', cause })
  })
  return found.isDirectory() ? await filesBelow(path) : [path]
}

// Links are not followed: a loop of them would have no end.
async function filesBelow(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true })
  const files: string[] = []
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(dir, entry.name)
    const skipped = entry.name === 'node_modules' || entry.name.startsWith('.')
    if (entry.isDirectory() && !skipped) files.push(...(await filesBelow(path)))
    if (!entry.isDirectory() && isPolicyTestFile(entry.name)) files.push(path)
  }
  return files
}

async function runSuite(file: string): Promise<SuiteReport> {
  const parsed = await readPolicyTest(file)
  if (parsed.kind === 'invalid') return invalid(file, file, parsed.problems)
  const { suite } = parsed
  const policyFile = isAbsolute(suite.policy) ? suite.policy : join(dirname(file), suite.policy)
  const policy = await readPolicyOf(suite, policyFile)
  if (policy.kind === 'missing') return invalid(file, file, [policy.problem])
  if (policy.parsed.kind === 'invalid') return invalid(file, policyFile, policy.parsed.problems)
  return { kind: 'ran', file, policy: policyFile, report: runPolicyTest(policy.parsed.policy, suite) }
}

function invalid(file: string, place: string, problems: readonly Problem[]): SuiteReport {
  return { kind: 'invalid', file, problems: problems.map((problem) => ({ file: place, problem })) }
}

async function readPolicyOf(suite: PolicyTestSuite, file: string) {
  try {
    return { kind: 'read', parsed: await readPolicy(file) } as const
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault
    const fix = 'correct `policy`, the path relative to this file'
    const problem: Problem = { severity: 'error', ...suite.policyPlace, message: fault.message, fix }
    return { kind: 'missing', problem } as const
  }
}
