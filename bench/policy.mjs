/** The policy file that users already have, with the facts that its conditions need. */
export const policyText = `
agent_id: "customer-support-agent-v2"
domain: "order_management"
allowed_actions: ["issue_refund", "modify_shipping_address", "apply_discount"]
forbidden_actions: ["delete_account", "access_payment_details", "change_pricing_tiers"]
escalation_rules:
  - {condition: "refund_amount > 500", action: "human_approval_required"}
  - {condition: "customer_flagged_as_vip", action: "human_review_before_action"}
audit_frequency: "every_action_logged"
facts:
  refund_amount: {type: number, from: params.amount, for: [issue_refund]}
  customer_flagged_as_vip: {type: bool, from: context.customer.is_vip, default: false}
`

export const agent = 'customer-support-agent-v2'

/** An allowed refund, never twice the same. */
export function refund(number) {
  return {
    action: 'issue_refund',
    params: {
      amount: 1 + (number % 500),
      currency: 'USD',
      order_id: `A-${number}`,
      reason: 'damaged in transit',
    },
    context: { customer: { id: `C-${number % 5_000}`, is_vip: false } },
  }
}
