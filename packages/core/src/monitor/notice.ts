import type { BrokenLog } from '../audit/range-check.ts'
import type { DenyCode } from '../model/decision.ts'
import type { ApprovalId, DecisionId } from '../model/ids.ts'
import { indexOfId } from '../model/ids.ts'
import type {
  CancellationRecord,
  DecisionRecord,
  ExpiryRecord,
  LogRecord,
  RecordedStanding,
  ReminderRecord,
  SuspensionRecord,
  VoteRecord,
} from '../model/record.ts'
import { nameLengthMax } from '../model/limits.ts'
import { unreachable } from '../model/fault.ts'

/** How many reasons, rules or routes a notice carries. */
export const noticeItemsMax = 20
/** How long one reason may be, in UTF-16 code units. */
export const noticeTextLengthMax = 500

export type Severity = 'info' | 'warning' | 'critical'

interface NoticeBase {
  readonly severity: Severity
  /** The index of the record that caused it. */
  readonly index: number
  /** The record's time: RFC 3339, UTC, milliseconds. */
  readonly at: string
  /** Null where the record does not name one, as a vote's does not. */
  readonly agent: string | null
  readonly action: string | null
  /** One sentence for people. */
  readonly title: string
}

/** A call was denied. */
export interface DeniedNotice extends NoticeBase {
  readonly kind: 'violation.denied'
  readonly data: {
    readonly decision: DecisionId
    readonly agent: string
    readonly action: string
    readonly code: DenyCode | null
    readonly reasons: readonly string[]
    /** The ids of the rules that took part. */
    readonly rules: readonly string[]
    /** The approval that the caller claimed, where it is the id of one. */
    readonly approval: string | null
  }
}

/** A call waits for people. */
export interface ApprovalRequestedNotice extends NoticeBase {
  readonly kind: 'approval.requested'
  readonly data: {
    readonly approval: ApprovalId
    readonly decision: DecisionId
    readonly agent: string
    readonly action: string
    readonly reasons: readonly string[]
    readonly routes: readonly string[]
    readonly quorum: number
    /** RFC 3339, UTC, milliseconds. */
    readonly deadline: string
  }
}

/** Nobody, or too few, answered in time. */
export interface ApprovalExpiredNotice extends NoticeBase {
  readonly kind: 'approval.expired'
  readonly data: { readonly approval: ApprovalId; readonly agent: string; readonly action: string }
}

/** A call still waits for people, or others are asked from here on. */
export interface ApprovalReminderNotice extends NoticeBase {
  readonly kind: 'approval.reminder'
  readonly data: {
    readonly approval: ApprovalId
    readonly agent: string
    readonly action: string
    /** Who is asked from here on, as well, such as `role:ops-manager`; empty where those who were asked are reminded. */
    readonly asks: readonly string[]
  }
}

/** Somebody breaks the glass: a call is to be let through in an emergency, without those who are asked. Who and why stays in the log. */
export interface BreakGlassNotice extends NoticeBase {
  readonly kind: 'approval.break_glass'
  readonly data: { readonly approval: ApprovalId; readonly status: VoteRecord['status'] }
}

/** A vote, or its cancellation, ended an approval. Who did it is personal data and stays in the log. */
export interface ApprovalDecidedNotice extends NoticeBase {
  readonly kind: 'approval.decided'
  readonly data: {
    readonly approval: ApprovalId
    readonly status: 'approved' | 'rejected' | 'cancelled'
    /** The standing grant that came of it: so many more calls like that one, before then. */
    readonly grant?: { readonly uses: number; readonly until: string }
  }
}

/** A call was allowed that a policy, or a rule of it, in shadow mode would have stopped. */
export interface ShadowedNotice extends NoticeBase {
  readonly kind: 'violation.shadowed'
  readonly data: {
    readonly decision: DecisionId
    readonly agent: string
    readonly action: string
    /** What would have happened. */
    readonly effect: 'deny' | 'escalate'
    readonly reasons: readonly string[]
    /** The ids of the rules that took part. */
    readonly rules: readonly string[]
  }
}

/** A call was allowed of which the policy wants somebody told. */
export interface ObligationNotice extends NoticeBase {
  readonly kind: 'obligation.notify'
  readonly data: {
    readonly decision: DecisionId
    readonly agent: string
    readonly action: string
    /** The channels as the policy names them; what they mean is for the receiver to know. */
    readonly channels: readonly string[]
  }
}

/** An agent was suspended, or may decide again. Who did it and why stays in the log. */
export interface SuspensionNotice extends NoticeBase {
  readonly kind: 'agent.suspension'
  readonly data: { readonly agent: string; readonly state: SuspensionRecord['state'] }
}

/** The log itself was found broken: somebody changed what is stored, or the storage failed. */
export interface LogBrokenNotice extends NoticeBase {
  readonly kind: 'log.broken'
  readonly data: {
    readonly ledger: string
    /** The first bad record; null where the damage cannot be narrowed down to one. */
    readonly index: number | null
    readonly problem: string
    readonly fix: string
  }
}

/** The notice that a log was found broken. `at` is RFC 3339. */
export function logBrokenNotice(ledger: string, broken: BrokenLog, at: string): LogBrokenNotice {
  const problem = oneLine(broken.problem)
  return {
    kind: 'log.broken',
    severity: 'critical',
    index: broken.index ?? unknownIndex,
    at,
    agent: null,
    action: null,
    title: oneLine(`The log is broken, and nothing is decided on it: ${problem}`),
    data: { ledger, index: broken.index, problem, fix: broken.fix },
  }
}

/** No record has it; what is wrong with the whole log is told under it. */
const unknownIndex = -1

/**
 * Something that people want to hear of, caused by one record. Its data leaves the house, so it never
 * holds parameters, context or comments.
 */
export type Notice =
  | DeniedNotice
  | ShadowedNotice
  | ObligationNotice
  | ApprovalRequestedNotice
  | ApprovalReminderNotice
  | ApprovalExpiredNotice
  | BreakGlassNotice
  | ApprovalDecidedNotice
  | SuspensionNotice
  | LogBrokenNotice

/** The notices that a record causes, of each kind at most one. Depends on nothing but the record, so reading it again is harmless. */
export function noticesOf(record: LogRecord): readonly Notice[] {
  switch (record.kind) {
    case 'decision':
      return ofDecision(record)
    case 'expiry':
      return [expired(record)]
    case 'vote':
      return [...ofBrokenGlass(record), ...ofVote(record)]
    case 'cancellation':
      return [cancelled(record)]
    case 'reminder':
      return [reminder(record)]
    case 'suspension':
      return [suspension(record)]
    case 'outcome':
    case 'delegation':
    case 'revocation':
    case 'policy':
    case 'access':
    case 'erasure':
    case 'archive':
    case 'hold':
    case 'read':
    case 'key':
      return []
    default:
      return unreachable(record)
  }
}

function suspension({ agent, at, index, state }: SuspensionRecord): SuspensionNotice {
  const who = agent === '*' ? 'Every agent' : `The agent ${name(agent)}`
  return {
    kind: 'agent.suspension',
    severity: state === 'suspended' ? 'warning' : 'info',
    index,
    at,
    agent,
    action: null,
    title: state === 'suspended' ? `${who} is suspended` : `${who} may decide again`,
    data: { agent, state },
  }
}

function ofDecision(record: DecisionRecord): readonly Notice[] {
  switch (record.effect) {
    case 'allow':
      return [...shadowed(record), ...notified(record)]
    case 'deny':
      return [denied(record)]
    case 'escalate':
      return record.opens === null ? [] : [requested(record, record.opens)]
    default:
      return unreachable(record.effect)
  }
}

function denied(record: DecisionRecord): DeniedNotice {
  const claimed = record.claims?.id
  const reasons = toldReasons(record.reasons, record.code)
  const why = reasons[0] === undefined ? '' : `: ${oneLine(reasons[0])}`
  return {
    kind: 'violation.denied',
    severity: record.code === null ? 'warning' : severityOf(record.code),
    index: record.index,
    at: record.at,
    ...actor(record),
    title: `${name(record.agent)} was denied ${name(record.action)}${why}`,
    data: {
      decision: record.id,
      ...actor(record),
      code: record.code,
      reasons: bounded(reasons, noticeTextLengthMax),
      rules: bounded(record.rules.map((rule) => rule.id)),
      // The claim is the caller's own text; only what has the form of an id may pass on.
      approval: claimed !== undefined && indexOfId('apr', claimed) !== undefined ? claimed : null,
    },
  }
}

/**
 * The reasons without what came from the call: names of members, which may hold anybody's data, and what conditions met.
 * What the policy's author wrote is told word for word.
 */
function toldReasons(reasons: readonly string[], code: DenyCode | null): readonly string[] {
  if (code === 'malformed_call') return ['Call is malformed']
  const told = reasons.map((reason) => {
    // A rule's own reason may begin with `params`, too; then it is the author's.
    if (code !== null && code !== 'denied_by_rule' && /^params(?:[ .[]|$)/.test(reason)) {
      return 'params do not fit their schema'
    }
    return reason.replace(/^(condition_error in \S+): .*$/s, '$1')
  })
  return [...new Set(told)]
}

function shadowed(record: DecisionRecord): readonly ShadowedNotice[] {
  const { shadow } = record
  if (shadow === undefined) return []
  const would = shadow.effect === 'deny' ? 'denied' : 'escalated'
  return [
    {
      kind: 'violation.shadowed',
      severity: 'info',
      index: record.index,
      at: record.at,
      ...actor(record),
      title: `${name(record.agent)} was allowed ${name(record.action)}, which would have been ${would} outside of shadow mode`,
      data: {
        decision: record.id,
        ...actor(record),
        effect: shadow.effect,
        reasons: bounded(toldReasons(shadow.reasons, shadow.code ?? null), noticeTextLengthMax),
        rules: bounded(shadow.rules.map((rule) => rule.id)),
      },
    },
  ]
}

function notified(record: DecisionRecord): readonly ObligationNotice[] {
  const channels = (record.obligations ?? []).flatMap((obligation) =>
    obligation.kind === 'notify' ? [obligation.channel] : [],
  )
  if (channels.length === 0) return []
  return [
    {
      kind: 'obligation.notify',
      severity: 'info',
      index: record.index,
      at: record.at,
      ...actor(record),
      title: `${name(record.agent)} was allowed ${name(record.action)}`,
      data: { decision: record.id, ...actor(record), channels: bounded(channels) },
    },
  ]
}

/** Critical: an agent tried what its policy rules out by name, or its policy could not be evaluated. */
function severityOf(code: DenyCode): Severity {
  switch (code) {
    case 'forbidden':
    case 'evaluation_failed':
      return 'critical'
    case 'not_allowed':
    case 'params_invalid':
    case 'role_missing':
    case 'wrong_environment':
    case 'outside_window':
    case 'when_false':
    case 'requirement_missing':
    case 'obligation_unsupported':
    case 'denied_by_rule':
    case 'suspended':
    case 'malformed_call':
    case 'no_policy':
    case 'approval_refused':
      return 'warning'
    default:
      return unreachable(code)
  }
}

function requested(
  record: DecisionRecord,
  opens: NonNullable<DecisionRecord['opens']>,
): ApprovalRequestedNotice {
  return {
    kind: 'approval.requested',
    severity: 'info',
    index: record.index,
    at: record.at,
    ...actor(record),
    title: `${name(record.agent)} asks for approval of ${name(record.action)} by ${opens.deadline}`,
    data: {
      approval: opens.id,
      decision: record.id,
      ...actor(record),
      reasons: bounded(toldReasons(record.reasons, null), noticeTextLengthMax),
      routes: bounded(opens.terms.routes),
      quorum: opens.terms.quorum,
      deadline: opens.deadline,
    },
  }
}

function reminder(record: ReminderRecord): ApprovalReminderNotice {
  const asks = bounded(record.asks)
  const what =
    asks.length === 0 ? 'still waits for approval of' : 'waits, and others are asked, for approval of'
  return {
    kind: 'approval.reminder',
    severity: 'info',
    index: record.index,
    at: record.at,
    ...actor(record),
    title: `${name(record.agent)} ${what} ${name(record.action)}`,
    data: { approval: record.approval, ...actor(record), asks },
  }
}

function expired(record: ExpiryRecord): ApprovalExpiredNotice {
  return {
    kind: 'approval.expired',
    severity: 'warning',
    index: record.index,
    at: record.at,
    ...actor(record),
    title: `The approval of ${name(record.action)} by ${name(record.agent)} expired unanswered, which denies it`,
    data: { approval: record.approval, ...actor(record) },
  }
}

function ofBrokenGlass({ index, at, approval, status, breakGlass }: VoteRecord): readonly BreakGlassNotice[] {
  if (breakGlass !== true) return []
  const title =
    status === 'approved'
      ? `Approval ${approval} was given by breaking the glass`
      : `Somebody breaks the glass for approval ${approval}`
  const data = { approval, status }
  return [
    { kind: 'approval.break_glass', severity: 'critical', index, at, agent: null, action: null, title, data },
  ]
}

function ofVote(record: VoteRecord): readonly ApprovalDecidedNotice[] {
  switch (record.status) {
    case 'approved':
    case 'rejected':
      return [
        {
          kind: 'approval.decided',
          severity: 'info',
          index: record.index,
          at: record.at,
          agent: null,
          action: null,
          title: `Approval ${record.approval} was ${record.status}${grantText(record.grant)}`,
          data: {
            approval: record.approval,
            status: record.status,
            ...(record.grant === undefined ? {} : { grant: record.grant }),
          },
        },
      ]
    // The vote was one of several that the quorum needs, or came too late to change anything.
    case 'pending':
    case 'expired':
    case 'cancelled':
    case 'consumed':
      return []
    default:
      return unreachable(record.status)
  }
}

function grantText(grant: RecordedStanding | undefined): string {
  if (grant === undefined) return ''
  return `, and up to ${grant.uses} more calls like it until ${grant.until}`
}

function cancelled({ index, at, approval, ...record }: CancellationRecord): ApprovalDecidedNotice {
  return {
    kind: 'approval.decided',
    severity: 'info',
    index,
    at,
    ...actor(record),
    title: `Approval ${approval} was cancelled`,
    data: { approval, status: 'cancelled' },
  }
}

function actor(record: { readonly agent: string; readonly action: string }) {
  return { agent: shortened(record.agent, nameLengthMax), action: shortened(record.action, nameLengthMax) }
}

function bounded(items: readonly string[], lengthMax = nameLengthMax): readonly string[] {
  return items.slice(0, noticeItemsMax).map((item) => shortened(item, lengthMax))
}

/** The agent names itself and the action, so neither may bring in a line of its own. */
function name(text: string): string {
  return `\`${oneLine(shortened(text, nameLengthMax))}\``
}

function oneLine(text: string): string {
  return shortened(text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' '), noticeTextLengthMax)
}

/** At most `lengthMax` code units, never half of a surrogate pair; an ellipsis says that something is missing. */
function shortened(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text
  return `${text.slice(0, lengthMax - 1).replace(/[\uD800-\uDBFF]$/, '')}…`
}
