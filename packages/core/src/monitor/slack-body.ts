import type { JsonObject } from '../model/json.ts'
import { unreachable } from '../model/fault.ts'
import type { ApprovalDecidedNotice, Notice } from './notice.ts'
import type { NoticeLinks } from './webhook-body.ts'
import { slackLink, slackPlain, slackText } from './slack-text.ts'
import { noticeUrl } from './webhook-body.ts'

/** Slack's bounds, in characters after escaping: a message's `text`, a header, a section, a section's field. */
const messageLengthMax = 4000
const headerLengthMax = 150
const sectionLengthMax = 3000
const fieldLengthMax = 2000
/** How many reasons a message shows; the console has them all. */
const reasonsShownMax = 10

/**
 * What Slack's incoming webhooks take: `text` for notifications, and blocks. Texts from agents and policies
 * are plain text, never markup, so none can mention people or disguise a link.
 *
 * @see https://docs.slack.dev/reference/block-kit/blocks
 */
export function slackBody(notice: Notice, links: NoticeLinks): JsonObject {
  const details = detailsOf(notice)
  const fields = [
    ...field('Agent', notice.agent),
    ...field('Action', notice.action),
    ...details.fields,
    ...field('Record', String(notice.index)),
  ]
  return {
    text: slackText(notice.title, messageLengthMax),
    unfurl_links: false,
    unfurl_media: false,
    blocks: [
      { type: 'header', text: slackPlain(details.heading, headerLengthMax) },
      { type: 'section', text: slackPlain(notice.title, sectionLengthMax) },
      { type: 'section', fields },
      ...reasonsBlock(details.reasons),
      {
        type: 'section',
        text: {
          type: 'mrkdwn',
          text: slackLink(noticeUrl(notice, links), 'Open in Bailiwick'),
          verbatim: true,
        },
      },
    ],
  }
}

interface Details {
  readonly heading: string
  readonly fields: readonly JsonObject[]
  readonly reasons: readonly string[]
}

function detailsOf(notice: Notice): Details {
  switch (notice.kind) {
    case 'violation.denied':
      return {
        heading: notice.severity === 'critical' ? 'Call denied (critical)' : 'Call denied',
        fields: [...field('Code', notice.data.code), ...field('Approval', notice.data.approval)],
        reasons: notice.data.reasons,
      }
    case 'violation.shadowed':
      return {
        heading: 'Shadow mode: call would have been stopped',
        fields: field('Would have been', notice.data.effect === 'deny' ? 'denied' : 'escalated'),
        reasons: notice.data.reasons,
      }
    case 'obligation.notify':
      return {
        heading: 'Call allowed',
        fields: field('For', notice.data.channels.join(', ')),
        reasons: [],
      }
    case 'approval.requested':
    case 'approval.reminder':
    case 'approval.break_glass':
    case 'approval.expired':
    case 'approval.decided':
      return approvalDetails(notice)
    case 'agent.suspension':
      return {
        heading: notice.data.state === 'suspended' ? 'Agent suspended' : 'Agent resumed',
        fields: [],
        reasons: [],
      }
    case 'log.broken':
      return {
        heading: 'Log broken',
        fields: field('Ledger', notice.data.ledger),
        reasons: [notice.data.fix],
      }
    default:
      return unreachable(notice)
  }
}

function grantFields({ grant }: Extract<Notice, { readonly kind: 'approval.decided' }>['data']) {
  return grant === undefined ? [] : field('And more like it', `${grant.uses}, until ${grant.until}`)
}

function approvalDetails(notice: Extract<Notice, { readonly kind: `approval.${string}` }>): Details {
  switch (notice.kind) {
    case 'approval.requested':
      return {
        heading: 'Approval needed',
        fields: requestedFields(notice),
        reasons: notice.data.reasons,
      }
    case 'approval.reminder':
      return {
        heading:
          notice.data.asks.length === 0 ? 'Approval still needed' : 'Approval needed: others are asked',
        fields: [
          ...field('Approval', notice.data.approval),
          ...field('Also asked', notice.data.asks.join(', ')),
        ],
        reasons: [],
      }
    case 'approval.break_glass':
      return {
        heading: 'Glass broken',
        fields: [...field('Approval', notice.data.approval), ...field('Now', notice.data.status)],
        reasons: [],
      }
    case 'approval.expired':
      return { heading: 'Approval expired', fields: field('Approval', notice.data.approval), reasons: [] }
    case 'approval.decided':
      return {
        heading: decidedHeadings[notice.data.status],
        fields: [...field('Approval', notice.data.approval), ...grantFields(notice.data)],
        reasons: [],
      }
    default:
      return unreachable(notice)
  }
}

const decidedHeadings: Readonly<Record<ApprovalDecidedNotice['data']['status'], string>> = {
  approved: 'Approval given',
  rejected: 'Approval rejected',
  cancelled: 'Approval cancelled',
}

function requestedFields(notice: Extract<Notice, { kind: 'approval.requested' }>): readonly JsonObject[] {
  return [
    ...field('Approval', notice.data.approval),
    ...field('Answer by', notice.data.deadline),
    ...field('Route', notice.data.routes.join(', ')),
    ...field('Approvals needed', String(notice.data.quorum)),
  ]
}

function reasonsBlock(reasons: readonly string[]): readonly JsonObject[] {
  if (reasons.length === 0) return []
  const left = reasons.length - reasonsShownMax
  const lines = reasons.slice(0, reasonsShownMax).map((reason) => `• ${reason}`)
  if (left > 0) lines.push(`and ${left} more`)
  return [{ type: 'section', text: slackPlain(lines.join('\n'), sectionLengthMax) }]
}

/** One field, or none where there is nothing to show: Slack refuses empty texts. */
function field(label: string, value: string | null): readonly JsonObject[] {
  return value === null || value === '' ? [] : [slackPlain(`${label}: ${value}`, fieldLengthMax)]
}
