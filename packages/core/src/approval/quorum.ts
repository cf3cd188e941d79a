import type { Vote } from '../model/approval.ts'
import type { ApprovalTerms } from '../model/decision.ts'

/**
 * Whether these votes are enough: as many different people as the quorum, and among them, for each entry of `quorumOf`, as
 * many as it wants, each of whom stands for one entry. Whoever voted in somebody's stead is one person, and so is
 * whom they voted for: both count no further.
 */
export function hasQuorum(
  terms: Pick<ApprovalTerms, 'quorum' | 'quorumOf'>,
  votes: readonly Vote[],
): boolean {
  const different = differentPeople(votes)
  if (different.length < terms.quorum) return false
  const wanted = Object.entries(terms.quorumOf ?? {}).flatMap(([entry, count]) =>
    Array.from({ length: count }, () => entry),
  )
  return wanted.length === 0 || everyoneFound(wanted, different)
}

/** The votes without those of people who have voted, or been voted for, before. */
function differentPeople(votes: readonly Vote[]): readonly Vote[] {
  const usedUp = new Set<string>()
  return votes.filter(({ person, for: principal = person }) => {
    if (usedUp.has(person) || usedUp.has(principal)) return false
    usedUp.add(person).add(principal)
    return true
  })
}

// Who can stand for several entries must not be taken for the one that only they can stand for: a matching, by augmenting paths.
function everyoneFound(wanted: readonly string[], votes: readonly Vote[]): boolean {
  const standsFor = new Map<Vote, number>()
  const find = (place: number, tried: Set<Vote>): boolean =>
    votes.some((vote) => {
      if (tried.has(vote) || vote.counts?.includes(wanted[place] ?? '') !== true) return false
      tried.add(vote)
      const taken = standsFor.get(vote)
      if (taken !== undefined && !find(taken, tried)) return false
      standsFor.set(vote, place)
      return true
    })
  return wanted.every((_entry, place) => find(place, new Set()))
}
