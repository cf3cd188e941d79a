import type { ApprovalTerms, DenyCode, DeterminingRule, Effect, StandingUse } from './decision.ts'
import type { FactSource, FactType } from './policy.ts'

/**
 * Why a call was decided as it was: everything that the policy has to say of its action, matched or not, with the
 * values that conditions met. For people; the decision itself does not depend on it. Values are texts, cut at
 * 200 characters, and masked where the policy calls them sensitive.
 */
export interface Explanation {
  readonly effect: Effect
  readonly code?: DenyCode | undefined
  readonly reasons: readonly string[]
  /** With effect `escalate`: who is asked. */
  readonly approval?: ApprovalTerms | undefined
  /** The standing grant that let the call through, and whose votes it rests on. */
  readonly standing?: (StandingUse & { readonly by: readonly string[] }) | undefined
  readonly rules: readonly ExplainedRule[]
  /** How many rules and flows of the policy say nothing about the action. */
  readonly rulesElsewhere: number
  readonly facts: readonly ExplainedFact[]
  readonly counters: readonly ExplainedCounter[]
  /** What the session had been through; absent where the call names none. */
  readonly session?: { readonly labels: readonly string[]; readonly actions: readonly string[] } | undefined
  /** Single changes that would lead to another effect, each tried out by deciding the changed call. */
  readonly changes: readonly ExplainedChange[]
}

/** A rule, flow, list entry or constraint that speaks of the action, and what became of it. */
export interface ExplainedRule extends Omit<DeterminingRule, 'because'> {
  readonly because: DeterminingRule['because'] | 'not_matched'
  /** Its conditions, part by part; empty where it has none. */
  readonly parts: readonly ExplainedPart[]
}

/** A part of a condition, as written, with what it came to. */
export interface ExplainedPart {
  readonly text: string
  /** What it came to; null where it came to nothing. */
  readonly value: string | null
  /** Why it came to nothing; null where nobody asked, because something before had settled the result. */
  readonly error: string | null
  readonly parts: readonly ExplainedPart[]
}

/** A fact that rules of the action use. */
export interface ExplainedFact {
  readonly name: string
  readonly type: FactType
  /** Null where it is absent. */
  readonly value: string | null
  /** `params.amount`, `context.customer.is_vip`, or where it was looked up. */
  readonly from: string
  /** Whose word it is: `params` is the model's, `context` the host's, `lookup` another system's. */
  readonly source: FactSource
  /** Why it is absent, or that its default stands in. */
  readonly note?: string | undefined
}

/** A budget or rate that counts the action. */
export interface ExplainedCounter {
  readonly id: string
  /** What it allows, in words. */
  readonly limit: string
  /** What had been used of it in its window before this call; null where that is not known. */
  readonly used: number | null
  /** What this call uses; null where that cannot be told. */
  readonly amount: number | null
  /** Where `used` and `amount` are null because they would tell something sensitive. */
  readonly masked?: true | undefined
  readonly max: number
}

/** One change, and the effect that the call would have with it. */
export interface ExplainedChange {
  /** As a sentence's condition: `refund_amount were 500`. */
  readonly change: string
  readonly effect: Effect
  /** The first reason of the decision on the changed call. */
  readonly reason: string
}
