import type { Approval, VoteChoice } from './api.ts'

type Asked = Pick<Approval, 'terms' | 'votes'>

/** The answer that lets the call go on: consent, or having looked, as the policy asks. */
export function yesOf({ terms }: Pick<Approval, 'terms'>): Exclude<VoteChoice, 'reject'> {
  return terms.asks === 'acknowledgement' ? 'acknowledge' : 'approve'
}

/** How many people have given the answer that lets the call go on. Who breaks the glass is not added to them. */
export function yesCount(approval: Asked): number {
  const yes = yesOf(approval)
  return approval.votes.filter(({ vote, breakGlass }) => vote === yes && breakGlass !== true).length
}

/** How many people have broken the glass. */
export function glassCount({ votes }: Pick<Approval, 'votes'>): number {
  return votes.filter(({ breakGlass }) => breakGlass === true).length
}

/** How far an approval has come: `1 of 2 approved`. */
export function progressText(approval: Asked): string {
  const done = yesOf(approval) === 'approve' ? 'approved' : 'have looked'
  return `${yesCount(approval)} of ${approval.terms.quorum} ${done}`
}

/** Whether it was let through, or would be, by people who broke the glass rather than by those who are asked. */
export function isByGlass(approval: Asked): boolean {
  const { breakGlass } = approval.terms
  return breakGlass !== null && glassCount(approval) >= breakGlass.quorum
}

/** Whether as many people as it takes have let it through, whatever became of it then. */
export function wasLetThrough(approval: Asked): boolean {
  return yesCount(approval) >= approval.terms.quorum || isByGlass(approval)
}

/** Whether the policy takes answers in the console. */
export function isAskedHere({ terms }: Pick<Approval, 'terms'>): boolean {
  return terms.channels?.includes('console') ?? true
}

/** Whether it can let nothing through, whatever people answer. */
export function isVoid({ voidedBy }: Pick<Approval, 'voidedBy'>): boolean {
  return voidedBy !== null
}

/** Whether the person's vote is given: by themself, or by somebody in their stead. */
export function hasVoted({ votes }: Pick<Approval, 'votes'>, person: string): boolean {
  return votes.some((vote) => vote.person === person || vote.for === person)
}

/** Whether the reader could vote on it here to some effect, for themself or in somebody's stead. */
export function mayAnswer(
  approval: Pick<Approval, 'mayVote' | 'mayVoteFor' | 'terms' | 'voidedBy'>,
): boolean {
  const { mayVote, mayVoteFor } = approval
  if (isVoid(approval) || !isAskedHere(approval)) return false
  return mayVote || (mayVoteFor !== null && mayVoteFor.length > 0)
}
