import type { RuleId } from '../model/ids.ts'
import type { ConditionRule, FactDeclaration, RuleBase } from '../model/policy.ts'
import type { Conditions } from './conditions.ts'
import { namePattern } from './pattern.ts'
import type { DocumentPath } from './positions.ts'
import type { References } from './references.ts'
import type { PolicyFile } from './schema.ts'
import type { PolicySource } from './sources.ts'

/** What the parts of a policy that are like rules need to be compiled. */
export interface RuleContext {
  readonly facts: ReadonlyMap<string, FactDeclaration>
  readonly conditions: Conditions
  readonly references: References
}

/** Where one entry stands. */
export interface EntryPlace {
  readonly source: PolicySource
  readonly path: DocumentPath
}

interface WrittenBase {
  readonly id?: string | undefined
  readonly on?: string | readonly string[] | undefined
  readonly effect?: 'deny' | 'escalate' | undefined
  readonly action?: string | undefined
  readonly reason?: string | undefined
  readonly link?: string | undefined
  readonly mode?: 'enforce' | 'shadow' | undefined
}

/** What rules, flows, budgets and rates have in common. Their ids are checked here to differ. */
export function ruleBase(written: WrittenBase, place: EntryPlace, references: References): RuleBase {
  const { source, path } = place
  const own = `${String(path[0])}[${String(path[1])}]`
  const id = written.id ?? (source.file === undefined ? own : `${source.file}:${own}`)
  references.claimId(id, place)
  return {
    id: id as RuleId,
    effect: written.effect ?? 'escalate',
    on: written.on === undefined ? undefined : [written.on].flat().map(namePattern),
    route: written.effect === 'deny' ? undefined : written.action,
    reason: written.reason,
    link: written.link,
    shadow: written.mode === 'shadow',
    line: source.positions.ofValue(path).line,
    file: source.file,
  }
}

/** Compiles `escalation_rules` and `rules` of one file. */
export function compileRules(source: PolicySource, context: RuleContext): readonly ConditionRule[] {
  const { content } = source
  const escalations = (content.escalation_rules ?? []).map((rule, at) =>
    compileRule({ ...rule, effect: 'escalate' }, { source, path: ['escalation_rules', at] }, context),
  )
  const rules = (content.rules ?? []).map((rule, at) =>
    compileRule(rule, { source, path: ['rules', at] }, context),
  )
  return [...escalations, ...rules]
}

type WrittenRule = NonNullable<PolicyFile['rules']>[number]

function compileRule(
  written: WrittenRule,
  place: EntryPlace,
  { facts, conditions, references }: RuleContext,
): ConditionRule {
  const { source, path } = place
  const condition = conditions.compile(source, [...path, 'condition'], written.condition)
  const unless = conditions.compile(source, [...path, 'unless'], written.unless)
  references.environments(source, [...path, 'environments'], written.environments)
  if (condition) {
    const used = conditions.factsOf(condition)
    if (used.length === condition.uses.length) checkSilence(used, written.on, facts, place, references)
  }
  return {
    ...ruleBase(written, place, references),
    condition,
    unless,
    facts: conditions.factsOf(condition, unless),
    window: references.window(source, [...path, 'window'], written.window),
    outside: references.window(source, [...path, 'outside'], written.outside),
    environments: written.environments,
  }
}

/**
 * A rule says nothing of an action for which none of its facts exist. Where the author names that very action, the
 * rule would be off without a word.
 */
export function checkSilence(
  used: readonly string[],
  on: string | readonly string[] | undefined,
  facts: ReadonlyMap<string, FactDeclaration>,
  { source, path }: EntryPlace,
  references: References,
): void {
  if (used.length === 0) return
  const named = [on ?? []].flat().filter((action) => !action.includes('*'))
  for (const action of named) {
    const exists = used.some(
      (name) => facts.get(name)?.for?.every((pattern) => !pattern.matches(action)) !== true,
    )
    if (exists) continue
    const message = `the rule names \`${action}\`, for which none of its facts exist`
    const fix = `add \`${action}\` to the \`for\` of ${used.map((name) => `\`${name}\``).join(' or ')}`
    references.findings.error(source, source.positions.ofValue([...path, 'on']), message, fix, {
      code: 'silent-rule',
    })
  }
}
