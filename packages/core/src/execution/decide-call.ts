import type { Facts } from '../model/call.ts'
import type { Decision } from '../model/decision.ts'
import type { CompiledPolicy } from '../model/policy.ts'
import { decide, denyFailedEvaluation, denyMalformed, denyWithoutPolicy } from '../decision/decide.ts'
import type { ParsedCall } from './call.ts'

/** How much text an explanation may have: more than people read, and in UTF-8 it always fits into a record. */
const explanationLengthMax = 12_000

/**
 * Decides a parsed call, whatever its state: the same answer in the store's transaction, on the command
 * line and in policy tests. Never throws: whatever goes wrong while deciding ends in a denial (G2).
 *
 * @param policy the policy that binds the call's agent; undefined where there is none
 */
export function decideCall(policy: CompiledPolicy | undefined, parsed: ParsedCall, facts: Facts): Decision {
  if (parsed.malformed !== undefined) return denyMalformed(parsed.malformed)
  if (policy === undefined) return denyWithoutPolicy()
  try {
    return bounded(decide(policy, parsed.call, facts))
  } catch {
    return denyFailedEvaluation()
  }
}

// A decision whose explanation would not fit into a record is denied: it must not go unrecorded.
// Added up and not serialised: this runs for every call.
function bounded(decision: Decision): Decision {
  let length = lengthOf(decision)
  if (decision.effect === 'allow' && decision.shadow !== undefined) length += lengthOf(decision.shadow)
  return length > explanationLengthMax ? denyFailedEvaluation() : decision
}

function lengthOf({ reasons, rules }: Pick<Decision, 'reasons' | 'rules'>): number {
  let length = 0
  for (const reason of reasons) length += reason.length
  for (const { id, condition, detail, file, link } of rules) {
    length += 100 + id.length + (condition?.length ?? 0) + (detail?.length ?? 0)
    length += (file?.length ?? 0) + (link?.length ?? 0)
  }
  return length
}
