import {
  approvalId,
  commentLengthMax,
  Fault,
  type Instant,
  type VoteChoice,
  type Voter,
} from '@bailiwick/core'
import type { Asking, ChannelStore, MailLink } from '@bailiwick/store'
import { takesVotesOver, type ShownApproval } from './approval-words.ts'
import type { MailPage } from './mail-page.ts'

/** What answering by a link needs. */
export interface MailVoteParts {
  readonly store: Pick<ChannelStore, 'mailLink' | 'useMailLink' | 'giveMailLinkBack'>
  /** The person as known now, with the roles of now. */
  readonly person: (id: string) => Promise<Voter | undefined>
  /** As people see it. */
  readonly approval: (id: string, voter: Voter) => Promise<ShownApproval>
  readonly vote: (
    voter: Asking,
    id: string,
    request: { readonly vote: VoteChoice; readonly digest: string; readonly comment: string },
  ) => Promise<string>
  /** The person of a session, where one came with the request. */
  readonly signedIn: (session: string) => Promise<Asking | undefined>
  readonly votes: 'link' | 'session'
  readonly now: () => Instant
}

/** What somebody sent from the page. */
export interface MailAnswer {
  readonly vote: string
  readonly digest: string
  readonly comment: string
  /** The session cookie, where there is one. */
  readonly session: string | undefined
}

/**
 * What the page of a link shows. Looking votes nothing and uses nothing up: programs that read mail follow links before people do.
 *
 * @throws Fault `not_found` for what is no link, or one that has ended with its person's sessions, or whose person is not known any more
 */
export async function lookAtMailLink(parts: MailVoteParts, token: string): Promise<MailPage> {
  const { link, voter } = await linkOf(parts, token)
  return await pageOf(parts, link, voter)
}

/**
 * Casts the vote that somebody sent from the page, by the same operation as every vote. The link is used up by a vote
 * that is recorded, and by no other.
 *
 * @throws Fault as voting does, and where a session is wanted `not_authenticated` without one that goes on, and
 *   `not_permitted` with that of somebody else
 */
export async function answerMailLink(
  parts: MailVoteParts,
  token: string,
  answer: MailAnswer,
): Promise<MailPage> {
  const { link, voter } = await linkOf(parts, token)
  const vote = choiceOf(answer.vote)
  if (answer.digest !== link.digest) {
    throw new Fault('conflict', 'the page was of another request', {
      fix: 'Open the link in the message again.',
    })
  }
  const session = parts.votes === 'session' ? await ownSession(parts, voter, answer.session) : undefined
  if (!(await parts.store.useMailLink(token, parts.now()))) {
    throw new Fault('approval_closed', 'the link has been used, or its time has run out', {
      fix: 'See in the console what became of it.',
    })
  }
  const comment = answer.comment.replaceAll('\r\n', '\n')
  try {
    await parts.vote({ ...voter, session }, approvalId(link.approval), { vote, digest: link.digest, comment })
  } catch (error) {
    // A crash before this leaves a link that is used up without a vote; the console still takes it.
    await parts.store.giveMailLinkBack(token)
    throw error
  }
  const page = await pageOf(parts, { ...link, used: true }, voter)
  return { ...page, note: { text: `Recorded: ${answerWords[vote]}. Thank you; you can close this page.` } }
}

const answerWords: Readonly<Record<VoteChoice, string>> = {
  approve: 'you approved',
  acknowledge: 'you have looked at it',
  reject: 'you rejected it',
}

async function linkOf(
  { store, person }: MailVoteParts,
  token: string,
): Promise<{ readonly link: MailLink; readonly voter: Voter }> {
  const link = /^[A-Za-z0-9_-]{43}$/.test(token) ? await store.mailLink(token) : undefined
  const voter = link === undefined ? undefined : await person(link.person)
  if (link === undefined || voter === undefined) {
    throw new Fault('not_found', 'this link is not valid, or has ended', {
      fix: 'Links end when a passkey of yours is removed, your password or second factor changes, or somebody ends all of your sessions. Open the newest message, or answer in the console.',
    })
  }
  return { link, voter }
}

async function pageOf(parts: MailVoteParts, link: MailLink, voter: Voter): Promise<MailPage> {
  const approval = await parts.approval(approvalId(link.approval), voter)
  const needsSession = parts.votes === 'session'
  return { approval, person: voter.id, needsSession, note: whyNot(parts, link, voter, approval) }
}

/** Why the person cannot answer here; undefined where nothing stands against it. */
function whyNot(
  parts: MailVoteParts,
  link: MailLink,
  voter: Voter,
  approval: ShownApproval,
): MailPage['note'] {
  const own = approval.votes.find(({ person }) => person === voter.id)
  if (own !== undefined)
    return { text: `${answerWords[own.vote].replace('you', 'You')}. It cannot be undone.` }
  if (approval.status !== 'pending') return { text: 'It takes no more answers.' }
  if (approval.voidedBy !== undefined) return { text: 'There is nothing to answer here any more.' }
  if (link.used || link.expiresAt <= parts.now())
    return { text: 'This link has been used, or its time has run out.' }
  if (link.digest !== approval.digest) return { text: 'This link is of another request.' }
  if (approval.terms.signed === true) {
    return { text: 'This one takes a signed vote, which is given in the console.', link: approval.url }
  }
  if (!takesVotesOver(approval.terms, 'email')) {
    return {
      text: 'The policy takes no answer to this one by e-mail. Answer it in the console.',
      link: approval.url,
    }
  }
  if (!approval.mayVote) return { text: `${voter.id} may not vote on this.` }
  return undefined
}

/** The id of the session that the answer came with. @throws Fault where it is nobody's, or somebody else's */
async function ownSession(
  parts: MailVoteParts,
  voter: Voter,
  session: string | undefined,
): Promise<string | undefined> {
  const signedIn = session === undefined ? undefined : await parts.signedIn(session)
  if (signedIn?.id === voter.id) return signedIn.session
  const [code, message] =
    signedIn === undefined
      ? (['not_authenticated', 'nobody is signed in here, or the session has ended'] as const)
      : (['not_permitted', `nobody is signed in here as ${voter.id}`] as const)
  throw new Fault(code, message, {
    fix: 'Sign in to the console in this browser, then open the link again.',
  })
}

function choiceOf(text: string): VoteChoice {
  if (text === 'approve' || text === 'reject' || text === 'acknowledge') return text
  throw new Fault('bad_input', '`vote` must be one of `approve`, `acknowledge`, `reject`', {
    fix: `Open the link again, and press one of the buttons; a comment has at most ${commentLengthMax} characters.`,
  })
}
