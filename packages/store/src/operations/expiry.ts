import { approvalStatus } from '@bailiwick/core'
import type { Operation } from '../log/operation.ts'

/**
 * The operation that writes down that an approval's deadline has passed without its being used. Does
 * nothing where it has not passed, or where the approval has ended another way meanwhile.
 */
export function expiryOperation(index: number): Operation<boolean> {
  return {
    needs: { approvals: [index] },
    apply: (fold, place) => {
      const approval = fold.approval(index)
      // By both clocks: a process whose clock is ahead ends nothing early for the others.
      if (
        !approval ||
        approval.expiryRecorded ||
        approvalStatus(approval, fold.earliest(place.at)) !== 'expired'
      )
        return { answer: false }
      return {
        body: { kind: 'expiry', approval: approval.id, agent: approval.agent, action: approval.action },
        answer: true,
        staged: () => fold.setApproval(index, { ...approval, expiryRecorded: true }),
      }
    },
  }
}
