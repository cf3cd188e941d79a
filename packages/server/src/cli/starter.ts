/** The policy that `init` writes. */
export const starterPolicy = `# What this agent may do, must not do, and when a person has to agree.
# Check it with \`bailiwick check\`, and try it with \`bailiwick test\`.

agent_id: "customer-support-agent-v2"
domain: "order_management"

# What is not allowed is denied. \`*\` stands for any run of characters.
allowed_actions:
  - "issue_refund"
  - "modify_shipping_address"
  - "apply_discount"

# Forbidden beats allowed, also by a pattern such as "delete_*".
forbidden_actions:
  - "delete_account"
  - "access_payment_details"
  - "change_pricing_tiers"

# Where a condition holds, a person has to agree first. One that cannot be evaluated, because a value
# is missing or of the wrong type, counts as holding.
escalation_rules:
  - condition: "refund_amount > 500"
    action: "human_approval_required"
  - condition: "customer_flagged_as_vip"
    action: "human_review_before_action"

audit_frequency: "every_action_logged"

# What conditions may name, and where the value comes from: \`params\` is the model's word, \`context\`
# comes from the program that runs the agent. \`for\` says for which actions the fact exists.
facts:
  refund_amount: { type: number, from: params.amount, for: issue_refund, unit: USD }
  customer_flagged_as_vip: { type: bool, from: context.customer.is_vip, default: false }

# What an escalation's \`action\` means: who may agree, how many of them, and how long they have.
# Silence is a denial. Without \`approvers\`, anyone who may sign in as an approver can answer.
approvals:
  human_approval_required: { quorum: 1, deadline: 5m }
  human_review_before_action: { quorum: 1, deadline: 5m }
`

/** The test that `init` writes beside it; it passes. */
export const starterTest = `# Run with \`bailiwick test\`; in CI, it stops a policy that no longer does what it should.
policy: customer-support.yaml
cases:
  - name: a small refund is the agent's own business
    action: issue_refund
    params: { amount: 100 }
    expect: allow

  - name: a large refund waits for a person
    action: issue_refund
    params: { amount: 600 }
    expect: { effect: escalate, reason: "Escalation required: human_approval_required" }

  - name: a refund without an amount does not pass unseen
    action: issue_refund
    expect: escalate

  - name: whatever concerns a VIP is reviewed
    action: apply_discount
    params: { percent: 5 }
    context: { customer: { is_vip: true } }
    expect: { effect: escalate, reason: "Escalation required: human_review_before_action" }

  - name: deleting an account is forbidden
    action: delete_account
    expect: { effect: deny, reason: "Action is forbidden by policy" }

  - name: what the policy does not mention is denied
    action: send_marketing_email
    expect: { effect: deny, reason: "Action not in allowed list" }
`
