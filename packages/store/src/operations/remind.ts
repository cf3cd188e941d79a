import { approvalStatus, instantText, type Approval, type Instant } from '@bailiwick/core'
import type { Operation } from '../log/operation.ts'

/**
 * The operation that writes down that people are told again of an approval that waits, or that others are asked from here
 * on: once for all that has come due, whoever else does the same. Does nothing where nothing is due.
 */
export function remindOperation(index: number): Operation<boolean> {
  return {
    needs: { approvals: [index] },
    apply: (fold, place) => {
      const approval = fold.approval(index)
      const due = approval?.nextPromptAt
      if (approval === undefined || due === undefined || place.at < due) return { answer: false }
      if (approvalStatus(approval, fold.latest(place.at)) !== 'pending') return { answer: false }
      const nextPromptAt = approval.promptsAt.find((prompt) => prompt > place.at)
      return {
        body: {
          kind: 'reminder',
          approval: approval.id,
          agent: approval.agent,
          action: approval.action,
          asks: askedBetween(approval, due, place.at),
          next: nextPromptAt === undefined ? null : instantText(nextPromptAt),
        },
        answer: true,
        staged: () => fold.setApproval(index, { ...approval, nextPromptAt }),
      }
    },
  }
}

function askedBetween({ terms, escalatesAt }: Approval, from: Instant, to: Instant): readonly string[] {
  const begun = (terms.escalateTo ?? []).filter((_stage, nth) => {
    const at = escalatesAt[nth] ?? Infinity
    return at >= from && at <= to
  })
  return [...new Set(begun.flatMap(({ approvers }) => approvers))]
}
