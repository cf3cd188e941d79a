import { celEnv, isCelError, parse, plan } from '@bufbuild/cel'

/** CEL conditions planned once and run by @bufbuild/cel, behind an index by action as one would write it. */
export const bufbuildCel = {
  name: '@bufbuild/cel behind an index by action',
  includes: 'effect and the ids of all that matched; the lists of actions are sets of ours',
  seed: engine,
  rules: engine,
}

function engine({ allowed, forbidden, rules }) {
  const env = celEnv()
  const forbids = new Set(forbidden)
  const byAction = new Map(allowed.map((action) => [action, []]))
  for (const { id, actions, parts, effect, route } of rules) {
    const holds = plan(env, parse(parts.map(condition).join(' && ')))
    for (const action of actions) byAction.get(action).push({ id: `${effect} ${route ?? id}`, effect, holds })
  }
  return ({ action, params, context }) => {
    if (forbids.has(action)) return { effect: 'deny', reasons: ['Action is forbidden by policy'] }
    const tests = byAction.get(action)
    if (tests === undefined) return { effect: 'deny', reasons: ['Action not in allowed list'] }
    const values = { amount: params.amount, region: params.region ?? '', is_vip: context.customer.is_vip }
    const reasons = []
    let effect = 'allow'
    for (const test of tests) {
      const result = test.holds(values)
      if (result === false) continue
      if (result !== true && !isCelError(result)) throw new Error('a condition gave no bool')
      reasons.push(test.id)
      if (effect !== 'deny') effect = test.effect
    }
    return reasons.length === 0 ? { effect, reasons: ['Action approved'] } : { effect, reasons }
  }
}

function condition({ field, over, is }) {
  if (over !== undefined) return `${field} > ${over}`
  return is === undefined ? field : `${field} == "${is}"`
}
