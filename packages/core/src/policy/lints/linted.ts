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

/** A rule with a condition, and the actions that it speaks of. */
export interface WrittenRule extends Written<ConditionRule> {
  /** Those that the policy names and lets through. */
  readonly actions: readonly string[]
  /** Whether it may speak of actions that nobody has named. */
  readonly others: boolean
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
  readonly rules: readonly WrittenRule[]
  readonly flows: readonly Written<FlowRule>[]
  readonly counters: readonly Written<Counter>[]
  readonly findings: Findings
}

/** Rules, flows, budgets and rates of all files with their places. */
export function writtenRules(
  policy: CompiledPolicy,
  sources: readonly PolicySource[],
  callable: CallableActions,
): Pick<Linted, 'rules' | 'flows' | 'counters'> {
  return {
    rules: placed(policy.rules, sources, ['escalation_rules', 'rules']).map((written) => ({
      ...written,
      ...actionsOf(written.rule, policy, callable),
    })),
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

/** The actions that a rule speaks of: those with a name, and whether there may be others. */
function actionsOf(
  rule: ConditionRule,
  policy: CompiledPolicy,
  callable: CallableActions,
): Pick<WrittenRule, 'actions' | 'others'> {
  const used = rule.condition?.uses ?? []
  const actions = callable.coveredBy(rule.on).filter((action) => factsSpeakOf(used, policy, action))
  const mayExist = used.some((name) => {
    const patterns = policy.facts.get(name)?.for
    return patterns === undefined || patterns.some(({ exact }) => !exact)
  })
  return { actions, others: callable.mayCoverOthers(rule.on) && (used.length === 0 || mayExist) }
}
