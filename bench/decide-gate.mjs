import { parsePolicy } from '@bailiwick/core'

const text = `
agent_id: support-agent
allowed_actions: [issue_refund]
facts:
  refund_amount: { type: number, from: params.amount, for: [issue_refund] }
actions:
  issue_refund:
    params:
      type: object
      required: [amount, order_id]
      properties:
        amount: { type: number, exclusiveMinimum: 0 }
        order_id: { type: string }
budgets:
  - { id: refunds-24h, on: issue_refund, sum: refund_amount, window: 24h, max: 2000, effect: deny }
`

/** The whole gate, or why it cannot be measured: this version may not know \`actions\` and \`budgets\` yet. */
export function wholeGate() {
  const parsed = parsePolicy(text)
  if (parsed.kind !== 'valid') return { kind: 'missing', why: parsed.problems[0].message }
  return { kind: 'missing', why: 'the policy is read, and this benchmark does not feed counters yet' }
}
