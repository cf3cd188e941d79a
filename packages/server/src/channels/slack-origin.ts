import { Fault, indexOfId } from '@bailiwick/core'
import type { ChannelStore } from '@bailiwick/store'
import type { SlackSettings } from './settings.ts'
import type { SlackApi } from './slack-api.ts'
import { placesIn } from './slack-message.ts'
import type { SlackPress } from './slack-press.ts'

/** What it takes to tell where a press may come from. */
export interface SlackOriginParts {
  readonly settings: Pick<SlackSettings, 'app' | 'channel'>
  /** The workspace whose presses count. @throws Fault where that is not known */
  readonly team: () => Promise<string>
  readonly store: Pick<ChannelStore, 'posts'>
  readonly log: (line: string) => void
}

/**
 * The workspace whose presses count: the one that the operator names, or else the one that the bot's token is of, for which
 * Slack is asked once it is needed.
 */
export function slackTeam({ team }: Pick<SlackSettings, 'team'>, api: SlackApi): () => Promise<string> {
  let known = team
  return async () => (known ??= await teamOfToken(api))
}

/**
 * Accounts are only told apart within a workspace, and one signing secret serves all workspaces that an app is installed in.
 *
 * @throws Fault `not_permitted` for a press in another workspace, by an account of another one, of another app, or in a
 *   channel in which nobody was asked; `service_unreachable` where it is not known which workspace counts
 */
export async function refuseOtherOrigin(parts: SlackOriginParts, press: SlackPress): Promise<void> {
  const where = await otherOrigin(parts, press)
  if (where === undefined) return
  const message = `the button was pressed ${where} than this service asks in`
  parts.log(`slack: ${message}; nothing was recorded`)
  throw new Fault('not_permitted', message, {
    fix: 'Answer in the console; docs/SLACK.md says which workspace, app and channel count.',
  })
}

async function otherOrigin(parts: SlackOriginParts, press: SlackPress): Promise<string | undefined> {
  const team = await parts.team()
  if (press.team !== team) return 'in another workspace'
  if ((press.accountTeam ?? team) !== team) return 'by an account of another workspace'
  const { app, channel } = parts.settings
  if (app !== undefined && press.app !== app) return 'as a button of another app'
  for (const { button } of press.answers) {
    if (press.channel === channel) continue
    // The channel may have been another one when it was asked, and is called otherwise where it is a person's.
    const posts = await parts.store.posts('slack', indexOfId('apr', button.approval) ?? -1)
    if (placesIn(posts).every((place) => place.channel !== press.channel)) return 'in another channel'
  }
  return undefined
}

async function teamOfToken(api: SlackApi): Promise<string> {
  const answer = await api.call('auth.test', {})
  const team = answer.kind === 'ok' ? answer.answer['team_id'] : undefined
  if (typeof team === 'string' && team !== '') return team
  const why = answer.kind === 'ok' ? 'nothing that could be read' : answer.error
  throw new Fault('service_unreachable', `which workspace may answer is not known: Slack answered ${why}`, {
    fix: 'Set BAILIWICK_SLACK_TEAM to the id of the workspace, such as T0123456789.',
  })
}
