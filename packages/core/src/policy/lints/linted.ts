import type { CompiledPolicy, ConditionRule, Counter, FlowRule, RuleBase } from '../../model/policy.ts'
import { existsFor } from '../readers.ts'
import type { DocumentPath } from '../positions.ts'
import type { Findings, PolicySource } from '../sources.ts'
import type { ActionSchemas } from './action-schemas.ts'
import type { CallableActions } from './callable-actions.ts'
import type { Domains } from './domains.ts'

/** A rule, flow, budget or rate with the place where it is written. */
export interface Written<Rule extends RuleBase> {
  readonly rule: Rule
  readonly source: PolicySource
  readonly path: DocumentPath
}

/** A policy without errors, and what the checks for likely mistakes need of it. */
export interface Linted {
  readonly policy: CompiledPolicy
  readonly leaf: PolicySource
  /** The policy file first. */
  readonly sources: readonly PolicySource[]
  readonly schemas: ActionSchemas
  readonly callable: CallableActions
  readonly domains: Domains
  readonly rules: readonly Written<ConditionRule>[]
  readonly flows: readonly Written<FlowRule>[]
  readonly counters: readonly Written<Counter>[]
  readonly findings: Findings
}

/** Rules, flows, budgets and rates of all files with their places. */
export function writtenRules(
  policy: CompiledPolicy,
  sources: readonly PolicySource[],
): Pick<Linted, 'rules' | 'flows' | 'counters'> {
  return {
    rules: placed(policy.rules, sources, ['escalation_rules', 'rules']),
    flows: placed(policy.flows, sources, ['flows']),
    counters: placed(policy.counters, sources, ['budgets', 'rates']),
  }
}

// They are compiled in the order of the files, and in each file in the order of the keys.
function placed<Rule extends RuleBase>(
  rules: readonly Rule[],
  sources: readonly PolicySource[],
  keys: readonly ('escalation_rules' | 'rules' | 'flows' | 'budgets' | 'rates')[],
): readonly Written<Rule>[] {
  const places = sources.flatMap((source) =>
    keys.flatMap((key) => (source.content[key] ?? []).map((_, at) => ({ source, path: [key, at] }))),
  )
  return rules.flatMap((rule, at) => {
    const place = places[at]
    return place === undefined ? [] : [{ rule, ...place }]
  })
}

/** Whether something stands in the policy file itself. What other policies extend may be right for them. */
export function isOwn({ source }: { readonly source: PolicySource }): boolean {
  return source.file === undefined
}

/** Where a rule stands, for sentences about another one. */
export function whereIs({ id, file, line }: RuleBase): string {
  return file === undefined ? `\`${id}\` on line ${line}` : `\`${id}\` in \`${file}\``
}

/** Whether the facts of a rule let it speak of an action that its `on` covers. */
export function factsSpeakOf(used: readonly string[], policy: CompiledPolicy, action: string): boolean {
  if (used.length === 0) return true
  return used.some((name) => {
    const fact = policy.facts.get(name)
    return fact === undefined || existsFor(fact, action)
  })
}

/** The named actions of which a rule speaks. */
export function spokenOf({ rule }: Written<ConditionRule>, { callable, policy }: Linted): readonly string[] {
  const used = rule.condition?.uses ?? []
  return callable.coveredBy(rule.on).filter((action) => factsSpeakOf(used, policy, action))
}

/** Whether a rule may speak of actions that nobody has named. */
export function maySpeakOfOthers(
  { rule }: Written<ConditionRule>,
  { callable, policy }: Pick<Linted, 'callable' | 'policy'>,
): boolean {
  if (!callable.mayCoverOthers(rule.on)) return false
  const used = rule.condition?.uses ?? []
  if (used.length === 0) return true
  return used.some((name) => {
    const patterns = policy.facts.get(name)?.for
    return patterns === undefined || patterns.some(({ exact }) => !exact)
  })
}
