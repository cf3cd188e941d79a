import type { DecisionAnswer, DecisionRequest } from '@bailiwick/core'
import type { Ledger } from '../../src/ledger.ts'
import { agent, decisionRecords, policiesOf, type LedgerSite } from './ledger.ts'

/** A policy that counts: refunds by customer, mails by minute, and one with a person to ask. */
export const countingPolicy = `
agent_id: ${agent}
allowed_actions: [issue_refund, send_mail, pay_out, read_page]
facts:
  refund_amount: { type: number, from: params.amount, for: issue_refund }
budgets:
  - { id: daily, on: issue_refund, sum: refund_amount, per: context.customer, window: 24h, max: 1000, effect: deny }
  - { id: payouts, on: pay_out, sum: params.amount, window: 1h, max: 100, action: human_approval_required }
rates:
  - { id: calm, on: send_mail, max: 3, window: 1m, effect: deny }
`

/** The same, and something that people are asked about. */
const racingPolicy = `${countingPolicy.replace('read_page]', 'read_page, close_account]')}
rules:
  - { id: people-agree, on: close_account, effect: escalate, action: human_approval_required }
`

/** A policy with a flow: what has read a page sends no mail to strangers. */
export const flowPolicy = `
agent_id: ${agent}
allowed_actions: [send_mail, read_page, rest]
actions:
  read_page: { labels: [untrusted] }
flows:
  - { id: no-exfiltration, after: { label: untrusted }, on: send_mail, unless: "params.to.endsWith('@example.com')", effect: deny }
`

export const counting = () => policiesOf(countingPolicy)
export const countingOfPeople = () => policiesOf(`${countingPolicy}subject: context.customer\n`)
export const racing = () => policiesOf(racingPolicy)
export const flowing = () => policiesOf(flowPolicy)

/** A refund for a customer. */
export function refundFor(customer: string, amount: number, more: Partial<DecisionRequest> = {}) {
  return { action: 'issue_refund', params: { amount }, context: { customer }, ...more }
}

export const mail: DecisionRequest = { action: 'send_mail', params: { to: 'ann@example.com' } }

/** The effects of one call after the other. */
export async function effectsOf(ledger: Ledger, requests: readonly DecisionRequest[]): Promise<string[]> {
  const effects: string[] = []
  for (const request of requests) effects.push((await ledger.decide(agent, request)).effect)
  return effects
}

/** How much the allowed calls among these have used, by customer. */
export async function refunded(site: LedgerSite, ledger: Ledger): Promise<ReadonlyMap<string, number>> {
  const sums = new Map<string, number>()
  for (const { index, effect, action } of await decisionRecords(site, ledger)) {
    if (effect !== 'allow' || action !== 'issue_refund') continue
    const { params, context } = await ledger.decision(`dec_${index}`)
    const { customer } = context as { customer: string }
    sums.set(customer, (sums.get(customer) ?? 0) + (params as { amount: number }).amount)
  }
  return sums
}

export function allowedOf(answers: readonly DecisionAnswer[]): DecisionAnswer[] {
  return answers.filter(({ effect }) => effect === 'allow')
}
