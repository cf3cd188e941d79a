import { createHash } from 'node:crypto'
import { canonicalJson } from '../model/canonical-json.ts'
import type { RuleId, Sha256 } from '../model/ids.ts'
import type { Json } from '../model/json.ts'
import type { ApprovalRoute, CompiledPolicy, FactDeclaration, ListedAction } from '../model/policy.ts'
import type { Problem } from '../model/problem.ts'
import { approvalDeadlineMsDefault } from '../model/limits.ts'
import { actionNameProblems } from './action-names.ts'
import { removeRepeated } from './edit/edits.ts'
import { declareFacts } from './facts.ts'
import { actionPattern } from './pattern.ts'
import type { Positions } from './positions.ts'
import { compileRules } from './rules.ts'
import type { PolicyFile } from './schema.ts'
import { shapePolicy } from './shape.ts'
import { inFileOrder } from './yaml-file.ts'

/** What became of a policy file's text. Warnings do not stop a policy; one error does. */
export type ParsedPolicy =
  | { readonly kind: 'valid'; readonly policy: CompiledPolicy; readonly warnings: readonly Problem[] }
  | { readonly kind: 'invalid'; readonly problems: readonly Problem[] }

/**
 * Reads, checks and compiles the text of a policy file. Every problem is reported at once, with line
 * and column; never throws for what a file may contain.
 */
export function parsePolicy(text: string): ParsedPolicy {
  const shaped = shapePolicy(text)
  if (shaped.kind === 'misshapen') return { kind: 'invalid', problems: shaped.problems }
  const { file, json, positions } = shaped
  const declared = declareFacts(file, positions)
  const compiled = compileRules(file, declared.facts, positions)
  const routes = approvalRoutes(file, compiled.rules)
  const problems = inFileOrder([
    ...listProblems(file, positions),
    ...actionNameProblems(file, positions),
    ...declared.problems,
    ...compiled.problems,
    ...unusedRoutes(file, routes.used, positions),
    ...unreachableQuorums(file, positions),
  ])
  if (problems.some((problem) => problem.severity === 'error')) return { kind: 'invalid', problems }
  const policy: CompiledPolicy = {
    ref: { id: file.agent_id, version: file.version ?? null, sha256: sha256Of(json as Json) },
    agentId: file.agent_id,
    domain: file.domain,
    allowed: listed(file.allowed_actions, 'allowed_actions', positions),
    forbidden: listed(file.forbidden_actions ?? [], 'forbidden_actions', positions),
    facts: new Map<string, FactDeclaration>([
      ...declared.facts,
      ...compiled.inferred.map((fact) => [fact.name, fact] as const),
    ]),
    rules: compiled.rules,
    routes: routes.routes,
    source: text,
  }
  return { kind: 'valid', policy, warnings: problems }
}

// Over the content and not the bytes: a comment or another quoting must not look like another policy.
function sha256Of(json: Json): Sha256 {
  return createHash('sha256').update(canonicalJson(json)).digest('hex') as Sha256
}

function listed(texts: readonly string[], key: string, positions: Positions): ListedAction[] {
  return texts.map((text, at) => ({
    id: `${key}[${at}]` as RuleId,
    pattern: actionPattern(text),
    line: positions.ofValue([key, at]).line,
  }))
}

function approvalRoutes(
  file: PolicyFile,
  rules: CompiledPolicy['rules'],
): { routes: Map<string, ApprovalRoute>; used: Set<string> } {
  const used = new Set(rules.flatMap((rule) => (rule.route === undefined ? [] : [rule.route])))
  const written = file.approvals ?? {}
  const routes = new Map<string, ApprovalRoute>()
  for (const name of new Set([...used, ...Object.keys(written)])) {
    const terms = Object.hasOwn(written, name) ? written[name] : undefined
    routes.set(name, {
      name,
      approvers: terms?.approvers ?? [],
      quorum: terms?.quorum ?? 1,
      deadlineMs: terms?.deadline ?? approvalDeadlineMsDefault,
    })
  }
  return { routes, used }
}

function unusedRoutes(file: PolicyFile, used: ReadonlySet<string>, positions: Positions): Problem[] {
  return Object.keys(file.approvals ?? {})
    .filter((name) => !used.has(name))
    .map((name) => ({
      severity: 'warning' as const,
      ...positions.ofKey(['approvals', name]),
      message: `no rule asks for the route \`${name}\``,
      fix: 'remove it, or correct the `action` of the rule that means it',
    }))
}

// Where only people are named, they can be counted; how many hold a role is not the policy's to know.
function unreachableQuorums(file: PolicyFile, positions: Positions): Problem[] {
  return Object.entries(file.approvals ?? {}).flatMap(([name, { approvers = [], quorum = 1 }]) => {
    const people = new Set(approvers.map((entry) => entry.toLowerCase()))
    const countable = people.size > 0 && approvers.every((entry) => entry.startsWith('person:'))
    if (!countable || people.size >= quorum) return []
    return [
      {
        severity: 'error' as const,
        ...positions.ofKey(['approvals', name]),
        message: `\`${name}\` needs ${quorum} approvals and names ${people.size} ${people.size === 1 ? 'person' : 'people'}, so nobody can ever give them`,
        fix: 'name more people or a role, or lower the quorum',
      },
    ]
  })
}

function listProblems(file: PolicyFile, positions: Positions): Problem[] {
  const problems: Problem[] = []
  const forbidden = file.forbidden_actions ?? []
  for (const [key, texts] of [
    ['allowed_actions', file.allowed_actions],
    ['forbidden_actions', forbidden],
  ] as const) {
    for (const [at, text] of texts.entries()) {
      if (texts.indexOf(text) === at) continue
      problems.push({
        severity: 'warning',
        ...positions.ofValue([key, at]),
        message: `\`${text}\` stands twice in ${key}`,
        fix: 'remove one of the two',
        code: 'repeated-entry',
        edit: removeRepeated(key, at, text),
      })
    }
  }
  for (const [at, text] of forbidden.entries()) {
    if (!file.allowed_actions.includes(text)) continue
    problems.push({
      severity: 'error',
      ...positions.ofValue(['forbidden_actions', at]),
      message: `\`${text}\` is both allowed and forbidden`,
      fix: 'remove it from one of the two lists',
    })
  }
  for (const [at, text] of file.allowed_actions.entries()) {
    if (text.includes('*') || forbidden.includes(text)) continue
    const beaten = forbidden.find((pattern) => pattern.includes('*') && actionPattern(pattern).matches(text))
    if (beaten === undefined) continue
    problems.push({
      severity: 'warning',
      ...positions.ofValue(['allowed_actions', at]),
      message: `\`${text}\` is never allowed: the forbidden pattern \`${beaten}\` covers it`,
      fix: 'remove it, or narrow the pattern',
    })
  }
  return problems
}
