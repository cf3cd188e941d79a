import type { Approval } from './api.ts'
import { isAskedHere, isVoid, yesOf } from './consent.ts'

/** The service takes no more votes in one request. */
export const togetherMax = 64

/** Whether it can be answered together with others: by the reader's own vote, which no device has to sign for each. */
export function canBeSelected(approval: Approval): boolean {
  const { status, mayVote, terms, erased } = approval
  if (status !== 'pending' || isVoid(approval) || !isAskedHere(approval)) return false
  return mayVote && terms.signed !== true && erased !== true
}

/** Whether two calls ask the same of the same people, so that only what they hold differs. */
export function isAlike(one: Approval, other: Approval): boolean {
  return likeness(one) === likeness(other)
}

function likeness(approval: Approval): string {
  const { agent, action, policy, terms } = approval
  return JSON.stringify([agent, action, policy?.sha256, yesOf(approval), terms.routes, terms.quorum])
}
