import {
  isExcluded,
  isSomebody,
  mayVote,
  principalsIn,
  termsAt,
  type Approval,
  type ApprovalTerms,
  type ApprovalView,
  type Instant,
  type Voter,
} from '@bailiwick/core'

/** What an approval's view says of how the person who asks may answer it. */
export type MayAnswer = Pick<ApprovalView, 'mayVote' | 'mayVoteFor' | 'mayBreakGlass'>

/** An approval that waits, as far as it says who may answer it. */
interface Waiting {
  readonly approval: Approval
  /** The payload of the decision that opened it; null where it was erased. */
  readonly body: string | null
  /** Who stands behind the agent. */
  readonly owners: readonly string[]
}

/**
 * How a person may answer an approval that waits at `at`: for themself, in whose stead, and by breaking the glass. It is
 * told, so that pages need not guess; what counts is judged again when a vote is recorded.
 *
 * @param principals who has delegated their votes to the person, now
 */
export function mayAnswer(
  { approval, body, owners }: Waiting,
  at: Instant,
  voter: Voter,
  principals: readonly Voter[],
): MayAnswer {
  const terms = termsAt(approval, at)
  if (body === null || !isSomebody(voter) || isExcluded(terms, voter)) return { mayVote: false }
  const usedUp = approval.votes.flatMap(({ person, for: principal = person }) => [person, principal])
  const barred = new Set<string>([...usedUp, ...owners, ...principalsIn(body)])
  if (barred.has(voter.id)) return { mayVote: false }
  const mayVoteFor = principals
    .filter(
      (each) => each.id !== voter.id && !barred.has(each.id) && isSomebody(each) && mayVote(terms, each),
    )
    .map(({ id }) => id)
  return {
    mayVote: mayVote(terms, voter),
    ...(mayVoteFor.length === 0 ? {} : { mayVoteFor }),
    ...(mayBreakGlass(terms, voter) ? { mayBreakGlass: true } : {}),
  }
}

function mayBreakGlass(terms: ApprovalTerms, voter: Voter): boolean {
  const { breakGlass } = terms
  return breakGlass !== undefined && mayVote({ ...terms, approvers: breakGlass.approvers }, voter)
}
