import { mkdir, open, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault, parsePolicy, policyFormat } from '@bailiwick/core'
import type { Command } from 'commander'
import { fine, type ExitCode } from './exit-codes.ts'
import type { CliPorts } from './ports.ts'
import type { Act } from './act.ts'
import { draftPolicy, type DraftedPolicy } from './draft-policy.ts'
import { starterPolicy, starterTest } from './starter.ts'
import { readToolList, toolListBytesMax } from './tool-list.ts'

interface InitOptions {
  readonly fromTools?: string
  readonly agent: string
  readonly json?: true
}

/** Adds `bailiwick init`. */
export function addInit(program: Command, act: Act): void {
  program
    .command('init')
    .description('Writes a policy to start from, with a test that passes. Overwrites nothing.')
    .argument('[dir]', 'where; made if it is absent', '.')
    .option(
      '--from-tools <file>',
      "draft it from tools: MCP's tools/list or OpenAI's functions, as JSON; - reads standard input",
    )
    .option('--agent <id>', 'with --from-tools: the agent that the policy binds', 'my-agent')
    .option('--json', 'print {files}')
    .action(act(init))
}

async function init(ports: CliPorts, dir: string, options: InitOptions): Promise<ExitCode> {
  if (options.fromTools !== undefined) return initFromTools(ports, dir, options.fromTools, options)
  const policy = join(dir, 'customer-support.yaml')
  const test = join(dir, 'customer-support.policy-test.yaml')
  await writeBoth(dir, [policy, starterPolicy], [test, starterTest])
  if (options.json) ports.out(JSON.stringify({ files: [policy, test] }))
  else ports.out(nextSteps(dir, policy, test))
  return fine
}

async function initFromTools(
  ports: CliPorts,
  dir: string,
  source: string,
  { agent, json }: InitOptions,
): Promise<ExitCode> {
  const tools = readToolList(
    await toolText(ports, source),
    source === '-' ? 'standard input' : `\`${source}\``,
  )
  const policy = join(dir, 'policy.yaml')
  const test = join(dir, 'policy.policy-test.yaml')
  const draft = draftPolicy(tools, { agent, policyFile: 'policy.yaml' })
  refuseBroken(draft)
  await writeBoth(dir, [policy, draft.policy], [test, draft.test])
  const { read, write, destructive, left } = draft.counts
  if (json) ports.out(JSON.stringify({ files: [policy, test], counts: { read, write, destructive, left } }))
  else {
    const counts = `${read} allowed, ${write} wait for a person, ${destructive} forbidden, ${left} left out`
    ports.out(`Wrote ${policy}
      ${test}
Of ${tools.length} tools: ${counts}. It is a draft: read it before it binds anybody.

Next:
  bailiwick check ${dir}
  bailiwick test ${dir}`)
  }
  return fine
}

// The language without `actions` refuses every draft for that one key; a draft with another error is ours to mend.
function refuseBroken({ policy }: DraftedPolicy): void {
  if (Buffer.byteLength(policy) > policyFormat.bytesMax) {
    throw new Fault('bad_input', 'the policy of so many tools would be larger than a policy may be', {
      fix: 'Draft a policy from the tools of one agent.',
    })
  }
  const parsed = parsePolicy(policy)
  if (parsed.kind === 'valid') return
  const broken = parsed.problems.find(({ severity }) => severity === 'error')
  if (broken === undefined) return
  throw new Fault('bad_input', `no valid policy can be drafted: ${broken.message}`, {
    fix: 'Correct --agent or the names of the tools, and try again.',
  })
}

async function toolText({ readInput }: Pick<CliPorts, 'readInput'>, source: string): Promise<string> {
  const text = source === '-' ? await readInput?.(toolListBytesMax) : await fileText(source)
  if (text !== undefined) return text
  throw new Fault('bad_input', 'the list of tools is too large or cannot be read', {
    fix: `Give at most ${toolListBytesMax / 1024 / 1024} MiB of JSON.`,
  })
}

// Bounded by what is read, for it may be no plain file.
async function fileText(file: string): Promise<string | undefined> {
  const handle = await open(file, 'r').catch((cause: unknown) => {
    throw new Fault('bad_input', `\`${file}\` cannot be read`, { fix: 'Check the path.', cause })
  })
  try {
    const buffer = Buffer.alloc(toolListBytesMax + 1)
    let length = 0
    for (;;) {
      const { bytesRead } = await handle.read(buffer, length, buffer.length - length, null)
      length += bytesRead
      if (length === buffer.length) return undefined
      if (bytesRead === 0) return buffer.toString('utf8', 0, length)
    }
  } finally {
    await handle.close()
  }
}

type NewFile = readonly [file: string, text: string]

async function writeBoth(dir: string, policy: NewFile, test: NewFile): Promise<void> {
  for (const [file] of [policy, test]) await refuseExisting(file)
  await mkdir(dir, { recursive: true })
  for (const [file, text] of [policy, test]) await writeNew(file, text)
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
