import type { Approval } from '../model/approval.ts'
import type { ActionName, AgentId, Instant } from '../model/ids.ts'
import type { DecisionRecord } from '../model/record.ts'

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
