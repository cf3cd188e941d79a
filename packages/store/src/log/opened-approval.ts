import {
  instantAfter,
  instantText,
  type ApprovalId,
  type ApprovalTerms,
  type Instant,
  type OpenedApproval,
} from '@bailiwick/core'

/** What an escalation opens at `at`: all of its instants, worked out once and recorded. */
export function opening(id: ApprovalId, terms: ApprovalTerms, at: Instant): OpenedApproval {
  const { deadlineMs, escalateTo = [], remindMs = [], hours } = terms
  const instant = (ms: number) => instantText(instantAfter(at, ms, hours))
  const deadline = instant(deadlineMs)
  const opened = { id, terms, deadline }
  if (escalateTo.length === 0 && remindMs.length === 0) return opened
  const escalatesAt = escalateTo.map(({ afterMs }) => instant(afterMs))
  // What comes when the deadline has come is told to nobody. As texts of one form, they sort as instants.
  const prompts = new Set([...escalatesAt, ...remindMs.map(instant)].filter((prompt) => prompt < deadline))
  return {
    ...opened,
    ...(escalatesAt.length === 0 ? {} : { escalatesAt }),
    ...(prompts.size === 0 ? {} : { promptsAt: [...prompts].sort() }),
  }
}
