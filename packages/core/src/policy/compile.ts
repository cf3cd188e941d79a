import { createHash } from 'node:crypto'
import { canonicalJson } from '../model/canonical-json.ts'
import type { Sha256 } from '../model/ids.ts'
import type { Json } from '../model/json.ts'
import type { CompiledPolicy, FactDeclaration, NamePattern } from '../model/policy.ts'
import type { Problem } from '../model/problem.ts'
import { checkActionNames } from './action-names.ts'
import { compileActions, compileSubjects } from './actions.ts'
import { Conditions } from './conditions.ts'
import { compileCounters } from './counters.ts'
import { declaredOnce } from './declared-once.ts'
import { declareEnvironments } from './environments.ts'
import { declareFacts } from './facts.ts'
import { compileFlows } from './flows.ts'
import { ActionSchemas } from './lints/action-schemas.ts'
import { CallableActions } from './lints/callable-actions.ts'
import { lintPolicy } from './lints/lint.ts'
import { checkLists, checkNarrowing, listedActions } from './lists.ts'
import { namePattern } from './pattern.ts'
import { References } from './references.ts'
import { declareRoutes } from './routes.ts'
import { compileRules, type RuleContext } from './rules.ts'
import { Findings, readSources, type LoadFile, type PolicySource } from './sources.ts'
import { declareWindows } from './windows.ts'

/** What became of a policy file's text. Warnings do not stop a policy; one error does. */
export type ParsedPolicy =
  | { readonly kind: 'valid'; readonly policy: CompiledPolicy; readonly warnings: readonly Problem[] }
  | { readonly kind: 'invalid'; readonly problems: readonly Problem[] }

/** How a policy's text is read. */
export interface ParsePolicyOptions {
  /** Gives the files that the policy extends; without it, a policy that extends something is invalid. */
  readonly load?: LoadFile | undefined
}

/**
 * Reads, checks and compiles the text of a policy file, and of all that it extends. Every problem is reported at
 * once, with line and column; never throws for what a file may contain.
 */
export function parsePolicy(text: string, { load }: ParsePolicyOptions = {}): ParsedPolicy {
  const read = readSources(text, load)
  if (read.kind === 'invalid') return read
  const { leaf, parents } = read
  const findings = new Findings()
  const schemas = new ActionSchemas([leaf, ...parents])
  const policy = compile(leaf, parents, schemas, findings)
  // Of a policy with errors, too much is unknown.
  if (!findings.hasErrors) lintPolicy(policy, [leaf, ...parents], schemas, findings)
  const problems = findings.inOrder([leaf, ...parents].map(({ file }) => file))
  if (findings.hasErrors) return { kind: 'invalid', problems }
  return { kind: 'valid', policy, warnings: problems }
}

function compile(
  leaf: PolicySource,
  parents: readonly PolicySource[],
  schemas: ActionSchemas,
  findings: Findings,
): CompiledPolicy {
  // Those that are extended come first: what is said of a name is said where it is declared again.
  const sources = [...parents].reverse().concat(leaf)
  const id = leaf.content.agent_id ?? leaf.content.agents?.[0] ?? ''
  checkNames(leaf, sources, findings)
  const environments = declareEnvironments(sources, findings)
  const roles = declareRoles(sources, findings)
  const declared = declareFacts(sources, findings)
  const infer = sources.every(({ content }) => content.facts === undefined)
  const lists = listsOf(leaf, parents)
  const callable = new CallableActions(lists, sources)
  const conditions = new Conditions(
    {
      facts: declared,
      roles,
      infer,
      environments: environments?.names,
      sources,
      bounds: schemas.factBounds(declared, callable),
    },
    findings,
  )
  const windows = declareWindows(sources, findings)
  const references = new References({ windows, roles, environments: environments?.names }, findings)
  const parts = compileParts([leaf, ...parents], id, { facts: declared, conditions, references })
  const asking = [...parts.rules, ...parts.flows, ...parts.counters]
  const used = new Set(asking.flatMap(({ route }) => route ?? []))
  return {
    ref: Object.freeze({ id, version: leaf.content.version ?? null, sha256: sha256Of(leaf, parents) }),
    agentId: id,
    agents: agentsOf(leaf),
    domain: leaf.content.domain,
    mode: leaf.content.mode ?? 'enforce',
    environments,
    ...lists,
    facts: new Map<string, FactDeclaration>([...declared, ...conditions.inferred]),
    ...parts,
    routes: declareRoutes(sources, used, findings),
    roles,
    source: leaf.text,
    parents: parents.map(({ file = '', text }) => ({ file, source: text })),
    plans: { owner: undefined, byAction: new Map() },
  }
}

function listsOf(
  leaf: PolicySource,
  parents: readonly PolicySource[],
): Pick<CompiledPolicy, 'allowed' | 'parentsAllow' | 'forbidden'> {
  return {
    allowed: listedActions(leaf, 'allowed_actions'),
    parentsAllow: parents.flatMap((parent) =>
      parent.content.allowed_actions === undefined ? [] : [listedActions(parent, 'allowed_actions')],
    ),
    forbidden: [leaf, ...parents].flatMap((source) => listedActions(source, 'forbidden_actions')),
  }
}

function compileParts(sources: readonly PolicySource[], policyId: string, context: RuleContext) {
  const actions = sources.flatMap((source) => compileActions(source, context))
  const labels = new Set(actions.flatMap((action) => action.labels))
  return {
    actions,
    subjects: compileSubjects(sources, actions),
    rules: sources.flatMap((source) => compileRules(source, context)),
    flows: sources.flatMap((source) => compileFlows(source, labels, context)),
    // After the conditions: a counter may add up what they made up.
    counters: sources.flatMap((source) => compileCounters(source, policyId, context)),
  }
}

function checkNames(leaf: PolicySource, sources: readonly PolicySource[], findings: Findings): void {
  const listed = sources.flatMap(({ content }) => [
    ...(content.allowed_actions ?? []),
    ...(content.forbidden_actions ?? []),
  ])
  for (const source of sources) {
    checkLists(source, findings)
    checkActionNames(source, listed, findings)
    checkMode(source, leaf, findings)
  }
  checkNarrowing(sources, findings)
}

function checkMode(source: PolicySource, leaf: PolicySource, findings: Findings): void {
  if (source === leaf) return
  const { mode } = source.content
  if (mode === 'shadow') {
    const fix = 'write `mode: shadow` at its rules, or in the policy that extends this file'
    const place = source.positions.ofValue(['mode'])
    findings.error(source, place, 'a file that others extend cannot be in shadow mode', fix, {
      code: 'inherited-mode',
    })
  }
  if (mode === 'enforce' && leaf.content.mode === 'shadow') {
    const message = `\`${source.file ?? ''}\` is to be enforced, so this policy cannot be in shadow mode`
    findings.error(leaf, leaf.positions.ofValue(['mode']), message, 'remove `mode: shadow`', {
      code: 'inherited-mode',
    })
  }
}

function declareRoles(
  sources: readonly PolicySource[],
  findings: Findings,
): ReadonlyMap<string, readonly NamePattern[]> {
  return new Map(
    declaredOnce('roles', sources, findings).map(({ name, written }) => [name, written.map(namePattern)]),
  )
}

function agentsOf({ content }: PolicySource): readonly NamePattern[] {
  if (content.agents !== undefined) return content.agents.map(namePattern)
  const id = content.agent_id ?? ''
  // In `agent_id`, a `*` stands for itself.
  return [{ text: id, exact: true, matches: (agent) => agent === id }]
}

// Over the content and not the bytes: a comment or another quoting must not look like another policy.
function sha256Of(leaf: PolicySource, parents: readonly PolicySource[]): Sha256 {
  const whole = parents.length === 0 ? leaf.json : [leaf, ...parents].map(({ json }) => json)
  return createHash('sha256')
    .update(canonicalJson(whole as Json))
    .digest('hex') as Sha256
}
