import { decide, needsOf, parsePolicy } from '@bailiwick/core'

const text = `
agent_id: support-agent
allowed_actions: [issue_refund]
facts:
  refund_amount: { type: number, from: params.amount, for: [issue_refund] }
  customer_is_vip: { type: bool, from: context.customer.is_vip }
actions:
  issue_refund:
    params:
      type: object
      required: [amount, order_id]
      properties:
        amount: { type: number, exclusiveMinimum: 0, maximum: 100000 }
        currency: { type: string, enum: [USD, EUR] }
        order_id: { type: string, maxLength: 40 }
        reason: { type: string, maxLength: 500 }
      additionalProperties: false
rules:
  - { id: absurd, on: issue_refund, condition: refund_amount > 10000, effect: deny }
escalation_rules:
  - { id: large, condition: refund_amount > 500, action: human_approval_required }
  - { id: vip, condition: customer_is_vip, action: human_review_before_action }
budgets:
  - { id: refunds-24h, on: issue_refund, sum: refund_amount, per: context.customer.id, window: 24h, max: 2000, action: human_approval_required }
rates:
  - { id: calm, on: "*", max: 1000000, window: 1m, effect: deny }
`

/**
 * The whole gate for one call, before anything is recorded: the schema of its parameters, its facts, what its budgets
 * need (`needsOf`), their use from memory, and `decide`.
 */
export function wholeGate() {
  const parsed = parsePolicy(text)
  if (parsed.kind !== 'valid') throw new Error(parsed.problems[0].message)
  const { policy } = parsed
  const used = new Map()
  const now = 1_767_225_600_000
  const pass = (call) => {
    const { counters } = needsOf(policy, call)
    const facts = { now, counters: new Map(counters.map(({ key }) => [key, used.get(key) ?? 0])) }
    const decision = decide(policy, call, facts)
    // Kept as a store would: a customer may take 2,000, then the day is taken to be over.
    if (decision.effect === 'allow') {
      for (const { key, amount } of decision.consumes) {
        const sum = (used.get(key) ?? 0) + amount
        used.set(key, sum > 1_900 ? 0 : sum)
      }
    }
    return decision
  }
  return { decide: pass, calls: calls() }
}

function calls() {
  return Array.from({ length: 64 }, (_, at) => {
    const escalates = at % 4 === 3
    const params = {
      amount: escalates ? 600 + at : 10 + at,
      currency: 'USD',
      order_id: `O-${at}`,
      reason: 'damaged in transit',
    }
    const context = { customer: { id: `C-${at}`, is_vip: false } }
    const call = { agent: 'support-agent', action: 'issue_refund', params, context }
    return { call, effect: escalates ? 'escalate' : 'allow' }
  })
}
