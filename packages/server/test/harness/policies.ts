import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** The agent that the test policy governs. */
export const agentId = 'customer-support-agent-v2'

/** How the test policy differs from the seed. */
export interface PolicyVariant {
  /** How long approvals wait, such as `2s`. */
  readonly deadline?: string
  /** Who may approve large refunds; anyone with the role `approver` unless given. */
  readonly approvers?: readonly string[]
  readonly quorum?: number
  /** Whether votes have to be signed. */
  readonly signed?: boolean
  /** What people may grant beside one call, as the policy says it. */
  readonly standing?: string
  /** Another policy altogether, by its text. */
  readonly text?: string
}

/** The policy that users already have, with the facts that its conditions name. */
function policyText({ deadline = '5m', approvers, quorum, signed, standing }: PolicyVariant = {}): string {
  const terms = [
    `deadline: ${deadline}`,
    ...(approvers === undefined ? [] : [`approvers: ${JSON.stringify(approvers)}`]),
    ...(quorum === undefined ? [] : [`quorum: ${quorum}`]),
    ...(signed === undefined ? [] : [`signed: ${signed}`]),
    ...(standing === undefined ? [] : [`standing: ${standing}`]),
  ]
  return `agent_id: "${agentId}"
domain: "order_management"
allowed_actions: ["issue_refund", "modify_shipping_address", "apply_discount"]
forbidden_actions: ["delete_account", "access_payment_details", "change_pricing_tiers"]
escalation_rules:
  - condition: "refund_amount > 500"
    action: "human_approval_required"
  - condition: "customer_flagged_as_vip"
    action: "human_review_before_action"
audit_frequency: "every_action_logged"
facts:
  refund_amount: {type: number, from: params.amount, for: [issue_refund], unit: USD}
  customer_flagged_as_vip: {type: bool, from: params.is_vip, default: false}
approvals:
  human_approval_required: {${terms.join(', ')}}
`
}

/** Writes the test policy below `dir` and returns the path that a service takes. */
export async function writePolicy(dir: string, variant: PolicyVariant = {}): Promise<string> {
  const policies = join(dir, 'policies')
  await mkdir(policies, { recursive: true })
  await writeFile(join(policies, 'support.yaml'), variant.text ?? policyText(variant))
  return policies
}

/** The calls that users of the seed policy test it with, and what they expect. */
export const seedCases = [
  { action: 'delete_account', params: {}, effect: 'deny', reason: 'Action is forbidden by policy' },
  { action: 'send_marketing_email', params: {}, effect: 'deny', reason: 'Action not in allowed list' },
  { action: 'issue_refund', params: { amount: 100 }, effect: 'allow', reason: 'Action approved' },
  {
    action: 'issue_refund',
    params: { amount: 600 },
    effect: 'escalate',
    reason: 'Escalation required: human_approval_required',
  },
  {
    action: 'issue_refund',
    params: { amount: 100, is_vip: true },
    effect: 'escalate',
    reason: 'Escalation required: human_review_before_action',
  },
] as const
