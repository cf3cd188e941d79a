import { slackLink, slackPlain, slackText, type ApprovalView, type JsonObject } from '@bailiwick/core'
import {
  approvalWords,
  memberLines,
  statusWords,
  takesVotesOver,
  type ApprovalWords,
  type ShownApproval,
} from './approval-words.ts'

const headerLengthMax = 150
const sectionLengthMax = 3000

/** The answers that buttons stand for, by the buttons' `action_id`. */
export const slackChoices = {
  'bailiwick.approve': 'approve',
  'bailiwick.acknowledge': 'acknowledge',
  'bailiwick.reject': 'reject',
} as const

/** What a button says of the approval that it belongs to: its id, and the digest of what the person was shown. */
export interface SlackButton {
  readonly approval: string
  readonly digest: string
}

/** Where a message stands, and which delivery it came from. */
export interface SlackPlace {
  readonly channel: string
  readonly ts: string
  readonly message: string
}

/** Places as the channel's store keeps them. */
export function placesIn(posts: readonly string[]): SlackPlace[] {
  return posts.map((text) => JSON.parse(text) as SlackPlace)
}

/**
 * A message about an approval in Block Kit, as it stands: with buttons while it waits for answers that may be given in
 * Slack and can let it through, with what became of it afterwards. Texts from agents are plain text, never markup.
 *
 * @see https://docs.slack.dev/reference/block-kit
 */
export function slackMessage(approval: ShownApproval, isReminder = false): JsonObject {
  const words = approvalWords(approval)
  const waits = approval.status === 'pending' && words.voided === undefined
  const heading = waits
    ? isReminder
      ? 'Still waiting for an answer'
      : headingOf(approval)
    : statusWords(approval)
  return {
    // What notifications show, and readers without blocks.
    text: slackText(
      waits ? `${heading}: ${words.headline}, by ${words.deadline}` : `${heading}: ${words.headline}`,
      sectionLengthMax,
    ),
    unfurl_links: false,
    unfurl_media: false,
    blocks: [
      { type: 'header', text: slackPlain(heading, headerLengthMax) },
      { type: 'section', text: slackPlain(words.title, sectionLengthMax) },
      ...section(memberLines(words.params)),
      ...contextBlock(words),
      ...section(words.reasons.map((reason) => `• ${reason}`)),
      ...section(words.voided === undefined ? [] : [words.voided]),
      ...(waits ? waitingBlocks(approval, words) : []),
      ...section(waits && words.count !== '' ? [words.count] : []),
      {
        type: 'section',
        text: { type: 'mrkdwn', text: slackLink(approval.url, 'Open in Bailiwick'), verbatim: true },
      },
    ],
  }
}

function headingOf({ terms }: ApprovalView): string {
  return terms.asks === 'acknowledgement' ? 'Please look at this' : 'Approval needed'
}

function contextBlock({ context }: ApprovalWords): readonly JsonObject[] {
  const lines = memberLines(context)
  return lines.length === 0 ? [] : section(['Context, given by the host that runs the agent:', ...lines])
}

function section(lines: readonly string[]): readonly JsonObject[] {
  return lines.length === 0 ? [] : [{ type: 'section', text: slackPlain(lines.join('\n'), sectionLengthMax) }]
}

function waitingBlocks(approval: ApprovalView, words: ApprovalWords): readonly JsonObject[] {
  const by = section([`Answer by ${words.deadline}. ${words.ask}`])
  if (approval.terms.signed === true) {
    return [
      ...by,
      ...section(['This one takes a signed vote, which Slack cannot give: answer it in Bailiwick.']),
    ]
  }
  if (!takesVotesOver(approval.terms, 'slack')) {
    return [...by, ...section(['The policy takes no answer to this one in Slack: answer it in Bailiwick.'])]
  }
  const agree = approval.terms.asks === 'acknowledgement' ? 'acknowledge' : 'approve'
  const value = JSON.stringify({ approval: approval.id, digest: approval.digest } satisfies SlackButton)
  return [
    ...by,
    {
      type: 'actions',
      // Neither is styled as the one to press.
      elements: [
        button(`bailiwick.${agree}`, agree === 'approve' ? 'Approve' : 'I have looked', value, words),
        button('bailiwick.reject', 'Reject', value, words),
      ],
    },
  ]
}

function button(actionId: string, label: string, value: string, words: ApprovalWords): JsonObject {
  return {
    type: 'button',
    action_id: actionId,
    text: slackPlain(label, 75),
    value,
    confirm: {
      title: slackPlain(`${label}?`, 100),
      text: slackPlain(
        `${words.headline}. Your answer is recorded under your name and cannot be undone.`,
        300,
      ),
      confirm: slackPlain(label, 30),
      deny: slackPlain('Cancel', 30),
    },
  }
}
