import { agentId } from '../harness/policies.ts'

/** The policy of these tests: large refunds need consent, and an account number is nobody's business. */
export function refundPolicy(terms = ''): string {
  return `agent_id: "${agentId}"
domain: "order_management"
allowed_actions: ["issue_refund"]
forbidden_actions: ["delete_account"]
escalation_rules:
  - condition: "refund_amount > 500"
    action: "human_approval_required"
audit_frequency: "every_action_logged"
facts:
  refund_amount: {type: number, from: params.amount, for: [issue_refund], unit: USD}
actions:
  issue_refund: {sensitive: [params.iban, context.customer.ssn]}
approvals:
  human_approval_required: {deadline: 5m${terms === '' ? '' : `, ${terms}`}}
`
}

/** A call that needs an approval. */
export const refund = {
  action: 'issue_refund',
  params: { amount: 600, iban: 'DE89370400440532013000' },
  context: { ticket: 'T-204', customer: { ssn: '078-05-1120' } },
}
