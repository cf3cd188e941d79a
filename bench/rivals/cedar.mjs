import * as cedar from '@cedar-policy/cedar-wasm/nodejs'

let sets = 0

/** Cedar as its documentation recommends it where calls are many: policies parsed once, then asked by name. */
export const cedarPreparsed = {
  name: 'cedar-wasm, preparsed',
  includes: 'effect and the ids of what decided, from one question; the request object is made for each call',
  seed: engine,
  rules: engine,
}

/** The same with a set of policies for each action, chosen by us before Cedar is asked. */
export const cedarSharded = {
  name: 'cedar-wasm, preparsed, a set for each action',
  includes: 'the same; Cedar sees only the policies of the action',
  seed: shardedEngine,
  rules: shardedEngine,
}

function engine(workload) {
  const ask = question(policiesOf(workload))
  return (call) => verdict(ask(call))
}

function shardedEngine(workload) {
  const shards = new Map()
  for (const action of [...workload.allowed, ...workload.forbidden]) {
    const one = {
      allowed: workload.allowed.filter((name) => name === action),
      forbidden: workload.forbidden.filter((name) => name === action),
      rules: workload.rules
        .filter(({ actions }) => actions.includes(action))
        .map((rule) => ({ ...rule, actions: [action] })),
    }
    shards.set(action, question(policiesOf(one)))
  }
  const others = question({})
  return (call) => verdict((shards.get(call.action) ?? others)(call))
}

// Cedar knows permit and forbid. An escalation is a forbid that is told by its id, so that one question is enough.
function policiesOf({ allowed, forbidden, rules }) {
  const actions = (names) => `action in [${names.map((name) => `Action::"${name}"`).join(', ')}]`
  return Object.fromEntries([
    ...(allowed.length > 0 ? [['allowed', `permit (principal, ${actions(allowed)}, resource);`]] : []),
    ...(forbidden.length > 0 ? [['forbidden', `forbid (principal, ${actions(forbidden)}, resource);`]] : []),
    ...rules.map(({ id, actions: names, parts, effect, route }) => [
      `${effect} ${route ?? id}`,
      `forbid (principal, ${actions(names)}, resource) when { ${parts.map(condition).join(' && ')} };`,
    ]),
  ])
}

function condition({ field, over, is }) {
  if (over !== undefined) return `context.${field} > ${over}`
  return is === undefined ? `context.${field}` : `context.${field} == "${is}"`
}

function question(staticPolicies) {
  const preparsedPolicySetId = `set ${sets++}`
  const read = cedar.preparsePolicySet(preparsedPolicySetId, { staticPolicies })
  if (read.type === 'failure') throw new Error(read.errors[0].message)
  return (call) => {
    const context = { is_vip: call.context.customer.is_vip }
    const { amount, region } = call.params
    if (amount !== undefined) context.amount = amount
    if (region !== undefined) context.region = region
    const answer = cedar.statefulIsAuthorized({
      preparsedPolicySetId,
      principal: { type: 'Agent', id: call.agent },
      action: { type: 'Action', id: call.action },
      resource: { type: 'Tool', id: call.action },
      context,
      entities: [],
    })
    if (answer.type === 'failure') throw new Error(answer.errors[0].message)
    return answer.response
  }
}

// What failed counts as matched: Cedar itself would skip it.
function verdict({ decision, diagnostics }) {
  const failed = diagnostics.errors.map(({ policyId }) => policyId)
  if (decision === 'allow' && failed.length === 0) return { effect: 'allow', reasons: ['Action approved'] }
  const reasons = [...diagnostics.reason, ...failed]
  if (reasons.length === 0) return { effect: 'deny', reasons: ['Action not in allowed list'] }
  const escalates = decision === 'deny' && reasons.every((id) => id.startsWith('escalate '))
  return { effect: escalates ? 'escalate' : 'deny', reasons }
}
