import {
  Fault,
  indexOfId,
  type ApprovalView,
  type ClaimedMessage,
  type Instant,
  type OutboxMessage,
} from '@bailiwick/core'
import type { ChannelStore } from '@bailiwick/store'
import { createTransport } from 'nodemailer'
import type { Attempt, Sender } from '../delivery/deliver.ts'
import { eventOf, eventText } from './approval-events.ts'
import {
  approvalWords,
  memberLines,
  takesVotesOver,
  type MembersWords,
  type ShownApproval,
} from './approval-words.ts'
import type { MailSettings } from './settings.ts'

/** How long one step of talking to the mail server may take. */
const stepMs = 10_000

/** What the channel needs. */
export interface MailChannelParts {
  readonly settings: MailSettings
  readonly store: Pick<ChannelStore, 'makeMailLink' | 'forgetMailLinks'>
  /** As the person sees it. @throws Fault `not_found` */
  readonly approval: (id: string, person: string) => Promise<ShownApproval>
  /** The addresses of those who could answer now. */
  readonly entitled: (id: string) => Promise<readonly string[]>
  /** Adds to the outbox; what is there already stays as it is. */
  readonly enqueue: (messages: readonly OutboxMessage[]) => Promise<void>
  /** The address under which people reach the service, without a slash at the end. */
  readonly url: string
  readonly now: () => Instant
}

/**
 * Sends requests by e-mail, to everybody by themselves. Each has a link of its own, which opens a page; nothing is
 * recorded before somebody answers there. Of an approval that has been decided meanwhile nobody is asked.
 */
export function mailSender(parts: MailChannelParts): Sender {
  const { host, port, tls, user, password } = parts.settings
  const transport = createTransport({
    host,
    port,
    secure: tls === 'implicit',
    requireTLS: tls === 'required',
    ignoreTLS: tls === 'none',
    ...(user === undefined ? {} : { auth: { user, pass: password ?? '' } }),
    connectionTimeout: stepMs,
    greetingTimeout: stepMs,
    socketTimeout: stepMs,
    // Nothing of a message names a file or an address to be read.
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  return {
    atOnce: 4,
    // Looking up, connecting, greeting and sending may take a step each.
    leaseMs: 6 * stepMs,
    send: (message) => sendMail(parts, message, (mail) => transport.sendMail(mail)),
  }
}

/**
 * Makes of a message to nobody one for each of those who could answer now. Whoever is asked as well later has the same
 * message as those who were asked first, under the index of the approval: so everybody is asked once.
 */
async function addressed(parts: MailChannelParts, message: ClaimedMessage, id: string): Promise<Attempt> {
  const reminds = eventOf(message.body).kind === 'reminded'
  const index = reminds ? message.index : (indexOfId('apr', id) ?? 0)
  const event = { kind: reminds ? ('reminded' as const) : ('requested' as const), approval: id }
  // Now and then, and best here, where links are about to be made.
  await parts.store.forgetMailLinks(parts.now())
  const recipients = await parts.entitled(id)
  await parts.enqueue(
    recipients.map((recipient) => ({
      target: message.target,
      recipient,
      index,
      kind: `approval.${event.kind}`,
      body: eventText(event),
    })),
  )
  return { kind: 'accepted' }
}

async function linkFor(parts: MailChannelParts, approval: ShownApproval, person: string): Promise<string> {
  const token = await parts.store.makeMailLink({
    approval: indexOfId('apr', approval.id) ?? 0,
    digest: approval.digest,
    person,
    expiresAt: Date.parse(approval.deadline) as Instant,
  })
  return `${parts.url}/v1/channels/email/${token}`
}

/** Whether the approval waits for the person whose view it is: for their own answer, or for one in the stead of others. */
export function mayAnswer({ mayVote, mayVoteFor = [] }: ApprovalView): boolean {
  return mayVote || mayVoteFor.length > 0
}

interface Mail {
  readonly from: string
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly messageId: string
  readonly headers: Readonly<Record<string, string>>
}

async function sendMail(
  parts: MailChannelParts,
  message: ClaimedMessage,
  send: (mail: Mail) => Promise<unknown>,
): Promise<Attempt> {
  const { kind, approval: id } = eventOf(message.body)
  const person = message.recipient
  const approval = await found(parts, id, person)
  if (approval?.status !== 'pending') return { kind: 'accepted' }
  if (person === '') return await addressed(parts, message, id)
  // Who has answered, or may not any more, is neither asked nor reminded.
  if (!mayAnswer(approval)) return { kind: 'accepted' }
  // Nobody is reminded of what no answer lets through.
  if (kind === 'reminded' && approval.voidedBy !== undefined) return { kind: 'accepted' }
  // In somebody's stead people answer in the console only.
  const takesVotes =
    approval.voidedBy === undefined &&
    approval.mayVote &&
    takesVotesOver(approval.terms, 'email') &&
    approval.terms.signed !== true
  const link = takesVotes ? await linkFor(parts, approval, person) : undefined
  try {
    await send(mailOf(parts, message, approval, link, kind === 'reminded'))
    return { kind: 'accepted' }
  } catch (error) {
    // The code and the server's number only: what else it says may repeat addresses or a password.
    const { code, responseCode } = error as { readonly code?: unknown; readonly responseCode?: unknown }
    const why = [code, responseCode]
      .filter((part) => typeof part === 'string' || typeof part === 'number')
      .join(' ')
    const isFinal = responseCode === 550 || responseCode === 553
    return {
      kind: 'refused',
      error: `the mail server did not take it${why === '' ? '' : `: ${why}`}`,
      isFinal,
    }
  }
}

function mailOf(
  { settings, url }: MailChannelParts,
  message: ClaimedMessage,
  approval: ShownApproval,
  link: string | undefined,
  isReminder: boolean,
): Mail {
  const words = approvalWords(approval)
  const lines = [
    `${words.title}.`,
    '',
    ...partLines('Parameters, chosen by the agent:', words.params),
    ...partLines('Context, given by the host that runs the agent:', words.context),
    'Why it was held:',
    ...words.reasons.map((reason) => `  ${reason}`),
    '',
    ...(words.voided === undefined
      ? [
          `Answer by ${words.deadline}. ${words.ask} No answer is a no.`,
          ...(words.count === '' ? [] : [`${words.count}.`]),
          ...steadLines(approval),
        ]
      : [words.voided]),
    '',
    ...(link === undefined
      ? [whyInConsole(approval), approval.url]
      : [
          'To look at it and answer, open this page. Opening it decides nothing.',
          link,
          '',
          settings.votes === 'session'
            ? 'Your answer is taken where you are signed in to the console in the same browser.'
            : 'The link is yours alone: whoever has it can answer in your name until then. Do not pass this message on.',
          `The same in the console: ${approval.url}`,
        ]),
  ]
  return {
    from: settings.from,
    to: message.recipient,
    // With plain spaces, and so mostly in plain ASCII.
    subject: `${isReminder ? 'Reminder: ' : ''}${words.headline.replaceAll('\u00a0', ' ')} (${words.voided === undefined ? `answer by ${words.deadline}` : 'void'})`,
    text: `${lines.join('\n')}\n`,
    // The same for every attempt, so that a second copy can be told.
    messageId: `<${message.id}@${new URL(url).hostname}>`,
    headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
  }
}

function whyInConsole({ terms, mayVote, voidedBy }: ShownApproval): string {
  if (voidedBy !== undefined) return 'See it in the console:'
  if (terms.signed === true) {
    return 'This one takes a vote that is signed with a passkey. Answer it in the console:'
  }
  return mayVote
    ? 'The policy takes no answer to this one by e-mail. Answer it in the console:'
    : 'Answers in the stead of others are given in the console:'
}

function steadLines({ mayVoteFor = [] }: ShownApproval): readonly string[] {
  if (mayVoteFor.length === 0) return []
  return [`In the console you may answer it in the stead of ${mayVoteFor.join(', ')}.`]
}

function partLines(title: string, members: MembersWords): readonly string[] {
  const lines = memberLines(members)
  return lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`), '']
}

async function found(
  parts: MailChannelParts,
  id: string,
  person: string,
): Promise<ShownApproval | undefined> {
  try {
    return await parts.approval(id, person)
  } catch (error) {
    if (error instanceof Fault && error.code === 'not_found') return undefined
    throw error
  }
}
