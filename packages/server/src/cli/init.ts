import { mkdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault } from '@bailiwick/core'
import type { Command } from 'commander'
import { fine, type ExitCode } from './exit-codes.ts'
import type { CliPorts } from './ports.ts'
import type { Act } from './act.ts'
import { starterPolicy, starterTest } from './starter.ts'

interface InitOptions {
  readonly json?: true
}

/** Adds `bailiwick init`. */
export function addInit(program: Command, act: Act): void {
  program
    .command('init')
    .description('Writes a policy to start from, with a test that passes. Overwrites nothing.')
    .argument('[dir]', 'where; made if it is absent', '.')
    .option('--json', 'print {files}')
    .action(act(init))
}

async function init(ports: CliPorts, dir: string, options: InitOptions): Promise<ExitCode> {
  const policy = join(dir, 'customer-support.yaml')
  const test = join(dir, 'customer-support.policy-test.yaml')
  for (const file of [policy, test]) await refuseExisting(file)
  await mkdir(dir, { recursive: true })
  await writeNew(policy, starterPolicy)
  await writeNew(test, starterTest)
  if (options.json) ports.out(JSON.stringify({ files: [policy, test] }))
  else ports.out(nextSteps(dir, policy, test))
  return fine
}

// Both are looked at before either is written, so that nothing half-done is left.
async function refuseExisting(file: string): Promise<void> {
  const found = await stat(file).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  })
  if (found !== undefined) throw exists(file)
}

async function writeNew(file: string, text: string): Promise<void> {
  await writeFile(file, text, { flag: 'wx' }).catch((error: unknown) => {
    throw codeOf(error) === 'EEXIST' ? exists(file) : error
  })
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}

function exists(file: string): Fault {
  return new Fault('conflict', `\`${file}\` exists already`, {
    fix: 'Name another directory; nothing is overwritten.',
  })
}

function nextSteps(dir: string, policy: string, test: string): string {
  return `Wrote ${policy}
      ${test}

Next:
  bailiwick check ${dir}
  bailiwick test ${dir}
  bailiwick decide --policy ${policy} --action issue_refund --params '{"amount": 600}'
  bailiwick serve --policies ${dir}
  bailiwick keys create --agent customer-support-agent-v2`
}
