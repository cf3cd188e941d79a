import type { RuleId, Sha256 } from './ids.ts'

/** Which policy decided. */
export interface PolicyRef {
  /** The policy's `agent_id`. */
  readonly id: string
  /** The `version` its author gave it, or null. */
  readonly version: number | null
  /** SHA-256 over the canonical JSON of the policy as loaded, so comments do not count. */
  readonly sha256: Sha256
}

export type Effect = 'allow' | 'deny' | 'escalate'

/** A rule that took part in the decision. Every one that matched is listed, not only the first. */
export interface DeterminingRule {
  readonly id: RuleId
  readonly effect: Effect
  /** `condition_error`: the condition could not be evaluated, and so counts as matched (G2). */
  readonly because: 'matched' | 'condition_error'
  readonly condition?: string | undefined
  /** What could not be evaluated and why, where `because` is `condition_error`. */
  readonly detail?: string | undefined
  /** The approval route that an escalation asks for. */
  readonly route?: string | undefined
  /** One-based line of the rule in its policy file. */
  readonly line: number
}

/** Stable codes for why a call was denied. */
export type DenyCode =
  | 'forbidden'
  | 'not_allowed'
  | 'denied_by_rule'
  | 'malformed_call'
  | 'no_policy'
  | 'approval_refused'
  | 'evaluation_failed'

interface Determined {
  /** For people; the first is the main one. */
  readonly reasons: readonly string[]
  readonly rules: readonly DeterminingRule[]
}

/** The answer for one call. Data, so that it can be stored, compared and replayed. */
export type Decision = AllowDecision | DenyDecision | EscalateDecision

export interface AllowDecision extends Determined {
  readonly effect: 'allow'
  /** Whether an approval was used up by this decision. */
  readonly consumesApproval: boolean
}

export interface DenyDecision extends Determined {
  readonly effect: 'deny'
  readonly code: DenyCode
}

export interface EscalateDecision extends Determined {
  readonly effect: 'escalate'
  readonly approval: ApprovalTerms
}

/** Who has to agree, how many, and by when: the strictest of all routes that matched. */
export interface ApprovalTerms {
  /** The `action` of every escalation that matched, such as `human_approval_required`. */
  readonly routes: readonly string[]
  /** Who may vote, route by route. A person must be entitled by every route. Empty: the roles `approver` and `administrator`. */
  readonly approvers: readonly (readonly string[])[]
  /** How many different people must approve: 1 or more. */
  readonly quorum: number
  readonly deadlineMs: number
}
