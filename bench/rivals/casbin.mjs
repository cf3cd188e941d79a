import { newEnforcer, newModel, StringAdapter } from 'casbin'

// The attribute-based model of casbin's documentation: a rule's condition stands in the policy, `eval` runs it.
const model = `
[request_definition]
r = act, amount, region, is_vip

[policy_definition]
p = id, act, rule, eft

[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))

[matchers]
m = r.act == p.act && eval(p.rule)
`

/** Casbin, asked synchronously, with the policy that decided (`enforceExSync`). */
export const casbin = {
  name: 'casbin (ABAC, enforceExSync)',
  includes: 'effect and the one line of policy that decided, not all that matched',
  seed: engine,
  rules: engine,
}

async function engine({ allowed, forbidden, rules }) {
  const lines = [
    ...allowed.map((action) => `p, allowed, ${action}, true, allow`),
    ...forbidden.map((action) => `p, forbidden, ${action}, true, deny`),
    ...rules.flatMap(({ id, actions, parts, effect, route }) =>
      actions.map(
        (action) => `p, ${effect} ${route ?? id}, ${action}, ${parts.map(condition).join(' && ')}, deny`,
      ),
    ),
  ]
  const enforcer = await newEnforcer(newModel(model), new StringAdapter(lines.join('\n')))
  return ({ action, params, context }) => {
    const [allowed, line] = enforcer.enforceExSync(
      action,
      params.amount,
      params.region,
      context.customer.is_vip,
    )
    if (allowed) return { effect: 'allow', reasons: ['Action approved'] }
    const [id] = line
    if (id === undefined) return { effect: 'deny', reasons: ['Action not in allowed list'] }
    return { effect: id.startsWith('escalate ') ? 'escalate' : 'deny', reasons: [id] }
  }
}

function condition({ field, over, is }) {
  if (over !== undefined) return `r.${field} > ${over}`
  return is === undefined ? `r.${field}` : `r.${field} == '${is}'`
}
