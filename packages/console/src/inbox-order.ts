import type { Approval } from './api.ts'

/** What waits, first what the reader may answer, by nearest deadline: the order of the inbox. */
export function inInboxOrder(approvals: readonly Approval[]): readonly Approval[] {
  return approvals
    .filter(({ status }) => status === 'pending')
    .toSorted(
      (one, other) =>
        Number(other.mayVote) - Number(one.mayVote) || Date.parse(one.deadline) - Date.parse(other.deadline),
    )
}
