import type { CounterUse, Decision, DeterminingRule } from '../model/decision.ts'
import type { ActionPlan, Given } from '../model/plan.ts'
import type { RuleBase } from '../model/policy.ts'

/** What a call would use of each counter of its plan, or why that cannot be told. */
export type Uses = readonly (CounterUse | string)[]

/**
 * A rule, flow or counter that matched a call, or that could not be evaluated and so counts as matched (G2). A planned
 * rule that matched without an error is its own match.
 */
export interface Match {
  readonly rule: RuleBase
  readonly denial: string
  readonly matched: DeterminingRule
}

/** Everything of one effect that matched, also in shadow mode. */
export interface Matches {
  readonly found: readonly Match[]
  /** Whether anything counts: not all of it is in shadow mode. */
  readonly counts: boolean
  /**
   * Which of the plan's rules matched, as bits, where that is all there is to say: no error tells of the call, and
   * there are few enough rules. Otherwise negative.
   */
  readonly memoKey: number
}

/** What most calls match. Nothing is always this very object. */
export const noMatches: Matches = Object.freeze({ found: [], counts: false, memoKey: -1 })

/** How many rules of a plan have a bit in a key. Bits that numbers work with are 32, one of them the sign. */
const memoRulesMax = 30
/** How many decisions a plan keeps. */
const memoMax = 64

/** Everything of one effect in the plan that matches the call. */
export function matchesOf(effect: 'deny' | 'escalate', plan: ActionPlan, given: Given, uses: Uses): Matches {
  const rules = effect === 'deny' ? plan.denying : plan.escalating
  const { counters } = plan
  let found: Match[] | undefined
  let counts = false
  let memoKey = rules.length + counters.length > memoRulesMax ? -1 : 0
  for (let at = 0; at < rules.length; at++) {
    const planned = rules[at]
    // Most rules do not match most calls: this asks nothing but the condition.
    if (planned?.outcome?.(given) === false) continue
    const listed = planned?.match(given)
    if (planned === undefined || listed === undefined) continue
    ;(found ??= []).push(matchOf(planned, listed))
    counts ||= !planned.rule.shadow
    memoKey = listed === planned.matched && memoKey >= 0 ? memoKey | (1 << at) : -1
  }
  for (let at = 0; at < counters.length; at++) {
    const planned = counters[at]
    if (planned?.rule.effect !== effect) continue
    const listed = planned.match(given, uses[at] ?? 'its use is not known')
    if (listed === undefined) continue
    ;(found ??= []).push(matchOf(planned, listed))
    counts ||= !planned.rule.shadow
    memoKey = listed === planned.matched && memoKey >= 0 ? memoKey | (1 << (rules.length + at)) : -1
  }
  return found === undefined ? noMatches : { found, counts, memoKey }
}

function matchOf(planned: Match, matched: DeterminingRule): Match {
  return matched === planned.matched ? planned : { rule: planned.rule, denial: planned.denial, matched }
}

/** How the matches appear in a decision. */
export function listedOf(found: readonly Match[]): readonly DeterminingRule[] {
  return found.map(({ matched }) => matched)
}

/** Whether a match counts for the effect. */
export function isCounted({ rule }: Match): boolean {
  return !rule.shadow
}

/**
 * The decision that follows from the matches and from nothing else of the call: made once for each set of rules.
 * Its effect is that of its matches, so one key means one decision.
 */
export function remembered(
  plan: ActionPlan,
  matches: Matches,
  make: (matches: Matches) => Decision,
): Decision {
  const { memoKey } = matches
  if (memoKey < 0) return make(matches)
  const key = matches.found[0]?.rule.effect === 'deny' ? memoKey * 2 : memoKey * 2 + 1
  const known = plan.memo.get(key)
  if (known !== undefined) return known
  const decision = Object.freeze(make(matches))
  // Nobody changes what is given out again and again; whoever writes it may keep what was written.
  Object.freeze(decision.reasons)
  Object.freeze(decision.rules)
  if (plan.memo.size < memoMax) plan.memo.set(key, decision)
  return decision
}
