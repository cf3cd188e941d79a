import type { CounterKey, GrantId, RuleId, Sha256 } from './ids.ts'
import type { VoteChannel } from './vote-channel.ts'
import type { Weekday } from './window.ts'

/** Which policy decided. */
export interface PolicyRef {
  /** The policy's `agent_id`, or the first of its `agents`. */
  readonly id: string
  /** The `version` its author gave it, or null. */
  readonly version: number | null
  /** SHA-256 over the canonical JSON of the policy and of all it extends, so comments do not count. */
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
  /** The file it stands in, seen from the agent's policy file; absent where it stands in that file itself. */
  readonly file?: string | undefined
  /** Where people can read why the rule is there. */
  readonly link?: string | undefined
  /** The rule is in shadow mode: it matched, and did not count. */
  readonly shadow?: true | undefined
}

/** Stable codes for why a call was denied. */
export type DenyCode =
  | 'forbidden'
  | 'not_allowed'
  | 'params_invalid'
  | 'role_missing'
  | 'wrong_environment'
  | 'outside_window'
  | 'when_false'
  | 'requirement_missing'
  | 'obligation_unsupported'
  | 'denied_by_rule'
  | 'suspended'
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
  /** What has to be done beside the action. */
  readonly obligations: readonly Obligation[]
  /** What it uses up of budgets and rates. Only an allow uses anything up. */
  readonly consumes: readonly CounterUse[]
  /** What it adds to the call's session; absent where the call names none. */
  readonly leaves?: SessionTrace | undefined
  /** With a policy in shadow mode: what would have happened, had it been enforced. Absent where the same. */
  readonly shadow?: ShadowedDecision | undefined
  /** The standing grant that let it through, where one did. */
  readonly standing?: StandingUse | undefined
}

/** That a call was let through by a standing grant, and how often the grant has done so, with this call. */
export interface StandingUse {
  readonly grant: GrantId
  /** 1 for the first call. */
  readonly use: number
  readonly uses: number
}

/**
 * Something that has to be done with an allowed call. `redact`: the enforcement point replaces what stands at the
 * path before it gives the result to anybody. `notify`: the service tells the channel.
 */
export type Obligation =
  { readonly kind: 'redact'; readonly path: string } | { readonly kind: 'notify'; readonly channel: string }

/** An amount that an allowed call takes from a counter. */
export interface CounterUse {
  readonly counter: RuleId
  readonly key: CounterKey
  readonly amount: number
  /** For how long it can count, at the longest; it may be forgotten afterwards. */
  readonly windowMs: number
  /** Whether a run that failed gives it back. */
  readonly releasable: boolean
}

/** What an allowed call leaves behind in its session. */
export interface SessionTrace {
  readonly action: string
  readonly labels: readonly string[]
}

/** The decision that a policy in shadow mode would have made. */
export interface ShadowedDecision extends Determined {
  readonly effect: 'deny' | 'escalate'
  readonly code?: DenyCode | undefined
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
  /** How many of them must stand for an entry such as `role:legal`; one person stands for one entry. */
  readonly quorumOf?: Readonly<Record<string, number>> | undefined
  /** How long it waits; with `hours`, only the time within them counts. */
  readonly deadlineMs: number
  /** Whom to ask as well, once it has waited for so long; the earliest first. */
  readonly escalateTo?: readonly EscalationTerms[] | undefined
  /** After how long people are reminded, ascending. */
  readonly remindMs?: readonly number[] | undefined
  /** Business hours: outside of them every clock of the approval stands still. */
  readonly hours?: BusinessHours | undefined
  /** Who may not vote, whatever else entitles them. */
  readonly exclude?: readonly string[] | undefined
  /** What is asked of them: to agree, or to say that they have looked. Where any route asks for consent, consent. */
  readonly asks: ApprovalAsk
  /** Over which channels votes come, where not over all; in their order in `voteChannels`. */
  readonly channels?: readonly VoteChannel[] | undefined
  /** Every vote has to be signed by a key that the person has registered. */
  readonly signed?: true | undefined
  /** Who may let it through in an emergency, route by route, and how many of them: 2 or more. */
  readonly breakGlass?: BreakGlassTerms | undefined
  /** It stays good when the policy changes, as long as its routes still ask for just this. */
  readonly survivesPolicyChange?: true | undefined
  /** What people may grant beside the one call; absent: nothing. Every route that asks has to allow it. */
  readonly standing?: StandingTerms | undefined
}

/** The bounds of a standing grant: more calls like the approved one, for a while. */
export interface StandingTerms {
  /** How many more calls, at the most. */
  readonly uses: number
  /** For how long after the vote, at the most. */
  readonly lastsMs: number
  /** The parameters in which they may differ from the approved call, by name. All others are equal. */
  readonly mayDiffer: readonly StandingDifference[]
}

/** `any`: whatever it is, or absent. `up_to`: a number from 0 to that of the approved call. */
export interface StandingDifference {
  readonly param: string
  readonly how: 'any' | 'up_to'
}

/** Who may let a call through in an emergency, without those who are asked. A person must be named by every list. */
export interface BreakGlassTerms {
  readonly approvers: readonly (readonly string[])[]
  readonly quorum: number
}

/** Whom else to ask, once an approval has waited for so long. */
export interface EscalationTerms {
  readonly afterMs: number
  readonly approvers: readonly string[]
  /** The list of `approvers` that they are added to, zero-based. */
  readonly set: number
}

/** Hours of days by the clocks of a zone. From the first instant at which they show `fromMinute` to the first at which they show `toMinute`. */
export interface BusinessHours {
  /** An IANA name such as `Europe/Berlin`. */
  readonly zone: string
  /** The days on which they begin. */
  readonly days: readonly Weekday[]
  /** Minutes after midnight. Where `toMinute` is not later, they end on the next day. */
  readonly fromMinute: number
  readonly toMinute: number
}

/** What people are asked for: `consent`, somebody must agree; `acknowledgement`, somebody must have looked. */
export type ApprovalAsk = 'consent' | 'acknowledgement'
