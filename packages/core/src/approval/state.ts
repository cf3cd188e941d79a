import type { Approval, ApprovalStatus, Vote, VoteChoice } from '../model/approval.ts'
import type { Instant } from '../model/ids.ts'
import type { ApprovalTerms } from '../model/decision.ts'
import { hasQuorum } from './quorum.ts'

/**
 * Where the approval stands at `at`. Derived from its votes, so it cannot disagree with them.
 *
 * One rejection ends it. A vote cast at or after the deadline does not count, and one person counts
 * once. An approval that got its votes in time stays usable until the same deadline, and only once.
 */
export function approvalStatus(approval: Approval, at: Instant): ApprovalStatus {
  if (approval.consumedBy !== undefined) return 'consumed'
  if (approval.cancelled !== undefined) return 'cancelled'
  const counted = approval.votes.filter((vote) => vote.at < approval.expiresAt)
  if (counted.some(({ vote }) => vote === 'reject')) return 'rejected'
  if (approval.expiryRecorded || at >= approval.expiresAt) return 'expired'
  return isGiven(approval.terms, counted) ? 'approved' : 'pending'
}

// By those who are asked, or by those who break the glass: the two are not added up.
function isGiven(terms: ApprovalTerms, votes: readonly Vote[]): boolean {
  const wanted = choiceFor(terms)
  const given = votes.filter(({ vote }) => vote === wanted)
  const { breakGlass } = terms
  const emergency = given.filter((vote) => vote.breakGlass === true)
  if (breakGlass !== undefined && hasQuorum({ quorum: breakGlass.quorum }, emergency)) return true
  return hasQuorum(
    terms,
    given.filter((vote) => vote.breakGlass !== true),
  )
}

/** The vote that counts for a call with these terms: to consent, or to have looked. The other one does not count. */
export function choiceFor({ asks }: Pick<ApprovalTerms, 'asks'>): Exclude<VoteChoice, 'reject'> {
  return asks === 'acknowledgement' ? 'acknowledge' : 'approve'
}

/** The terms as they are at `at`: whoever is to be asked by then may vote. */
export function termsAt(approval: Pick<Approval, 'terms' | 'escalatesAt'>, at: Instant): ApprovalTerms {
  const { terms, escalatesAt } = approval
  const begun = (terms.escalateTo ?? []).filter((_stage, nth) => at >= (escalatesAt[nth] ?? Infinity))
  if (begun.length === 0) return terms
  const approvers = terms.approvers.map((entries, set) => [
    ...entries,
    ...begun.filter((stage) => stage.set === set).flatMap((stage) => stage.approvers),
  ])
  return { ...terms, approvers }
}
