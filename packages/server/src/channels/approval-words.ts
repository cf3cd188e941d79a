import {
  unreachable,
  type ApprovalTerms,
  type ApprovalView,
  type Json,
  type VoteChannel,
} from '@bailiwick/core'

/** How many parameters a message shows; the console has them all. */
const paramsShownMax = 20
const valueLengthMax = 300
const reasonsShownMax = 10

/** What a person is asked, in words. Whatever came from outside has its invisible characters made visible. */
export interface ApprovalWords {
  /** One sentence: who asks, and for what. */
  readonly title: string
  /** What is wanted of the person. */
  readonly ask: string
  /** The parameters, name by name, as they are to be shown. */
  readonly params: readonly { readonly name: string; readonly value: string }[]
  /** How many parameters there are beside those. */
  readonly paramsLeft: number
  readonly reasons: readonly string[]
  /** Until when, in UTC. */
  readonly deadline: string
  /** How many people have to answer so, and how many have. */
  readonly count: string
}

/**
 * An approval in words.
 *
 * @param approval masked already for those who read the words
 */
export function approvalWords(approval: ApprovalView): ApprovalWords {
  const { agent, action, params, reasons, terms, votes, deadline } = approval
  const acknowledges = terms.asks === 'acknowledgement'
  const flat = flatParams(params)
  const verb = acknowledges ? 'looked' : 'agreed'
  const answered = votes.filter(({ vote }) => vote !== 'reject').length
  return {
    title: `${visible(agent)} asks to run ${visible(action)}`,
    ask: acknowledges
      ? 'Somebody has to look at it before it runs.'
      : 'It runs only if it is approved in time.',
    params: flat.slice(0, paramsShownMax),
    paramsLeft: Math.max(0, flat.length - paramsShownMax),
    reasons: reasons.slice(0, reasonsShownMax).map((reason) => cut(visible(reason), valueLengthMax)),
    deadline: timeText(deadline),
    count: terms.quorum === 1 ? '' : `${answered} of ${terms.quorum} people have ${verb}`,
  }
}

/** Whether the policy takes votes over a channel. */
export function takesVotesOver({ channels }: ApprovalTerms, channel: VoteChannel): boolean {
  return channels?.includes(channel) ?? true
}

/** What became of an approval, in a few words. */
export function statusWords(approval: ApprovalView): string {
  const people = (choices: readonly string[]) =>
    approval.votes.filter(({ vote }) => choices.includes(vote)).map(({ person }) => visible(person))
  switch (approval.status) {
    case 'pending':
      return 'Waiting for an answer'
    case 'approved':
    case 'consumed': {
      const word = approval.terms.asks === 'acknowledgement' ? 'Looked at' : 'Approved'
      const used = approval.status === 'consumed' ? ', and the call was let through' : ''
      return `${word} by ${people(['approve', 'acknowledge']).join(', ')}${used}`
    }
    case 'rejected':
      return `Rejected by ${people(['reject']).join(', ')}`
    case 'expired':
      return 'Expired without enough answers, which denies it'
    case 'cancelled':
      return 'Cancelled, which denies it'
    default:
      return unreachable(approval.status)
  }
}

function flatParams(params: Json): { readonly name: string; readonly value: string }[] {
  if (params === null || typeof params !== 'object' || Array.isArray(params)) return []
  return Object.entries(params).map(([name, value]) => ({
    name: cut(visible(name), 80),
    value: cut(visible(typeof value === 'string' ? value : JSON.stringify(value)), valueLengthMax),
  }))
}

/** Controls, direction marks and what takes no room: they would let a text look like another. */
const deceptive = /[\p{Cc}\p{Default_Ignorable_Code_Point}\p{Bidi_Control}\u2028\u2029\ufff9-\ufffb\p{Cs}]/gu

/** Outside text on one line, with every character that people cannot see made visible, as in `\u{202e}`. */
function visible(text: string): string {
  return text.replace(deceptive, (character) => `\\u{${character.codePointAt(0)?.toString(16) ?? ''}}`)
}

function cut(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text
  return `${text.slice(0, lengthMax - 1).replace(/[\uD800-\uDBFF]$/, '')}…`
}

/** `2026-03-01 09:05 UTC`. */
function timeText(at: string): string {
  return `${at.slice(0, 10)} ${at.slice(11, 16)} UTC`
}
