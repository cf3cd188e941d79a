import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault, parsePolicy, problemText, type CompiledPolicy, type Problem } from '@bailiwick/core'

/** The policies in force, one for each agent. */
export interface PolicySet {
  for(agent: string): CompiledPolicy | undefined
  readonly all: readonly CompiledPolicy[]
  /** What the policies' authors should look at; nothing that stops a policy. */
  readonly warnings: readonly { readonly file: string; readonly problem: Problem }[]
}

/** Every problem of every file, so that all can be mended at once. */
export class PolicyFault extends Fault {
  readonly problems: readonly { readonly file: string; readonly problem: Problem }[]

  constructor(problems: readonly { readonly file: string; readonly problem: Problem }[]) {
    super('policy_invalid', problems.map(({ file, problem }) => problemText(file, problem)).join('\n'), {
      fix: 'Correct the policy; nothing was loaded.',
    })
    this.problems = problems
  }
}

/** A file that is read as a policy: not a test of one. */
export function isPolicyFile(name: string): boolean {
  return /\.ya?ml$/.test(name) && !/\.policy-test\.ya?ml$/.test(name)
}

/**
 * Reads the policies at `path`: one file, or every `*.yaml` and `*.yml` of a directory that is not a
 * policy test.
 *
 * @throws PolicyFault with every problem of every file; Fault `bad_input` where there is nothing to read
 */
export async function loadPolicies(path: string): Promise<PolicySet> {
  const files = await policyFiles(path)
  const problems: { file: string; problem: Problem }[] = []
  const warnings: { file: string; problem: Problem }[] = []
  const policies = new Map<string, { file: string; policy: CompiledPolicy }>()
  for (const file of files) {
    const parsed = parsePolicy(await readFile(file, 'utf8'))
    if (parsed.kind === 'invalid') {
      problems.push(...parsed.problems.map((problem) => ({ file, problem })))
      continue
    }
    warnings.push(...parsed.warnings.map((problem) => ({ file, problem })))
    const other = policies.get(parsed.policy.agentId)
    if (other) problems.push({ file, problem: twice(parsed.policy.agentId, other.file) })
    policies.set(parsed.policy.agentId, { file, policy: parsed.policy })
  }
  if (problems.some(({ problem }) => problem.severity === 'error')) throw new PolicyFault(problems)
  return {
    for: (agent) => policies.get(agent)?.policy,
    all: [...policies.values()].map(({ policy }) => policy),
    warnings,
  }
}

async function policyFiles(path: string): Promise<string[]> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new Fault('bad_input', `no policy at \`${path}\``, { fix: 'Check the path given to --policies.', cause })
  })
  if (!found.isDirectory()) return [path]
  const names = (await readdir(path)).filter(isPolicyFile).sort()
  if (names.length > 0) return names.map((name) => join(path, name))
  throw new Fault('bad_input', `no policy in the directory \`${path}\``, {
    fix: 'Put at least one policy file (*.yaml) there, or run `bailiwick init`.',
  })
}

function twice(agent: string, file: string): Problem {
  return {
    severity: 'error',
    line: 1,
    column: 1,
    message: `the agent \`${agent}\` already has a policy in \`${file}\``,
    fix: 'keep one policy for each agent_id',
  }
}
