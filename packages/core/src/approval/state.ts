import type { Approval, ApprovalStatus } from '../model/approval.ts'
import type { Instant, PersonId } from '../model/ids.ts'
import type { ApprovalTerms } from '../model/decision.ts'

/**
 * Where the approval stands at `at`. Derived from its votes, so it cannot disagree with them.
 *
 * One rejection ends it. A vote cast at or after the deadline does not count, and one person counts
 * once. An approval that got its votes in time stays usable until the same deadline, and only once.
 */
export function approvalStatus(approval: Approval, at: Instant): ApprovalStatus {
  if (approval.consumedBy !== undefined) return 'consumed'
  const counted = approval.votes.filter((vote) => vote.at < approval.expiresAt)
  if (counted.some(({ vote }) => vote === 'reject')) return 'rejected'
  if (approval.expiryRecorded || at >= approval.expiresAt) return 'expired'
  const approvers = new Set(counted.filter(({ vote }) => vote === 'approve').map(({ person }) => person))
  return approvers.size >= approval.terms.quorum ? 'approved' : 'pending'
}

/** A person who may be asked. */
export interface Voter {
  readonly id: PersonId
  readonly roles: readonly string[]
}

/**
 * Whether a person may vote on an approval with these terms: entitled by every route that asked.
 * Routes that name nobody ask anyone with the role `approver` or `administrator`.
 */
export function mayVote(terms: ApprovalTerms, voter: Voter): boolean {
  if (terms.approvers.length === 0)
    return ['approver', 'administrator'].some((role) => voter.roles.includes(role))
  return terms.approvers.every((approvers) => approvers.some((entry) => names(entry, voter)))
}

function names(entry: string, voter: Voter): boolean {
  if (entry.startsWith('role:')) return voter.roles.includes(entry.slice('role:'.length))
  return entry.startsWith('person:') && entry.slice('person:'.length).toLowerCase() === voter.id
}
