import { readFileSync, statSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { policyFormat } from '@bailiwick/core'
import { isPolicyTestFile, readParent, readPolicies, readPolicyTest } from '@bailiwick/store'
import { Option, type Command } from 'commander'
import type { Act } from './act.ts'
import { fixedLines, lineReport, prettyReport, type CheckedFile, type FixedFile } from './check-report.ts'
import { badInput, fine, type ExitCode } from './exit-codes.ts'
import { fixFiles } from './fix-files.ts'
import { githubCommands } from './github-commands.ts'
import type { CliPorts } from './ports.ts'
import { sarifLog } from './sarif.ts'

const formats = ['pretty', 'text', 'json', 'sarif', 'github'] as const
type Format = (typeof formats)[number]

interface CheckOptions {
  readonly format?: Format
  readonly fix?: true
  readonly json?: true
}

/** Adds `bailiwick check`. */
export function addCheck(program: Command, act: Act): void {
  program
    .command('check')
    .description('Checks policy files, policy tests, and directories of both. Warnings do not fail it.')
    .argument('[paths...]', 'policy files, policy tests or directories', ['.'])
    .addOption(
      new Option('--format <format>', 'how to print; default pretty on a terminal, text elsewhere').choices(
        formats,
      ),
    )
    .option('--fix', 'make the edits that change no decision, say which, and check again')
    .option('--json', 'the same as --format json: {files: [{file, valid, problems}]}')
    .action(act(check))
}

async function check(ports: CliPorts, paths: readonly string[], options: CheckOptions): Promise<ExitCode> {
  let files = await checkedPaths(paths)
  const fixed = options.fix === true ? await fixFiles(files) : undefined
  if (fixed?.some(({ made }) => made.length > 0) === true) files = await checkedPaths(paths)
  report(ports, files, fixed, formatOf(options, ports))
  return files.every(({ valid }) => valid) ? fine : badInput
}

function formatOf({ format, json }: CheckOptions, { isTerminal }: CliPorts): Format {
  if (json === true) return 'json'
  return format ?? (isTerminal === true ? 'pretty' : 'text')
}

function report(
  ports: CliPorts,
  files: readonly CheckedFile[],
  fixed: readonly FixedFile[] | undefined,
  format: Format,
): void {
  const changes = fixedLines(fixed ?? [])
  const directory = process.cwd()
  switch (format) {
    case 'json':
      ports.out(JSON.stringify({ files, ...(fixed === undefined ? {} : { fixed }) }))
      return
    case 'sarif':
      for (const line of changes) ports.err(line)
      ports.out(JSON.stringify(sarifLog(files, { directory, textOf }), null, 2))
      return
    case 'github':
      for (const line of changes) ports.err(line)
      for (const line of githubCommands(files, directory)) ports.out(line)
      return
    case 'text':
      ports.out([...changes, lineReport(files)].join('\n'))
      return
    case 'pretty': {
      const colours = ports.isTerminal === true && (ports.env['NO_COLOR'] ?? '') === ''
      ports.out([...changes, prettyReport(files, { colours, textOf })].join('\n'))
      return
    }
    default:
      format satisfies never
  }
}

// For the lines that people see: where the file cannot be read again, they see the problem without its line.
function textOf(file: string): string | undefined {
  try {
    return statSync(file).size > policyFormat.bytesMax ? undefined : readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

async function checkedPaths(paths: readonly string[]): Promise<readonly CheckedFile[]> {
  const files: CheckedFile[] = []
  for (const path of paths) files.push(...(await checkedFiles(path)))
  return files
}

async function checkedFiles(path: string): Promise<CheckedFile[]> {
  if (isPolicyTestFile(path)) return [await checkedTest(path)]
  const readings = await readPolicies(path)
  const isDirectory = (await stat(path)).isDirectory()
  const policies = await Promise.all(
    readings.map(async ({ file, policy, problems }) => {
      const valid = policy !== undefined
      // Of a directory, what others extend has been told with them.
      const asParent = valid || isDirectory ? undefined : await readParent(file)
      if (asParent === undefined) return { file, valid, problems }
      return { file, valid: asParent.every(({ severity }) => severity === 'warning'), problems: asParent }
    }),
  )
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
