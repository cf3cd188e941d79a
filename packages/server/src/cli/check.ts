import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { onOneLine, problemText, type Problem } from '@bailiwick/core'
import { isPolicyTestFile, readPolicies, readPolicyTest } from '@bailiwick/store'
import type { Command } from 'commander'
import { badInput, fine, type ExitCode } from './exit-codes.ts'
import type { CliPorts } from './ports.ts'
import type { Act } from './act.ts'

interface CheckOptions {
  readonly json?: true
}

/** Adds `bailiwick check`. */
export function addCheck(program: Command, act: Act): void {
  program
    .command('check')
    .description('Checks policy files, policy tests, and directories of both. Warnings do not fail it.')
    .argument('[paths...]', 'policy files, policy tests or directories', ['.'])
    .option('--json', 'print {files: [{file, valid, problems}]}')
    .action(act(check))
}

interface CheckedFile {
  readonly file: string
  readonly valid: boolean
  readonly problems: readonly Problem[]
}

async function check(ports: CliPorts, paths: readonly string[], options: CheckOptions): Promise<ExitCode> {
  const files: CheckedFile[] = []
  for (const path of paths) files.push(...(await checkedFiles(path)))
  if (options.json) ports.out(JSON.stringify({ files }))
  else ports.out(reportText(files))
  return files.every(({ valid }) => valid) ? fine : badInput
}

async function checkedFiles(path: string): Promise<CheckedFile[]> {
  if (isPolicyTestFile(path)) return [await checkedTest(path)]
  const readings = await readPolicies(path)
  const policies = readings.map(({ file, policy, problems }) => ({
    file,
    valid: policy !== undefined,
    problems,
  }))
  return [...policies, ...(await Promise.all((await testsBeside(path)).map(checkedTest)))]
}

async function checkedTest(file: string): Promise<CheckedFile> {
  const parsed = await readPolicyTest(file)
  const problems = parsed.kind === 'invalid' ? parsed.problems : []
  return { file, valid: problems.length === 0, problems }
}

// Of the directory itself, as policies are read; `bailiwick test` also looks below.
async function testsBeside(path: string): Promise<string[]> {
  if (!(await stat(path)).isDirectory()) return []
  const names = (await readdir(path)).filter(isPolicyTestFile).sort()
  return names.map((name) => join(path, name))
}

function reportText(files: readonly CheckedFile[]): string {
  const lines = files.flatMap(({ file, problems }) =>
    problems.map((problem) => onOneLine(problemText(file, problem))),
  )
  const severities = files.flatMap(({ problems }) => problems.map(({ severity }) => severity))
  const errors = severities.filter((severity) => severity === 'error').length
  const counts = [
    counted(files.length, 'file'),
    counted(errors, 'error'),
    counted(severities.length - errors, 'warning'),
  ]
  return [...lines, counts.join(', ')].join('\n')
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
