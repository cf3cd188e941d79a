import type { ConditionRule } from '../../model/policy.ts'
import type { Subject } from './atoms.ts'
import { missRegion, ruleSubjects } from './condition-region.ts'
import { whereIs, type Linted } from './linted.ts'
import { isNever, within, type Region } from './regions.ts'

/** How often a rule is held against an action. */
const checksMax = 5000

/** Actions that stand in the list of the allowed ones, and are denied whatever the call. */
export function checkAlwaysDenied(linted: Linted): void {
  const { policy, leaf, callable, findings } = linted
  const denying = denyingByAction(linted)
  for (const [at, text] of leaf.content.allowed_actions?.entries() ?? []) {
    if (text.includes('*') || !callable.isCallable(text)) continue
    const place = leaf.positions.ofValue(['allowed_actions', at])
    const rule = denying(text)
    if (rule !== undefined) {
      const message = `\`${text}\` is allowed, and ${whereIs(rule)} denies it in any case`
      findings.warning(leaf, place, message, 'forbid it, or give the rule a condition', {
        code: 'always-denied',
      })
      continue
    }
    const constraint = policy.actions.find(({ when, pattern }) => when !== undefined && pattern.matches(text))
    if (constraint === undefined || !isNever(linted.domains.of(text, []))) continue
    const message = `\`${text}\` is allowed, and the \`when\` of \`${constraint.pattern.text}\` on line ${constraint.line} is never true`
    findings.warning(leaf, place, message, 'correct `when`, or forbid the action', { code: 'always-denied' })
  }
}

interface Denial {
  readonly rule: ConditionRule
  /** Where it does not match. */
  readonly miss: Region
  readonly subjects: readonly Subject[]
}

function denyingByAction(linted: Linted): (action: string) => ConditionRule | undefined {
  const { policy, domains } = linted
  const byAction = new Map<string, Denial[]>()
  for (const written of linted.rules) {
    const { rule } = written
    if (rule.effect !== 'deny' || rule.shadow) continue
    const denial = { rule, miss: missRegion(rule, policy.facts), subjects: ruleSubjects(rule, policy.facts) }
    for (const action of written.actions) {
      const known = byAction.get(action)
      if (known === undefined) byAction.set(action, [denial])
      else known.push(denial)
    }
  }
  let checks = 0
  return (action) =>
    byAction.get(action)?.find(({ miss, subjects }) => {
      if (isNever(miss)) return true
      if (miss === undefined || !domains.narrows(action, subjects)) return false
      checks += 1
      if (checks > checksMax) return false
      const domain = domains.of(action, subjects)
      return domain !== undefined && domain.length > 0 && domain.every((box) => isNever(within(miss, box)))
    })?.rule
}
