import {
  instantAfter,
  instantText,
  type ActionName,
  type AgentId,
  type Approval,
  type ApprovalId,
  type ApprovalTerms,
  type DecisionRecord,
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

/** The approval that a decision opened, as it was then; undefined where it opened none. */
export function openedApproval(record: DecisionRecord): Approval | undefined {
  const { opens, policy } = record
  if (opens === null || policy === null) return undefined
  const promptsAt = (opens.promptsAt ?? []).map(instantOf)
  return {
    id: opens.id,
    agent: record.agent as AgentId,
    action: record.action as ActionName,
    policy,
    // Records of earlier versions do not say what they ask for: it was consent.
    terms: { ...opens.terms, asks: opens.terms.asks ?? 'consent' },
    openedAt: instantOf(record.at),
    expiresAt: instantOf(opens.deadline),
    escalatesAt: (opens.escalatesAt ?? []).map(instantOf),
    promptsAt,
    nextPromptAt: promptsAt[0],
    votes: [],
    expiryRecorded: false,
  }
}

function instantOf(text: string): Instant {
  return Date.parse(text) as Instant
}
