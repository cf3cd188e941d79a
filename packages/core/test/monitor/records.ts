import type { DecisionRecord, ExpiryRecord, VoteRecord } from '../../src/model/record.ts'
import type { PersonId, RuleId, Sha256 } from '../../src/model/ids.ts'
import { approvalId, decisionId } from '../../src/model/ids.ts'

const at = '2025-11-20T10:00:00.000Z'
const sha256 = 'a'.repeat(64) as Sha256

/** The record of a call that its policy forbids, with `changes`. */
export function deniedRecord(changes: Partial<DecisionRecord> = {}): DecisionRecord {
  return {
    v: 1,
    ledger: 'default',
    index: 7,
    at,
    payload: sha256,
    kind: 'decision',
    id: decisionId(changes.index ?? 7),
    agent: 'customer-support-agent-v2',
    action: 'delete_account',
    callId: 'call-1',
    effect: 'deny',
    code: 'forbidden',
    reasons: ['Action is forbidden by policy'],
    rules: [{ id: 'forbidden_actions[0]' as RuleId, effect: 'deny', because: 'matched', line: 4 }],
    policy: { id: 'customer-support-agent-v2', version: 3, sha256 },
    opens: null,
    claims: null,
    ...changes,
  }
}

/** The record of a refund that waits for people, with `changes`. */
export function escalatedRecord(changes: Partial<DecisionRecord> = {}): DecisionRecord {
  return deniedRecord({
    index: 12,
    action: 'issue_refund',
    effect: 'escalate',
    code: null,
    reasons: ['Escalation required: human_approval_required'],
    rules: [
      {
        id: 'escalation_rules[0]' as RuleId,
        effect: 'escalate',
        because: 'condition_error',
        condition: 'refund_amount > 500',
        detail: 'params.amount is absent',
        route: 'human_approval_required',
        line: 7,
      },
    ],
    opens: {
      id: approvalId(12),
      terms: {
        routes: ['human_approval_required'],
        approvers: [['person:ann@example.com']],
        quorum: 2,
        deadlineMs: 300_000,
        asks: 'consent',
      },
      deadline: '2025-11-20T10:05:00.000Z',
    },
    ...changes,
  })
}

/** The record of an approval that nobody answered. */
export const expiryRecord: ExpiryRecord = {
  v: 1,
  ledger: 'default',
  index: 13,
  at,
  payload: null,
  kind: 'expiry',
  approval: approvalId(12),
  agent: 'customer-support-agent-v2',
  action: 'issue_refund',
}

/** The record of a vote after which the approval stands at `status`. */
export function voteRecord(status: VoteRecord['status']): VoteRecord {
  return {
    v: 1,
    ledger: 'default',
    index: 14,
    at,
    payload: sha256,
    kind: 'vote',
    approval: approvalId(12),
    person: 'ann@example.com' as PersonId,
    vote: status === 'rejected' ? 'reject' : 'approve',
    status,
  }
}
