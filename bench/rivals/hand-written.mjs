/** What an engineer would write for exactly this policy. It trusts every type, and nothing can be configured. */
export const handWritten = {
  name: 'hand-written JavaScript',
  includes: 'effect and reasons; no rule ids, no lines, a missing or ill-typed amount passes',
  seed() {
    const forbidden = new Set(['delete_account', 'access_payment_details', 'change_pricing_tiers'])
    const allowed = new Set(['issue_refund', 'modify_shipping_address', 'apply_discount'])
    return (call) => {
      if (forbidden.has(call.action)) return { effect: 'deny', reasons: ['Action is forbidden by policy'] }
      if (!allowed.has(call.action)) return { effect: 'deny', reasons: ['Action not in allowed list'] }
      const reasons = []
      if (call.action === 'issue_refund' && call.params.amount > 500) {
        reasons.push('Escalation required: human_approval_required')
      }
      if (call.context.customer.is_vip) reasons.push('Escalation required: human_review_before_action')
      if (reasons.length > 0) return { effect: 'escalate', reasons }
      return { effect: 'allow', reasons: ['Action approved'] }
    }
  },
  // Nobody writes a thousand rules by hand: a list of functions for each action, made from the workload.
  rules({ allowed, rules }) {
    const byAction = new Map(allowed.map((action) => [action, []]))
    for (const rule of rules) {
      for (const action of rule.actions)
        byAction.get(action).push({ id: rule.id, holds: conjunction(rule.parts) })
    }
    return (call) => {
      const tests = byAction.get(call.action)
      if (tests === undefined) return { effect: 'deny', reasons: ['Action not in allowed list'] }
      const reasons = []
      for (const { id, holds } of tests) if (holds(call)) reasons.push(`Denied by rule ${id}`)
      if (reasons.length > 0) return { effect: 'deny', reasons }
      return { effect: 'allow', reasons: ['Action approved'] }
    }
  },
}

function conjunction(parts) {
  const tests = parts.map(({ field, over, is }) => {
    if (over !== undefined) return ({ params }) => params[field] > over
    if (is !== undefined) return ({ params }) => params[field] === is
    return ({ context }) => context.customer[field]
  })
  const [first, second] = tests
  return second === undefined ? first : (call) => first(call) && second(call)
}
