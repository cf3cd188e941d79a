/** The agent whose calls are made. */
export const agent = 'crash-agent'

/** What one customer may be paid, and how many lookups may be allowed within any second. */
export const budgetMax = 500
export const rateMax = 20

/** One rule of each kind that has to hold across crashes: a budget, a rate, an escalation, a prohibition. */
export const policyText = `
agent_id: ${agent}
domain: crash
allowed_actions: [pay, refund, look_up]
forbidden_actions: [delete_account]
facts:
  amount: { type: number, from: params.amount, for: [pay, refund] }
escalation_rules:
  - { condition: "amount > 500", action: human_approval_required }
approvals:
  human_approval_required: { deadline: 2m }
budgets:
  - { id: per-customer, on: pay, sum: amount, per: context.customer, window: 24h, max: ${budgetMax}, effect: deny }
rates:
  - { id: calm, on: look_up, max: ${rateMax}, window: 1s, effect: deny }
audit_frequency: every_action_logged
`
