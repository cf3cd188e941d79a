import type { Given } from './call.ts'
import type {
  AllowDecision,
  CounterUse,
  Decision,
  DenyCode,
  DenyDecision,
  DeterminingRule,
  Obligation,
} from './decision.ts'
import type { Condition, Counter, FactDeclaration, RuleBase } from './rule.ts'

export type { Given } from './call.ts'

/** A rule or flow that speaks of the plan's actions. */
export interface PlannedRule {
  readonly rule: RuleBase
  /** The reason of a denial by it. */
  readonly denial: string
  /** How it takes part where it matches without an error: always this very object. */
  readonly matched: DeterminingRule
  /** Where a condition is all there is to the rule, the condition: what is false does not match, told at less cost. */
  readonly outcome: Condition['outcome'] | undefined
  /** How it took part; undefined where it does not match. */
  match(given: Given): DeterminingRule | undefined
}

/** A budget or rate that counts the plan's actions. */
export interface PlannedCounter {
  readonly rule: Counter
  readonly denial: string
  readonly matched: DeterminingRule
  /** What the call would use, or one sentence that says why that cannot be told. */
  use(given: Given): CounterUse | string
  /** How it took part, given what the call would use; undefined where there is enough left. */
  match(given: Given, use: CounterUse | string): DeterminingRule | undefined
}

/** What is wrong with a call that breaks a constraint of its action. */
export interface Violation {
  readonly code: DenyCode
  readonly reasons: readonly string[]
  readonly rule: DeterminingRule
}

/** All that a policy says of an action, worked out once. */
export interface ActionPlan {
  /** The answer to every call: the action is forbidden, or not allowed. */
  readonly settled: DenyDecision | undefined
  /** The answer where nothing speaks against a call, and it leaves nothing behind. */
  readonly allow: AllowDecision
  /** In the order in which their codes are told. */
  readonly constraints: readonly ((given: Given) => Violation | undefined)[]
  readonly denying: readonly PlannedRule[]
  readonly escalating: readonly PlannedRule[]
  readonly counters: readonly PlannedCounter[]
  readonly obligations: readonly Obligation[]
  /** The obligations that the caller has to say it carries out, each with what asks for it. */
  readonly duties: readonly { readonly kind: string; readonly rule: DeterminingRule }[]
  readonly labels: readonly string[]
  /** The facts that have to be looked up. */
  readonly lookups: readonly FactDeclaration[]
  readonly needsSession: boolean
  /** Whether a standing grant could let a call through: something escalates to a route on which people may give one. */
  readonly mayStand: boolean
  /** Decisions by what matched, kept where nothing else of the call is in them; see `memoKey`. */
  readonly memo: Map<number, Decision>
}

/**
 * Where the plans of a policy are kept once they are made. They follow from the policy alone, so whether one is
 * here makes a difference to time only.
 */
export interface PlanMemo {
  /** The policy whose plans these are: a copy of a policy does not share them. */
  owner: object | undefined
  readonly byAction: Map<string, ActionPlan>
}
