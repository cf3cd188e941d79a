import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault, problemText, type CompiledPolicy, type Problem } from '@bailiwick/core'
import { readPolicy } from './policy-text.ts'

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

/** A file that says what a policy should decide. */
export function isPolicyTestFile(name: string): boolean {
  return /\.policy-test\.ya?ml$/.test(name)
}

/** A file that is read as a policy: not a test of one. */
export function isPolicyFile(name: string): boolean {
  return /\.ya?ml$/.test(name) && !isPolicyTestFile(name)
}

/**
 * Reads the policies at `path`: one file, or every `*.yaml` and `*.yml` of a directory that is not a
 * policy test.
 *
 * @throws PolicyFault with every problem of every file; Fault `bad_input` where there is nothing to read
 */
export async function loadPolicies(path: string): Promise<PolicySet> {
  const readings = await readPolicies(path)
  const refused = readings.filter(({ policy }) => policy === undefined)
  if (refused.length > 0) throw new PolicyFault(refused.flatMap(problemsWithFile))
  const policies = new Map(
    readings.flatMap(({ policy }) => (policy ? [[policy.agentId, policy] as const] : [])),
  )
  return {
    for: (agent) => policies.get(agent),
    all: [...policies.values()],
    warnings: readings.flatMap(problemsWithFile),
  }
}

/** A policy file and everything there is to say about it. */
export interface PolicyReading {
  readonly file: string
  /** Undefined where a problem stops it. */
  readonly policy: CompiledPolicy | undefined
  readonly problems: readonly Problem[]
}

/**
 * Reads the policies at `path` as `loadPolicies` does, and says everything about every file.
 *
 * @throws Fault `bad_input` where there is nothing to read
 */
export async function readPolicies(path: string): Promise<PolicyReading[]> {
  const fileOf = new Map<string, string>()
  const readings: PolicyReading[] = []
  for (const file of await policyFiles(path)) {
    const parsed = await readPolicy(file)
    if (parsed.kind === 'invalid') {
      readings.push({ file, policy: undefined, problems: parsed.problems })
      continue
    }
    const { policy, warnings } = parsed
    const other = fileOf.get(policy.agentId)
    if (other === undefined) readings.push({ file, policy, problems: warnings })
    else readings.push({ file, policy: undefined, problems: [twice(policy.agentId, other), ...warnings] })
    fileOf.set(policy.agentId, file)
  }
  return readings
}

function problemsWithFile({ file, problems }: PolicyReading) {
  return problems.map((problem) => ({ file, problem }))
}

async function policyFiles(path: string): Promise<string[]> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new Fault('bad_input', `no policy at \`${path}\``, { fix: 'Check the path.', cause })
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
