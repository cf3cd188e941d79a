import {
  compileCondition,
  type CelProblem,
  type CompiledCondition,
  type ConditionScope,
} from '@bailiwick/cel'
import type { RuleId } from '../model/ids.ts'
import type { ConditionRule, FactDeclaration } from '../model/policy.ts'
import type { Problem } from '../model/problem.ts'
import { conditionLengthMax } from '../model/limits.ts'
import { declareFact } from './edit/edits.ts'
import { celTypeOf, scopeNames } from './facts.ts'
import { actionPattern } from './pattern.ts'
import type { DocumentPath, Positions } from './positions.ts'
import type { PolicyFile } from './schema.ts'

interface WrittenRule {
  readonly path: DocumentPath
  readonly id?: string | undefined
  readonly effect: 'deny' | 'escalate'
  readonly on?: string | readonly string[] | undefined
  readonly condition?: string | undefined
  readonly route?: string | undefined
  readonly reason?: string | undefined
}

/** Rules with compiled conditions, the facts that conditions made up, and every problem. */
export interface CompiledRules {
  readonly rules: readonly ConditionRule[]
  readonly inferred: readonly FactDeclaration[]
  readonly problems: readonly Problem[]
}

/**
 * Compiles `escalation_rules` and `rules`. A bare name that no fact declares is an error where the
 * file has a `facts` block; in a file without one it stands for `params.<name>`, with a warning.
 */
export function compileRules(
  file: PolicyFile,
  facts: ReadonlyMap<string, FactDeclaration>,
  positions: Positions,
): CompiledRules {
  const scope = conditionScope(facts, file.facts === undefined)
  const inferred = new Map<string, FactDeclaration>()
  const problems: Problem[] = []
  const seen = new Map<string, DocumentPath>()
  const rules: ConditionRule[] = []
  for (const written of writtenRules(file)) {
    const id = written.id ?? `${String(written.path[0])}[${String(written.path[1])}]`
    if (seen.has(id)) {
      problems.push({
        severity: 'error',
        ...positions.ofValue([...written.path, 'id']),
        message: `the rule id \`${id}\` is used twice`,
        fix: 'give each rule its own id',
      })
    }
    seen.set(id, written.path)
    const condition = compileOne(written, scope, positions, problems)
    if (condition === 'invalid') continue
    if (condition) {
      inferFacts(condition, written, positions, inferred, problems)
      problems.push(...silentFor(condition, written, facts, positions))
    }
    rules.push({
      id: id as RuleId,
      effect: written.effect,
      on: written.on === undefined ? undefined : [written.on].flat().map(actionPattern),
      condition,
      facts: condition ? factsOf(condition) : [],
      route: written.route,
      reason: written.reason,
      line: positions.ofValue(written.path).line,
    })
  }
  return { rules, inferred: [...inferred.values()], problems }
}

function factsOf(condition: CompiledCondition): readonly string[] {
  return condition.uses.filter((name) => !scopeNames.has(name))
}

// A rule says nothing of an action for which none of its facts exist. Where the author names that very
// action, the rule would be off without a word.
function silentFor(
  condition: CompiledCondition,
  written: WrittenRule,
  facts: ReadonlyMap<string, FactDeclaration>,
  positions: Positions,
): Problem[] {
  const used = factsOf(condition)
  if (used.length === 0 || used.length < condition.uses.length) return []
  const named = [written.on ?? []].flat().filter((action) => !action.includes('*'))
  const silent = named.filter((action) =>
    used.every((name) => facts.get(name)?.for?.every((pattern) => !pattern.matches(action)) === true),
  )
  return silent.map((action) => ({
    severity: 'error',
    ...positions.ofValue([...written.path, 'on']),
    message: `the rule names \`${action}\`, for which none of its facts exist`,
    fix: `add \`${action}\` to the \`for\` of ${used.map((name) => `\`${name}\``).join(' or ')}`,
  }))
}

function writtenRules(file: PolicyFile): WrittenRule[] {
  const escalations = (file.escalation_rules ?? []).map((rule, at) => ({
    path: ['escalation_rules', at],
    id: rule.id,
    effect: 'escalate' as const,
    on: rule.on,
    condition: rule.condition,
    route: rule.action,
    reason: rule.reason,
  }))
  const rules = (file.rules ?? []).map((rule, at) => ({
    path: ['rules', at],
    id: rule.id,
    effect: rule.effect,
    on: rule.on,
    condition: rule.condition,
    route: rule.effect === 'escalate' ? rule.action : undefined,
    reason: rule.reason,
  }))
  return [...escalations, ...rules]
}

function conditionScope(facts: ReadonlyMap<string, FactDeclaration>, inferUnknown: boolean): ConditionScope {
  const names = new Map(scopeNames)
  for (const fact of facts.values()) names.set(fact.name, celTypeOf(fact.type))
  return { names, inferUnknown }
}

function compileOne(
  written: WrittenRule,
  scope: ConditionScope,
  positions: Positions,
  problems: Problem[],
): CompiledCondition | undefined | 'invalid' {
  if (written.condition === undefined) return undefined
  const path = [...written.path, 'condition']
  if (written.condition.length > conditionLengthMax) {
    problems.push({
      severity: 'error',
      ...positions.ofValue(path),
      message: `the condition is longer than ${conditionLengthMax} characters`,
      fix: 'split the rule',
    })
    return 'invalid'
  }
  const compiled = compileCondition(written.condition, scope)
  if (compiled.kind === 'compiled') return compiled.condition
  problems.push(...compiled.problems.map((problem) => atPlace(problem, path, positions)))
  return 'invalid'
}

function atPlace(problem: CelProblem, path: DocumentPath, positions: Positions): Problem {
  const place = positions.insideString(path, problem.offset)
  return { severity: 'error', ...place, message: problem.message, fix: problem.fix }
}

// Two rules may use one undeclared name; it has to be of one type, or somebody misread something.
function inferFacts(
  condition: CompiledCondition,
  written: WrittenRule,
  positions: Positions,
  inferred: Map<string, FactDeclaration>,
  problems: Problem[],
): void {
  for (const [name, type] of condition.inferred) {
    const path = [...written.path, 'condition']
    const place = positions.insideString(path, Math.max(condition.source.indexOf(name), 0))
    const before = inferred.get(name)
    if (before && before.type !== type) {
      problems.push({
        severity: 'error',
        ...place,
        message: `\`${name}\` is used as a ${type} here and as a ${before.type} on line ${before.line}`,
        fix: 'declare it under `facts` with one type',
      })
    }
    if (before) continue
    problems.push({
      severity: 'warning',
      ...place,
      message: `no fact declares \`${name}\`, so it stands for \`params.${name}\`, and a call without it counts as matched`,
      fix: `add under facts: \`${name}: {type: ${type}, from: params.${name}}\`, with the path where the value really is`,
      code: 'undeclared-fact',
      edit: declareFact(name, type),
    })
    inferred.set(name, {
      name,
      type,
      source: 'params',
      path: [name],
      for: undefined,
      default: undefined,
      inferred: true,
      line: place.line,
    })
  }
}
