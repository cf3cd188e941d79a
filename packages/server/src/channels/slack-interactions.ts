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
import type { SlackApi } from './slack-api.ts'
import { confirmationLink, personOfSlackAccount } from './slack-confirmation.ts'
import { slackChoices, type SlackButton } from './slack-message.ts'
import { slackToleranceMs, verifySlackRequest } from './slack-signature.ts'

/** What answering in Slack needs. */
export interface SlackInteractionParts {
  readonly settings: Pick<SlackSettings, 'signingSecret' | 'people'>
  readonly api: SlackApi
  readonly store: Pick<ChannelStore, 'takeRequest' | 'personOf' | 'isConfirmed'>
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

/** Somebody pressed a button. */
interface Pressed {
  readonly account: string
  readonly channel: string
  readonly vote: VoteChoice
  readonly button: SlackButton
}

/**
 * Takes a request that Slack has signed, once, and returns what is left to do: to cast the votes and to tell whoever
 * pressed. That never rejects.
 *
 * @throws Fault `not_authenticated` where Slack did not send it or not just now, `conflict` where it was taken before,
 *   `bad_input` where it is none of ours
 */
export async function takeSlackRequest(
  parts: SlackInteractionParts,
  request: SlackRequest,
): Promise<() => Promise<void>> {
  const now = parts.now()
  const verdict = verifySlackRequest(request, request.body, parts.settings.signingSecret, now)
  if (verdict.kind === 'invalid') {
    throw new Fault('not_authenticated', `the request does not come from Slack: ${verdict.why}`, {
      fix: 'Check BAILIWICK_SLACK_SIGNING_SECRET, and the clock of this machine.',
    })
  }
  // Kept for longer than any time stamp is taken, so that no request is forgotten while it could be sent again.
  if (!(await parts.store.takeRequest('slack', verdict.signature, now, 3 * slackToleranceMs))) {
    throw new Fault('conflict', 'this request of Slack has been taken before', {
      fix: 'Press the button again.',
    })
  }
  const pressed = pressedIn(request.body)
  return async () => {
    for (const one of pressed) await answer(parts, one)
  }
}

async function answer(parts: SlackInteractionParts, pressed: Pressed): Promise<void> {
  try {
    await tell(parts, pressed, await outcomeOf(parts, pressed))
  } catch (error) {
    parts.log(
      `slack: a button was pressed, and its answer failed: ${error instanceof Error ? error.message : 'unknown'}`,
    )
  }
}

/** Votes, and says in words what came of it. */
async function outcomeOf(parts: SlackInteractionParts, { account, vote, button }: Pressed): Promise<string> {
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
    const more = status === 'pending' ? ' More people have to answer.' : ''
    return `Recorded: ${voter.id} ${words[vote]} ${button.approval}.${more}`
  } catch (error) {
    if (error instanceof Fault) return `Nothing was recorded: ${error.message}. ${error.fix}`
    throw error
  }
}

const words: Readonly<Record<VoteChoice, string>> = {
  approve: 'approved',
  acknowledge: 'has looked at',
  reject: 'rejected',
}

const textLengthMax = 3000

/** Only whoever pressed sees it. */
async function tell(
  { api }: SlackInteractionParts,
  { account, channel }: Pressed,
  text: string,
): Promise<void> {
  await api.call('chat.postEphemeral', {
    channel,
    user: account,
    text: slackText(text, textLengthMax),
    blocks: [{ type: 'section', text: slackPlain(text, textLengthMax) }],
  })
}

/** @throws Fault `bad_input` */
function pressedIn(body: Uint8Array): readonly Pressed[] {
  const payload = objectOf(payloadOf(body))
  const account = textOf(objectOf(payload['user'])['id'])
  const channel = textOf(objectOf(payload['channel'])['id'] ?? objectOf(payload['container'])['channel_id'])
  if (payload['type'] !== 'block_actions' || account === undefined || channel === undefined) throw notOurs()
  const actions: unknown = payload['actions']
  if (!Array.isArray(actions)) throw notOurs()
  return actions.flatMap((action: unknown) => {
    const { action_id: actionId, value } = objectOf(action)
    const vote = Object.entries(slackChoices).find(([name]) => name === actionId)?.[1]
    // Links are buttons, too, and Slack tells of them.
    if (vote === undefined) return []
    return [{ account, channel, vote, button: buttonOf(textOf(value) ?? '') }]
  })
}

function payloadOf(body: Uint8Array): unknown {
  const form = new URLSearchParams(Buffer.from(body).toString('utf8'))
  try {
    return JSON.parse(form.get('payload') ?? '')
  } catch {
    throw notOurs()
  }
}

function buttonOf(value: string): SlackButton {
  try {
    const { approval, digest } = objectOf(JSON.parse(value))
    if (typeof approval === 'string' && typeof digest === 'string') return { approval, digest }
  } catch {
    // Said below.
  }
  throw notOurs()
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function notOurs(): Fault {
  return new Fault('bad_input', 'the request is no press of a button that this service has sent', {
    fix: 'Set the interactivity URL of the Slack app to this endpoint, and of no other app.',
  })
}
