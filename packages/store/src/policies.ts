import { readdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import {
  bindAgents,
  besideFile,
  Fault,
  problemText,
  type CompiledPolicy,
  type Problem,
} from '@bailiwick/core'
import { realPath } from './parent-files.ts'
import { readPolicyWithParents } from './policy-text.ts'

/** The policies in force; each agent has at most one. */
export interface PolicySet {
  /** The policy that binds an agent, by its id or by a pattern. */
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
 * policy test or extended by another one. Files that are extended have to lie in or below that directory.
 *
 * @throws PolicyFault with every problem of every file; Fault `bad_input` where there is nothing to read
 */
export async function loadPolicies(path: string): Promise<PolicySet> {
  const readings = await readPolicies(path)
  const refused = readings.filter(({ policy }) => policy === undefined)
  if (refused.length > 0) throw new PolicyFault(refused.flatMap(problemsWithFile))
  const all = readings.flatMap(({ policy }) => policy ?? [])
  const bound = bindAgents(all)
  return { all, for: (agent) => bound.for(agent), warnings: readings.flatMap(problemsWithFile) }
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
  const { files, root } = await policyFiles(path)
  const read = await Promise.all(
    files.map(async (file) => ({ file, ...(await readPolicyWithParents(file, root)) })),
  )
  const parents = new Set(read.flatMap((each) => [...each.parents]))
  const fileOf = new Map<CompiledPolicy, string>()
  const readings = read.flatMap(({ file, parsed }): PolicyReading[] => {
    if (parsed.kind === 'valid') {
      fileOf.set(parsed.policy, file)
      return [{ file, policy: parsed.policy, problems: parsed.warnings }]
    }
    // What others extend binds no agent; what is wrong with it is said where it is extended.
    const real = realPath(file)
    if (real !== undefined && parents.has(real)) return []
    return [{ file, policy: undefined, problems: parsed.problems }]
  })
  const { overlaps } = bindAgents([...fileOf.keys()])
  return readings.map((reading) => {
    const twiceBound = overlaps
      .filter(({ policy }) => policy === reading.policy)
      .map(({ agent, other }) => twice(agent, fileOf.get(other) ?? ''))
    return twiceBound.length === 0
      ? reading
      : { ...reading, policy: undefined, problems: [...twiceBound, ...reading.problems] }
  })
}

/**
 * Everything there is to say about a file that policies beside it extend, as these see it: by itself it binds nobody.
 *
 * @returns undefined where none of them extends it
 */
export async function readParent(file: string): Promise<readonly Problem[] | undefined> {
  const real = realPath(file)
  const root = dirname(file)
  const names = (await readdir(root)).filter(isPolicyFile).sort()
  const told = await Promise.all(names.map((name) => toldOf(real, join(root, name), root)))
  const extending = told.filter((problems) => problems !== undefined)
  if (extending.length === 0) return undefined
  return [...new Map(extending.flat().map((problem) => [JSON.stringify(problem), problem])).values()]
}

/** What a policy has to say of a file that it extends; undefined where it does not extend it, or cannot be read. */
async function toldOf(
  real: string | undefined,
  policy: string,
  root: string,
): Promise<readonly Problem[] | undefined> {
  const read = await readPolicyWithParents(policy, root).catch(() => undefined)
  if (read === undefined || real === undefined || !read.parents.has(real)) return undefined
  const problems = read.parsed.kind === 'valid' ? read.parsed.warnings : read.parsed.problems
  return problems
    .filter((problem) => problem.file !== undefined && realPath(besideFile(policy, problem.file)) === real)
    .map((problem) => ({ ...problem, file: undefined }))
}

function problemsWithFile({ file, problems }: PolicyReading) {
  return problems.map((problem) => ({ file, problem }))
}

async function policyFiles(path: string): Promise<{ files: string[]; root: string }> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new Fault('bad_input', `no policy at \`${path}\``, { fix: 'Check the path.', cause })
  })
  if (!found.isDirectory()) return { files: [path], root: dirname(path) }
  const names = (await readdir(path)).filter(isPolicyFile).sort()
  if (names.length > 0) return { files: names.map((name) => join(path, name)), root: path }
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
    fix: 'keep one policy for each agent',
  }
}
