import type { Approval } from './api.ts'
import { mayAnswer } from './consent.ts'

/** What waits, first what the reader may answer, by nearest deadline: the order of the inbox. */
export function inInboxOrder(approvals: readonly Approval[]): readonly Approval[] {
  return approvals
    .filter(({ status }) => status === 'pending')
    .toSorted(
      (one, other) =>
        Number(mayAnswer(other)) - Number(mayAnswer(one)) ||
        Date.parse(one.deadline) - Date.parse(other.deadline),
    )
}
