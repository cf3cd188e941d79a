import { Fault, type VoteChoice } from '@bailiwick/core'
import { slackChoices, type SlackButton } from './slack-message.ts'

/** Somebody pressed a button of a message. */
export interface SlackPress {
  readonly account: string
  /** The workspace for which Slack sends it; undefined where it names none. */
  readonly team: string | undefined
  /** The workspace that the account is of, where Slack says it: in shared channels another one. */
  readonly accountTeam: string | undefined
  /** The app whose message it is. */
  readonly app: string | undefined
  readonly channel: string
  /** Where Slack takes an answer for whoever pressed, for half an hour. */
  readonly responseUrl: string | undefined
  readonly answers: readonly SlackAnswerGiven[]
}

/** What a pressed button stands for. */
export interface SlackAnswerGiven {
  readonly vote: VoteChoice
  readonly button: SlackButton
}

/** What a request of Slack says that was pressed. @throws Fault `bad_input` where it is none of ours */
export function pressIn(body: Uint8Array): SlackPress {
  const payload = objectOf(payloadOf(body))
  const user = objectOf(payload['user'])
  const account = textOf(user['id'])
  const channel = textOf(objectOf(payload['channel'])['id'] ?? objectOf(payload['container'])['channel_id'])
  if (payload['type'] !== 'block_actions' || account === undefined || channel === undefined) throw notOurs()
  const actions: unknown = payload['actions']
  if (!Array.isArray(actions)) throw notOurs()
  return {
    account,
    team: textOf(objectOf(payload['team'])['id']),
    accountTeam: textOf(user['team_id']),
    app: textOf(payload['api_app_id']),
    channel,
    responseUrl: textOf(payload['response_url']),
    answers: actions.flatMap((action: unknown) => {
      const { action_id: actionId, value } = objectOf(action)
      const vote = Object.entries(slackChoices).find(([name]) => name === actionId)?.[1]
      // Links are buttons, too, and Slack tells of them.
      return vote === undefined ? [] : [{ vote, button: buttonOf(textOf(value) ?? '') }]
    }),
  }
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
