import {
  unreachable,
  type ApprovalTerms,
  type ApprovalView,
  type Json,
  type JsonObject,
  type VoteChannel,
} from '@bailiwick/core'
import {
  callLeaves,
  isAmount,
  mainLeaves,
  reasonText,
  timeWords,
  type CallLeaf,
  type Presentation,
} from '@bailiwick/core/words'

/** How many parameters a message shows, and how much of the context; the console has it all. */
const paramsShownMax = 20
const contextShownMax = 10
const amountsShownMax = 3
const valueLengthMax = 300
const reasonsShownMax = 10

// A message is read by several people, so its times are those of no one of them.
const times = timeWords('UTC')

/** An approval as people may see it: masked, with the units of its numbers. */
export type ShownApproval = ApprovalView & Presentation

/** A member of a call, as it is to be shown. */
export interface MemberWords {
  readonly name: string
  readonly value: string
  /** Where the value says what is, and is none itself: hidden, or empty. */
  readonly isRemark: boolean
}

/** So many members of a call, and how many there are beside those. */
export interface MembersWords {
  readonly shown: readonly MemberWords[]
  readonly left: number
}

/** What a person is asked, in words. Whatever came from outside has its invisible characters made visible. */
export interface ApprovalWords {
  /** One sentence: who asks, and for what. */
  readonly title: string
  /** The title and the parameters that have a unit or a currency, for where there is room for one line. */
  readonly headline: string
  /** What is wanted of the person. */
  readonly ask: string
  /** Why no answer lets it through any more; undefined where one may. */
  readonly voided: string | undefined
  /** The parameters, member by member, in the words of the console. */
  readonly params: MembersWords
  /** What the host that runs the agent says of the call, without what is masked or empty. */
  readonly context: MembersWords
  /** Why people are asked: the reasons, and the rules that ask. */
  readonly reasons: readonly string[]
  /** Until when, in UTC. */
  readonly deadline: string
  /** How many people have to answer so, and how many have. */
  readonly count: string
}

/** An approval in words. */
export function approvalWords(approval: ShownApproval): ApprovalWords {
  const { agent, action, params, context, reasons, terms, votes, deadline } = approval
  const acknowledges = terms.asks === 'acknowledgement'
  const verb = acknowledges ? 'looked' : 'agreed'
  const answered = votes.filter(({ vote }) => vote !== 'reject').length
  const leavesOf = (data: Json, root: string) => [...callLeaves(objectOf(data), approval, root).values()]
  const told = leavesOf(context, '/context').filter(({ kind }) => kind !== 'masked' && kind !== 'absent')
  const paramLeaves = leavesOf(params, '/params')
  const title = `${visible(agent)} asks to run ${visible(action)}`
  return {
    title,
    headline: [title, ...amountsIn(paramLeaves)].join(': '),
    ask: acknowledges
      ? 'Somebody has to look at it before it runs.'
      : 'It runs only if it is approved in time.',
    voided: voidedText(approval),
    params: membersWords(paramLeaves, paramsShownMax),
    context: membersWords(told, contextShownMax),
    reasons: [...reasons.map((reason) => reasonText(reason)), ...conditionsOf(approval)]
      .slice(0, reasonsShownMax)
      .map((reason) => cut(visible(reason), valueLengthMax)),
    deadline: times.minute(deadline),
    count: terms.quorum === 1 ? '' : `${answered} of ${terms.quorum} people have ${verb}`,
  }
}

/** What the rules that ask people say, each once, as the policy has it. */
function conditionsOf({ rules }: ApprovalView): readonly string[] {
  const conditions = rules.flatMap(({ effect, condition, shadow }) =>
    effect === 'escalate' && shadow !== true && condition !== undefined ? [condition] : [],
  )
  return [...new Set(conditions)].map((condition) => `By the rule: ${condition}`)
}

/** Members as lines of a message, the last one saying how many are left out. */
export function memberLines({ shown, left }: MembersWords): readonly string[] {
  const lines = shown.map(({ name, value }) => `${name}: ${value}`)
  return left > 0 ? [...lines, `and ${left} more`] : lines
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
      return approval.voidedBy === undefined ? 'Waiting for an answer' : 'Void: the policy has changed'
    case 'approved':
    case 'consumed': {
      const word = approval.terms.asks === 'acknowledgement' ? 'Looked at' : 'Approved'
      const used = approval.status === 'consumed' ? ', and the call was let through' : ''
      const voided = approval.voidedBy === undefined ? '' : ', but void: the policy has changed'
      return `${word} by ${people(['approve', 'acknowledge']).join(', ')}${used}${voided}`
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

function voidedText({ agent, status, voidedBy }: ApprovalView): string | undefined {
  if (voidedBy === undefined) return undefined
  const denied =
    status === 'pending' ? 'Whatever is answered, the call is denied' : 'The call is denied all the same'
  return `The policy of ${visible(agent)} has changed since this was asked. ${denied}; the agent has to ask again.`
}

function membersWords(leaves: readonly CallLeaf[], countMax: number): MembersWords {
  const { shown, left } = mainLeaves(leaves, countMax)
  const words = shown.map(({ label, kind, value }) => ({
    name: cut(visible(label), 80),
    value: cut(visible(lineOf(kind, value)), valueLengthMax),
    isRemark: kind === 'masked' || kind === 'absent',
  }))
  return { shown: words, left }
}

/** One text, or none. */
function amountsIn(leaves: readonly CallLeaf[]): readonly string[] {
  const { shown, left } = membersWords(leaves.filter(isAmount), amountsShownMax)
  const amounts = shown.map(({ name, value }) => `${name} ${value}`)
  if (amounts.length === 0) return []
  return [[...amounts, ...(left > 0 ? [`${left} more`] : [])].join(', ')]
}

function lineOf(kind: CallLeaf['kind'], value: string): string {
  // As it was sent, too: what a day or an hour is depends on where one reads it.
  if (kind === 'date') return `${times.read(value)} (${value})`
  // Its line breaks are layout: those of texts in it are written out.
  return kind === 'json' ? value.replaceAll(/\n */g, ' ') : value
}

function objectOf(data: Json): JsonObject | null {
  return data === null || typeof data !== 'object' || Array.isArray(data) ? null : (data as JsonObject)
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
