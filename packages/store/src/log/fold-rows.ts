// The rows of approvals and delegations, from what a batch has made of them.
import { canonicalJsonOfPresent, instantText, type Approval } from '@bailiwick/core'
import type { ApprovalRow, DelegationRow } from './rows.ts'
import type { Delegation } from './voting.ts'

/** A delegation as its table has it. */
export function delegationRow({ index, from, to, starts, ends, revokedBy }: Delegation): DelegationRow {
  return {
    index,
    delegator: from,
    delegate: to,
    starts_at: instantText(starts),
    ends_at: instantText(ends),
    revoked_by: revokedBy ?? null,
  }
}

/** An approval as its table has it. */
export function approvalRow(index: number, approval: Approval, status: string): ApprovalRow {
  return {
    decision: index,
    agent: approval.agent,
    action: approval.action,
    policy_sha256: approval.policy.sha256,
    terms: canonicalJsonOfPresent(approval.terms),
    opened_at: instantText(approval.openedAt),
    expires_at: instantText(approval.expiresAt),
    cancelled_by: approval.cancelled?.index ?? null,
    next_prompt_at: approval.nextPromptAt === undefined ? null : instantText(approval.nextPromptAt),
    consumed_by: approval.consumedBy === undefined ? null : Number(approval.consumedBy.slice('dec_'.length)),
    status,
  }
}
