import type { Approval, VoteChoice } from './api.ts'

/** The answer that lets the call go on: consent, or having looked, as the policy asks. */
export function yesOf({ terms }: Pick<Approval, 'terms'>): Exclude<VoteChoice, 'reject'> {
  return terms.asks === 'acknowledgement' ? 'acknowledge' : 'approve'
}

/** How many people have given the answer that lets the call go on. */
export function yesCount(approval: Pick<Approval, 'terms' | 'votes'>): number {
  const yes = yesOf(approval)
  return approval.votes.filter(({ vote }) => vote === yes).length
}

/** How far an approval has come: `1 of 2 approved`. */
export function progressText(approval: Pick<Approval, 'terms' | 'votes'>): string {
  const done = yesOf(approval) === 'approve' ? 'approved' : 'have looked'
  return `${yesCount(approval)} of ${approval.terms.quorum} ${done}`
}
