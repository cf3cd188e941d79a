import type { DenyCode, DeterminingRule } from '../model/decision.ts'
import type { RuleId } from '../model/ids.ts'
import type { Json } from '../model/json.ts'
import type { Given, Violation } from '../model/plan.ts'
import type { ActionConstraints, CompiledPolicy, ParamsProblem, Standing } from '../model/policy.ts'
import { rolesOf, valueAt } from '../policy/readers.ts'
import { maskText } from '../policy/sensitive.ts'
import { absentFacts } from './facts.ts'

type Constraint = (given: Given) => Violation | undefined

/**
 * What a call of one action has to satisfy: by the policy as a whole, then by every entry of `actions` that covers
 * it; roles first, then environments, windows, parameters, conditions and what is required.
 */
export function planConstraints(
  entries: readonly ActionConstraints[],
  policy: CompiledPolicy,
): readonly Constraint[] {
  const kinds = [roleConstraint, environmentConstraint, windowConstraint, paramsConstraint, whenConstraint]
  return [
    ...policyEnvironments(policy),
    ...kinds.flatMap((kind) => entries.flatMap((entry) => kind(entry, policy) ?? [])),
    ...entries.flatMap(requirements),
  ]
}

function listing(id: string, { line, file }: Standing, more: Partial<DeterminingRule> = {}): DeterminingRule {
  return {
    id: id as RuleId,
    effect: 'deny',
    because: 'matched',
    line,
    ...(file === undefined ? {} : { file }),
    ...more,
  }
}

function broken(code: DenyCode, reason: string, rule: DeterminingRule): Violation {
  return { code, reasons: [reason], rule }
}

function policyEnvironments({ environments }: CompiledPolicy): readonly Constraint[] {
  if (environments === undefined) return []
  const { names } = environments
  const reason = `The policy is made for ${names.join(', ')} only`
  const violation = broken('wrong_environment', reason, listing('environments', environments))
  return [({ facts }) => (facts.env !== undefined && names.includes(facts.env) ? undefined : violation)]
}

function roleConstraint(entry: ActionConstraints, policy: CompiledPolicy): Constraint | undefined {
  const { roles } = entry
  if (roles === undefined) return undefined
  const asked = roles.length === 1 ? `the role ${roles.join()}` : `one of the roles ${roles.join(', ')}`
  const violation = broken('role_missing', `The agent needs ${asked}`, listing(`${entry.id}.roles`, entry))
  return ({ call }) =>
    rolesOf(policy.roles, call.agent).some((role) => roles.includes(role)) ? undefined : violation
}

function environmentConstraint(entry: ActionConstraints): Constraint | undefined {
  const { environments, pattern } = entry
  if (environments === undefined) return undefined
  const reason = `${pattern.text} is allowed in ${environments.join(', ')} only`
  const violation = broken('wrong_environment', reason, listing(`${entry.id}.environments`, entry))
  return ({ facts }) => (facts.env !== undefined && environments.includes(facts.env) ? undefined : violation)
}

function windowConstraint(entry: ActionConstraints): Constraint | undefined {
  const { window, pattern } = entry
  if (window === undefined) return undefined
  const reason = `${pattern.text} is allowed in the window ${window.name} only`
  const violation = broken('outside_window', reason, listing(`${entry.id}.window`, entry))
  return ({ facts }) => (window.contains(facts.now) ? undefined : violation)
}

function paramsConstraint(entry: ActionConstraints, { actions }: CompiledPolicy): Constraint | undefined {
  const { params } = entry
  if (params === undefined) return undefined
  const rule = listing(`${entry.id}.params`, entry)
  return ({ call }) => {
    if (params.accepts(call.params)) return undefined
    const sensitive = actions.flatMap((each) => (each.pattern.matches(call.action) ? each.sensitive : []))
    const reasons = params.problems(call.params).map((problem) => problemSentence(problem, sensitive))
    return { code: 'params_invalid', reasons: reasons.length > 0 ? reasons : ['params do not fit'], rule }
  }
}

function problemSentence({ path, message }: ParamsProblem, sensitive: Sensitive): string {
  const depth = Math.min(...sensitive.map((secret) => depthOf(secret, path)))
  const shown = path.length > depth ? [...path.slice(0, depth), maskText] : path
  const where = shown.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('')
  return `params${where} ${message}`
}

type Sensitive = ActionConstraints['sensitive']

// Below something sensitive even names are: they may be the call's own. Indices do not count: lists are masked at
// every item.
function depthOf([root, ...secret]: Sensitive[number], path: ParamsProblem['path']): number {
  if (root !== 'params') return Infinity
  let at = 0
  for (const name of secret) {
    while (typeof path[at] === 'number') at += 1
    if (path[at] !== name) return Infinity
    at += 1
  }
  return at
}

function whenConstraint(entry: ActionConstraints, policy: CompiledPolicy): Constraint | undefined {
  const { when, id, pattern } = entry
  if (when === undefined) return undefined
  const rule = listing(`${id}.when`, entry, { condition: when.source })
  const reason = `${pattern.text} is allowed only when ${when.source}`
  const violation = broken('when_false', reason, rule)
  return (given) => {
    const result = when.evaluate(given)
    if (result.kind === 'true') return undefined
    if (result.kind === 'false') return violation
    const detail = [result.message, ...absentFacts(entry.facts, policy, given)].join('; ')
    const reasons = [reason, `condition_error in ${rule.id}: ${detail}`]
    return { code: 'when_false', reasons, rule: { ...rule, because: 'condition_error', detail } }
  }
}

function requirements(entry: ActionConstraints): readonly Constraint[] {
  return entry.requires.map(([root, ...path]): Constraint => {
    const text = [root, ...path].join('.')
    const rule = listing(`${entry.id}.obligations`, entry)
    const violation = broken('requirement_missing', `${text} is required`, rule)
    return ({ call }) => {
      const value = valueAt(root === 'context' ? call.context : call.params, path)
      return isEmpty(value) ? violation : undefined
    }
  })
}

function isEmpty(value: Json | undefined): boolean {
  if (value === undefined || value === null) return true
  if (typeof value === 'string') return value.trim() === ''
  return typeof value === 'object' && Object.keys(value).length === 0
}
