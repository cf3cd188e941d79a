import { anyObject, flag, id, listOf, number, object, oneOf, orNull, text, textByName } from './shape.ts'
import { determiningRule, effect, reasonsAndRules } from './explanation.ts'
import type { Shaped } from './shape.ts'

// What the service answers. Members that this console does not show are left out; a member that is absent is null.

export const approvalStatus = oneOf('pending', 'approved', 'rejected', 'expired', 'consumed', 'cancelled')
const voteChoice = oneOf('approve', 'reject', 'acknowledge')

export const policyRef = object({ id: text, version: orNull(number), sha256: text })

const outcome = object({
  status: oneOf('succeeded', 'failed', 'unknown'),
  at: text,
  detail: orNull(text),
})

const obligation = object({
  kind: oneOf('redact', 'notify'),
  path: orNull(text),
  channel: orNull(text),
})

/** What a policy in shadow mode would have decided. */
const shadow = object({ effect: oneOf('deny', 'escalate'), ...reasonsAndRules })

/** What a call holds, as people may see it. */
export const held = {
  params: orNull(anyObject),
  context: orNull(anyObject),
  erased: orNull(flag),
  sealed: orNull(flag),
  masked: orNull(listOf(text)),
  units: orNull(textByName),
}

export const decision = object({
  id: id('dec'),
  effect,
  ...reasonsAndRules,
  policy: orNull(policyRef),
  record: object({ index: number }),
  approval: orNull(object({ id: id('apr'), deadline: text })),
  agent: text,
  action: text,
  callId: orNull(text),
  session: orNull(text),
  obligations: orNull(listOf(obligation)),
  standing: orNull(object({ grant: text, use: number, uses: number })),
  shadow: orNull(shadow),
  at: text,
  ...held,
  outcome: orNull(outcome),
})

const voteChannel = oneOf('console', 'slack', 'email', 'api')

/** So many more calls like the approved one, before then. */
const standing = object({ uses: number, until: text })

export const mayDiffer = listOf(object({ param: text, how: oneOf('any', 'up_to') }))

const vote = object({
  person: text,
  for: orNull(text),
  vote: voteChoice,
  breakGlass: orNull(flag),
  standing: orNull(standing),
  channel: orNull(voteChannel),
  comment: orNull(text),
  at: text,
})

const terms = object({
  routes: listOf(text),
  approvers: listOf(listOf(text)),
  quorum: number,
  deadlineMs: number,
  escalateTo: orNull(listOf(object({ afterMs: number, approvers: listOf(text) }))),
  hours: orNull(object({ zone: text, days: listOf(text), fromMinute: number, toMinute: number })),
  asks: orNull(oneOf('consent', 'acknowledgement')),
  signed: orNull(flag),
  channels: orNull(listOf(voteChannel)),
  breakGlass: orNull(object({ quorum: number })),
  standing: orNull(object({ uses: number, lastsMs: number, mayDiffer })),
})

export const approval = object({
  id: id('apr'),
  decision: id('dec'),
  digest: orNull(text),
  agent: text,
  action: text,
  ...held,
  reasons: listOf(text),
  rules: listOf(determiningRule),
  policy: orNull(policyRef),
  status: approvalStatus,
  voidedBy: orNull(oneOf('policy_change')),
  openedAt: text,
  deadline: text,
  escalatesAt: orNull(listOf(text)),
  terms,
  votes: listOf(vote),
  standingUntil: orNull(text),
  consumedBy: orNull(id('dec')),
  cancelled: orNull(object({ by: text, reason: orNull(text), at: text })),
  mayVote: flag,
  mayVoteFor: orNull(listOf(text)),
  mayBreakGlass: orNull(flag),
})

const pastDecision = object({
  id: id('dec'),
  action: text,
  at: text,
  effect,
  approval: orNull(object({ id: id('apr'), status: approvalStatus })),
})

const history = {
  of: number,
  counts: object({ allow: number, deny: number, escalate: number }),
  approvals: object({
    approved: orNull(number),
    consumed: orNull(number),
    rejected: orNull(number),
    expired: orNull(number),
  }),
  recent: listOf(pastDecision),
}

export const approvalContext = object({
  rules: listOf(object({ id: text, text })),
  voters: listOf(object({ person: text, voted: flag, deputies: listOf(text) })),
  mayReveal: flag,
  history: object(history),
  similar: orNull(
    object({
      id: id('dec'),
      at: text,
      effect,
      params: orNull(anyObject),
      context: orNull(anyObject),
      masked: orNull(listOf(text)),
    }),
  ),
})

export const activity = object({ agent: text, ...history })

export const revealed = object({ path: text, record: object({ index: number }) })

const pageEnd = { next: orNull(number), archived: orNull(flag) }
export const decisionPage = object({ decisions: listOf(decision), ...pageEnd })
export const approvalPage = object({ approvals: listOf(approval), ...pageEnd })
export const session = object({
  person: object({ id: text, roles: listOf(text) }),
  permissions: listOf(text),
  session: object({ isPartial: orNull(flag) }),
})

export const agentList = object({
  agents: listOf(
    object({
      agent: text,
      policy: orNull(policyRef),
      keys: number,
      suspension: orNull(object({ reason: text, since: text, by: text })),
    }),
  ),
})

const recordedPolicy = object({ policy: policyRef, at: text, record: object({ index: number }) })

export const policyList = object({
  policies: listOf(
    object({
      policy: policyRef,
      agents: listOf(text),
      domain: orNull(text),
      mode: oneOf('enforce', 'shadow'),
      extends: listOf(text),
      since: orNull(recordedPolicy),
      earlier: listOf(recordedPolicy),
    }),
  ),
})

export const policy = object({
  policy: policyRef,
  inForce: flag,
  source: text,
  parents: listOf(object({ file: text, source: text })),
})

/** What the service promises of a proof beyond what its verifier reads by itself. */
export const proof = object({
  index: number,
  record: text,
  size: number,
  checkpoint: orNull(text),
  verifierKeys: listOf(text),
})

/** Where an approval stands. */
export type ApprovalStatus = Shaped<typeof approvalStatus>
/** One person's answer. */
export type VoteChoice = Shaped<typeof voteChoice>
/** Something that has to be done with an allowed call. */
export type Obligation = Shaped<typeof obligation>
/** Which policy decided. */
export type PolicyRef = Shaped<typeof policyRef>
/** A recorded decision, as people see it. */
export type Decision = Shaped<typeof decision>
/** A call that waits, or waited, for people. */
export type Approval = Shaped<typeof approval>
/** Hours of days outside of which the clocks of an approval stand still. */
export type BusinessHours = NonNullable<Shaped<typeof terms>['hours']>
/** Over which channel a vote came. */
export type VoteChannel = Shaped<typeof voteChannel>
/** What a vote grants beside the one call. */
export type Standing = Shaped<typeof standing>
/** In which parameters calls under a standing grant may differ from the approved one, and how. */
export type MayDiffer = Shaped<typeof mayDiffer>
/** What helps a person to answer. */
export type ApprovalContext = Shaped<typeof approvalContext>
/** What an agent did lately. */
export type Activity = Shaped<typeof activity>
/** One decision on one line. */
export type PastDecision = Shaped<typeof pastDecision>
/** One page of decisions, newest first; `next` is the cursor for the page before it, or null at the end, where `archived` says whether older ones lie in the archive. */
export type DecisionPage = Shaped<typeof decisionPage>
/** One page of approvals, newest first. */
export type ApprovalPage = Shaped<typeof approvalPage>
/** Who is signed in. */
export type Session = Shaped<typeof session>
/** An agent that the service knows of. */
export type Agent = Shaped<typeof agentList>['agents'][number]
/** A policy that is in force. */
export type ListedPolicy = Shaped<typeof policyList>['policies'][number]
/** A policy with its source. */
export type PolicySource = Shaped<typeof policy>
/** A masked value that was shown, and the record that says so. */
export interface Revealed {
  readonly value: unknown
  readonly record: { readonly index: number }
}
/** A proof that a record is in the log. */
export interface Proof extends Shaped<typeof proof> {
  /** As it came, for whoever verifies it. */
  readonly bundle: string
}
