import type { Explanation } from '@bailiwick/core'
import { replayOf, type RecalledDecision } from '@bailiwick/store'
import { explainedCall } from './explained-call.ts'

/** The explanation of a recorded decision, as it comes out when it is made again. */
export interface ExplainedDecision extends Explanation {
  readonly decision: string
  /** Whether it came out as it was recorded. */
  readonly same: boolean
  /** The members of the record that came out otherwise. */
  readonly differences: readonly string[]
}

/** Makes a recorded decision again, and explains it. */
export function explainedDecision(recalled: RecalledDecision): ExplainedDecision {
  const { same, differences } = replayOf(recalled)
  const { record, policy, parsed, facts } = recalled
  return { decision: record.id, same, differences, ...explainedCall(policy, parsed, facts) }
}
