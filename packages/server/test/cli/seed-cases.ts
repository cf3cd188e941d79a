/** The calls that users of the original policy format try, and what they expect. */
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
