import type { JsonObject } from '../model/json.ts'
import { decisionId } from '../model/ids.ts'
import { unreachable } from '../model/fault.ts'
import type { Notice } from './notice.ts'

/** Where people find what a notice is about. */
export interface NoticeLinks {
  /** The address under which people reach the console, such as `https://bailiwick.example.com`. */
  readonly consoleUrl: string
}

/**
 * What a webhook receives: `type`, `timestamp` (of the event, not of the delivery) and `data`, as the
 * Standard Webhooks specification advises. The notice's id and the signature travel as headers.
 *
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export function webhookBody(notice: Notice, links: NoticeLinks): JsonObject {
  return {
    type: `bailiwick.${notice.kind}`,
    timestamp: notice.at,
    data: {
      ...notice.data,
      title: notice.title,
      severity: notice.severity,
      record: { index: notice.index },
      url: noticeUrl(notice, links),
    },
  }
}

/** The console's page about what the notice tells. */
export function noticeUrl(notice: Notice, links: NoticeLinks): string {
  const base = links.consoleUrl.replace(/\/+$/, '')
  switch (notice.kind) {
    case 'violation.denied':
    case 'violation.shadowed':
    case 'obligation.notify':
      return `${base}/decisions/${decisionId(notice.index)}`
    case 'approval.requested':
    case 'approval.reminder':
    case 'approval.break_glass':
    case 'approval.expired':
    case 'approval.decided':
      return `${base}/approvals/${notice.data.approval}`
    case 'agent.suspension':
      return `${base}/decisions`
    case 'log.broken':
      return `${base}/`
    default:
      return unreachable(notice)
  }
}
