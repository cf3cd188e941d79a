import {
  Fault,
  slackPlain,
  slackText,
  type ApprovalView,
  type Instant,
  type VoteChoice,
  type Voter,
} from '@bailiwick/core'
import type { ChannelStore } from '@bailiwick/store'
import { takesVotesOver } from './approval-words.ts'
import type { SlackSettings } from './settings.ts'
import { faultOf, saysWhetherRecorded } from '../http/problems.ts'
import type { SlackApi } from './slack-api.ts'
import { confirmationLink, personOfSlackAccount } from './slack-confirmation.ts'
import { refuseOtherOrigin, type SlackOriginParts } from './slack-origin.ts'
import { pressIn, type SlackAnswerGiven, type SlackPress } from './slack-press.ts'
import { slackToleranceMs, verifySlackRequest } from './slack-signature.ts'

/** What answering in Slack needs. */
export interface SlackInteractionParts extends SlackOriginParts {
  readonly settings: Pick<SlackSettings, 'signingSecret' | 'people' | 'app' | 'channel'>
  readonly api: SlackApi
  readonly store: Pick<ChannelStore, 'takeRequest' | 'personOf' | 'isConfirmed' | 'posts'>
  /** The address under which people reach the service, without a slash at the end. */
  readonly url: string
  /** The person as known now, with the roles of now. */
  readonly person: (id: string) => Promise<Voter | undefined>
  readonly approval: (id: string, voter: Voter) => Promise<ApprovalView>
  readonly vote: (
    voter: Voter,
    id: string,
    request: { readonly vote: VoteChoice; readonly digest: string },
  ) => Promise<string>
  readonly now: () => Instant
  readonly log: (line: string) => void
}

/** A request as Slack sends it. */
export interface SlackRequest {
  readonly timestamp: string | undefined
  readonly signature: string | undefined
  /** As it came. */
  readonly body: Uint8Array
}

/** A press that was taken. */
export interface TakenPress {
  /**
   * Settles once it is known what became of it: that it was recorded, or why it could not be. Rejects where that is not
   * known, or the log could not take it.
   */
  readonly judged: Promise<void>
  /** Settles once whoever pressed has been told, as far as Slack takes it. Never rejects. */
  readonly told: Promise<void>
}

/**
 * Takes a request that Slack has signed, once, casts the votes and tells whoever pressed.
 *
 * @throws Fault `not_authenticated` where Slack did not send it or not just now, `conflict` where it was taken before,
 *   `bad_input` where it is none of ours, and as `refuseOtherOrigin` does; then nothing is remembered of it
 */
export async function takeSlackRequest(
  parts: SlackInteractionParts,
  request: SlackRequest,
): Promise<TakenPress> {
  const now = parts.now()
  const verdict = verifySlackRequest(request, request.body, parts.settings.signingSecret, now)
  if (verdict.kind === 'invalid') {
    throw new Fault('not_authenticated', `the request does not come from Slack: ${verdict.why}`, {
      fix: 'Check BAILIWICK_SLACK_SIGNING_SECRET, and the clock of this machine.',
    })
  }
  const press = pressIn(request.body)
  await refuseOtherOrigin(parts, press)
  // Kept for longer than any time stamp is taken, so that no request is forgotten while it could be sent again.
  if (!(await parts.store.takeRequest('slack', verdict.signature, now, 3 * slackToleranceMs))) {
    throw new Fault('conflict', 'this request of Slack has been taken before', {
      fix: 'Press the button again.',
    })
  }
  const outcomes = outcomesOf(parts, press)
  return {
    judged: outcomes.then(() => undefined),
    told: outcomes.then(
      (texts) => tell(parts, press, texts),
      (error: unknown) => tell(parts, press, [troubleWords(error)]),
    ),
  }
}

async function outcomesOf(parts: SlackInteractionParts, press: SlackPress): Promise<string[]> {
  const texts: string[] = []
  for (const answer of press.answers) texts.push(await outcomeOf(parts, press.account, answer))
  return texts
}

/** Votes, and says in words what came of it. */
async function outcomeOf(
  parts: SlackInteractionParts,
  account: string,
  { vote, button }: SlackAnswerGiven,
): Promise<string> {
  const id = await personOfSlackAccount(parts, account)
  const voter = id === undefined ? undefined : await parts.person(id)
  if (voter === undefined) {
    return id === undefined
      ? `Your Slack account ${account} stands for nobody in Bailiwick, so nothing was recorded. Ask its operator to run: bailiwick people slack YOUR-EMAIL ${account}`
      : `Your Slack account ${account} stands for ${id}, whom Bailiwick does not know, so nothing was recorded.`
  }
  // The operator has said whose it is, and may be wrong.
  if (!(await parts.store.isConfirmed('slack', account, voter.id))) {
    return `Nothing was recorded: confirm first, once, that the Slack account ${account} is yours: ${confirmationLink(parts.url, account)} Then press the button again.`
  }
  try {
    const approval = await parts.approval(button.approval, voter)
    if (approval.terms.signed === true) {
      return `Nothing was recorded: this takes a signed vote. Answer it in Bailiwick: ${approval.url}`
    }
    if (!takesVotesOver(approval.terms, 'slack')) {
      return `Nothing was recorded: the policy takes no answer to this in Slack. Answer it in Bailiwick: ${approval.url}`
    }
    const status = await parts.vote(voter, button.approval, { vote, digest: button.digest })
    const more =
      approval.voidedBy !== undefined
        ? ' The call is denied all the same, as the policy has changed since it was asked.'
        : status === 'pending'
          ? ' More people have to answer.'
          : ''
    return `Recorded: ${voter.id} ${words[vote]} ${button.approval}.${more}`
  } catch (error) {
    // A refusal is an answer. Trouble is none: whoever pressed must not take it for one.
    const fault = saysWhetherRecorded(faultOf(error))
    if (fault.recorded !== undefined) throw fault
    return `Nothing was recorded: ${fault.message}. ${fault.fix}`
  }
}

function troubleWords(error: unknown): string {
  const { message, recorded } = saysWhetherRecorded(faultOf(error))
  return recorded === 'no'
    ? `Nothing was recorded: ${message}. Press the button again.`
    : `It is not known whether your answer was recorded: ${message}. Press the button again in a minute: if it was, you are told that you have voted.`
}

const words: Readonly<Record<VoteChoice, string>> = {
  approve: 'approved',
  acknowledge: 'has looked at',
  reject: 'rejected',
}

const textLengthMax = 3000

/** Only whoever pressed sees it. Where the bot cannot say it, it goes to the address that came with the press. */
async function tell(
  { api, log }: SlackInteractionParts,
  { account, channel, responseUrl }: SlackPress,
  texts: readonly string[],
): Promise<void> {
  if (texts.length === 0) return
  const text = texts.join('\n')
  const said = {
    text: slackText(text, textLengthMax),
    blocks: [{ type: 'section', text: slackPlain(text, textLengthMax) }],
  }
  try {
    const posted = await api.call('chat.postEphemeral', { channel, user: account, ...said })
    if (posted.kind === 'ok') return
    log(`slack: a button was pressed, and Slack answered ${posted.error} to what became of it`)
  } catch (error) {
    log(`slack: a button was pressed, and what became of it could not be told: ${wordsOf(error)}`)
  }
  if (responseUrl === undefined) return
  try {
    await api.respond(responseUrl, { response_type: 'ephemeral', replace_original: false, ...said })
  } catch (error) {
    log(`slack: nor could it be told to the address that came with it: ${wordsOf(error)}`)
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown'
}
