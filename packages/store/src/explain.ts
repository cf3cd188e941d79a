import {
  decideCall,
  explain,
  type CompiledPolicy,
  type Decision,
  type Explanation,
  type Facts,
  type ParsedCall,
} from '@bailiwick/core'
import { replayOf, type RecalledDecision } from './replay.ts'

/** The explanation of a recorded decision, as it comes out when it is made again. */
export interface ExplainedDecision extends Explanation {
  readonly decision: string
  /** Whether it came out as it was recorded. */
  readonly same: boolean
  /** The members of the record that came out otherwise. */
  readonly differences: readonly string[]
}

/**
 * Makes a recorded decision again, and explains it.
 *
 * @param inForce the policy that binds the agent now: what it calls sensitive is masked, too
 */
export function explainedDecision(recalled: RecalledDecision, inForce?: CompiledPolicy): ExplainedDecision {
  const { same, differences } = replayOf(recalled)
  const { record, policy, parsed, facts } = recalled
  return { decision: record.id, same, differences, ...explainedCall(policy, parsed, facts, inForce) }
}

/**
 * Explains the decision on a call, whatever its state. Where nothing of the policy was asked, because there is none,
 * the call is malformed or deciding failed, the reasons are all there is to tell.
 */
export function explainedCall(
  policy: CompiledPolicy | undefined,
  parsed: ParsedCall,
  facts: Facts,
  inForce?: CompiledPolicy,
): Explanation {
  const decision = decideCall(policy, parsed, facts)
  const failed = decision.effect === 'deny' && decision.code === 'evaluation_failed'
  if (policy === undefined || parsed.malformed !== undefined || failed) return reasonsOnly(decision)
  return explain(policy, parsed.call, facts, inForce === undefined ? [] : [inForce])
}

function reasonsOnly(decision: Decision): Explanation {
  return {
    effect: decision.effect,
    ...(decision.effect === 'deny' ? { code: decision.code } : {}),
    reasons: decision.reasons,
    rules: [],
    rulesElsewhere: 0,
    facts: [],
    counters: [],
    changes: [],
  }
}
