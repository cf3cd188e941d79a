import type { BrokenLog } from '../audit/range-check.ts'
import { unreachable } from '../model/fault.ts'
import type {
  CancellationRecord,
  ExpiryRecord,
  LogRecord,
  RecordedStanding,
  ReminderRecord,
  SuspensionRecord,
  VoteRecord,
} from '../model/record.ts'
import { noticesOfDecision } from './decision-notices.ts'
import type {
  ApprovalDecidedNotice,
  ApprovalExpiredNotice,
  ApprovalReminderNotice,
  BreakGlassNotice,
  LogBrokenNotice,
  Notice,
  SuspensionNotice,
} from './notice.ts'
import { actor, bounded, named, oneLine } from './notice-text.ts'

/** The notices that a record causes, of each kind at most one. Depends on nothing but the record, so reading it again is harmless. */
export function noticesOf(record: LogRecord): readonly Notice[] {
  switch (record.kind) {
    case 'decision':
      return noticesOfDecision(record)
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
    case 'sealing':
    case 'archive':
    case 'hold':
    case 'read':
    case 'key':
      return []
    default:
      return unreachable(record)
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

function suspension({ agent, at, index, state }: SuspensionRecord): SuspensionNotice {
  const who = agent === '*' ? 'Every agent' : `The agent ${named(agent)}`
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
    title: `${named(record.agent)} ${what} ${named(record.action)}`,
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
    title: `The approval of ${named(record.action)} by ${named(record.agent)} expired unanswered, which denies it`,
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
