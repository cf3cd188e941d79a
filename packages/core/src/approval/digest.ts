import { hash } from 'node:crypto'
import { canonicalJsonOfPresent } from '../model/canonical-json.ts'
import { Fault } from '../model/fault.ts'
import type { Sha256 } from '../model/ids.ts'
import type { DecisionRecord } from '../model/record.ts'

/**
 * What a vote is for: SHA-256 over the canonical JSON (RFC 8785) of ledger, approval, agent, action, the commitment to the
 * call's parameters and context, the policy's hash, and the terms and deadline under which people are asked. Whoever
 * votes names it, so a vote can be on nothing else. It can be worked out from the record alone, also when the payload has
 * been erased.
 *
 * @param opened the record of the decision that opened the approval
 * @throws Fault `internal` where the decision opened none
 */
export function approvalDigest(opened: DecisionRecord): Sha256 {
  const { ledger, agent, action, payload, policy, opens } = opened
  if (opens === null || policy === null) {
    throw new Fault('internal', `${opened.id} opened no approval`, {
      fix: 'Ask for the digest of one that did.',
    })
  }
  const asked = {
    v: 1,
    type: 'bailiwick/approval',
    ledger,
    approval: opens.id,
    agent,
    action,
    payload,
    policy: policy.sha256,
    terms: opens.terms,
    deadline: opens.deadline,
  }
  return hash('sha256', canonicalJsonOfPresent(asked)) as Sha256
}
