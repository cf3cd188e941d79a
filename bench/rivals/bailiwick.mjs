import { decide, parsePolicy } from '@bailiwick/core'

const types = { amount: 'number', region: 'string', is_vip: 'bool' }
const places = { amount: 'params.amount', region: 'params.region', is_vip: 'context.customer.is_vip' }

/** This project, by its public functions alone. */
export const bailiwick = {
  name: 'Bailiwick',
  includes:
    'effect, code, reasons, every rule that matched with id, condition, line and cause; types of facts checked',
  seed: engine,
  rules: engine,
}

function engine(workload, agent) {
  const parsed = parsePolicy(policyText(workload, agent))
  if (parsed.kind !== 'valid')
    throw new Error(`the benchmark policy is invalid: ${parsed.problems[0].message}`)
  const { policy } = parsed
  // As in the service: one instant for a batch of calls.
  const facts = { now: 1_767_225_600_000 }
  return (call) => decide(policy, call, facts)
}

/** A workload as a policy file. Facts exist for the actions whose rules use them. */
function policyText({ allowed, forbidden, rules }, agent = 'support-agent') {
  const fields = new Map()
  for (const rule of rules) {
    for (const { field } of rule.parts) fields.set(field, [...(fields.get(field) ?? []), ...rule.actions])
  }
  return JSON.stringify({
    agent_id: agent,
    allowed_actions: allowed,
    forbidden_actions: forbidden,
    facts: Object.fromEntries(
      [...fields].map(([field, actions]) => [
        field,
        { type: types[field], from: places[field], ...about(actions, allowed, 'for') },
      ]),
    ),
    rules: rules.map(({ id, actions, parts, effect, route }) => ({
      id,
      ...about(actions, allowed, 'on'),
      condition: parts.map(condition).join(' && '),
      effect,
      ...(route === undefined ? {} : { action: route }),
    })),
  })
}

// What is about every action need not list them.
function about(actions, allowed, key) {
  const names = [...new Set(actions)]
  return names.length === allowed.length ? {} : { [key]: names }
}

function condition({ field, over, is }) {
  if (over !== undefined) return `${field} > ${over}`
  return is === undefined ? field : `${field} == ${JSON.stringify(is)}`
}
