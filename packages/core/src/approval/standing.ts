import type { Approval, Standing, Vote } from '../model/approval.ts'
import type { DeterminingRule, StandingDifference, StandingTerms } from '../model/decision.ts'
import type { PersonId, RuleId, Sha256 } from '../model/ids.ts'
import type { Json, JsonObject } from '../model/json.ts'
import type { DecisionRecord } from '../model/record.ts'
import { canonicalJson } from '../model/canonical-json.ts'
import { hasQuorum } from './quorum.ts'
import { choiceFor } from './state.ts'

/** A standing grant as the votes on its approval make it. */
export interface MadeGrant extends Standing {
  /** Whose votes it rests on; of a vote in somebody's stead, who cast it. */
  readonly by: readonly PersonId[]
}

/**
 * The standing grant that the votes on an approval make: only where everybody whose consent counts has granted one within
 * the bounds of the terms. The fewest uses and the earliest end count. Votes that break the glass make none, and a
 * cancellation takes it back. Undefined where there is none; derived from the votes, so it cannot disagree with them.
 */
export function standingOf(
  approval: Pick<Approval, 'terms' | 'votes' | 'expiresAt' | 'cancelled'>,
): MadeGrant | undefined {
  const { terms, votes, expiresAt, cancelled } = approval
  if (terms.standing === undefined || cancelled !== undefined) return undefined
  const counted = votes.filter((vote) => vote.at < expiresAt)
  if (counted.some(({ vote }) => vote === 'reject') || choiceFor(terms) !== 'approve') return undefined
  const given = counted.filter(({ vote, breakGlass }) => vote === 'approve' && breakGlass !== true)
  if (!hasQuorum(terms, given)) return undefined
  const granted = given.flatMap((vote) => standingWithin(vote, terms.standing) ?? [])
  if (granted.length < given.length) return undefined
  const until = Math.min(...granted.map((each) => each.until)) as Standing['until']
  if (given.some(({ at }) => at >= until)) return undefined
  return { uses: Math.min(...granted.map(({ uses }) => uses)), until, by: given.map(({ person }) => person) }
}

/** What a vote grants, where that is within the bounds. */
export function standingWithin(
  { standing, at }: Pick<Vote, 'standing' | 'at'>,
  bounds: StandingTerms | undefined,
): Standing | undefined {
  if (standing === undefined || bounds === undefined) return undefined
  const { uses, until } = standing
  const fits = Number.isSafeInteger(uses) && uses >= 1 && uses <= bounds.uses
  return fits && until > at && until <= at + bounds.lastsMs ? standing : undefined
}

/** What a standing grant was given for, as later calls are held against it. */
export interface GrantScope {
  readonly agent: string
  readonly action: string
  readonly policy: Sha256
  /** The rules that asked for people. */
  readonly rules: ReadonlySet<RuleId>
  readonly params: JsonObject
  /** As canonical JSON. */
  readonly context: string
  readonly mayDiffer: readonly StandingDifference[]
}

/** A call that a standing grant may cover, with what the policy says of it. */
export interface LaterCall {
  readonly agent: string
  readonly action: string
  readonly policy: Sha256
  /** As its decision lists them. */
  readonly rules: readonly DeterminingRule[]
  readonly params: JsonObject
  readonly context: JsonObject
}

/**
 * What a grant on the approval that a decision opened is for.
 *
 * @param payload the decision's payload, as it is recorded
 * @returns undefined where that cannot be told: then it covers nothing
 */
export function grantScope(opened: DecisionRecord, payload: string): GrantScope | undefined {
  const { agent, action, policy, opens, rules } = opened
  const mayDiffer = opens?.terms.standing?.mayDiffer
  const { params, context } = (JSON.parse(payload) ?? {}) as { params?: JsonObject; context?: JsonObject }
  if (policy === null || mayDiffer === undefined || params === undefined || context === undefined)
    return undefined
  const asking = new Set(escalatingOf(rules).map(({ id }) => id))
  return {
    agent,
    action,
    policy: policy.sha256,
    rules: asking,
    params,
    context: canonicalJson(context),
    mayDiffer,
  }
}

/**
 * Whether a later call is like the approved one: same agent, action and policy, no rule that did not ask for people then
 * or that cannot be evaluated, an equal context, and equal parameters but for those that may differ, as they may. What
 * cannot be compared is not covered.
 */
export function isCovered(scope: GrantScope, call: LaterCall): boolean {
  if (call.agent !== scope.agent || call.action !== scope.action || call.policy !== scope.policy) return false
  const asking = escalatingOf(call.rules)
  if (asking.length === 0) return false
  if (!asking.every(({ id, because }) => because === 'matched' && scope.rules.has(id))) return false
  return canonicalJson(call.context) === scope.context && areAlike(scope, call.params)
}

// What is in shadow mode asks nobody.
function escalatingOf(rules: readonly DeterminingRule[]): readonly DeterminingRule[] {
  return rules.filter(({ effect, shadow }) => effect === 'escalate' && shadow !== true)
}

function areAlike({ params: approved, mayDiffer }: GrantScope, params: JsonObject): boolean {
  const names = new Set([...Object.keys(approved), ...Object.keys(params)])
  return [...names].every((name) => {
    const how = mayDiffer.find(({ param }) => param === name)?.how
    return how === 'any' || isAlike(how, ownValue(approved, name), ownValue(params, name))
  })
}

function isAlike(how: 'up_to' | undefined, approved: Json | undefined, value: Json | undefined): boolean {
  if (approved === undefined || value === undefined) return false
  if (how === undefined) return canonicalJson(value) === canonicalJson(approved)
  return typeof approved === 'number' && typeof value === 'number' && value >= 0 && value <= approved
}

function ownValue(params: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(params, name) ? params[name] : undefined
}
