import { Fault, indexOfId, unreachable, type Instant } from '@bailiwick/core'
import type { ChannelStore } from '@bailiwick/store'
import type { Attempt, Sender } from '../delivery/deliver.ts'
import { eventOf } from './approval-events.ts'
import type { ShownApproval } from './approval-words.ts'
import type { SlackApi } from './slack-api.ts'
import { placesIn, slackMessage, type SlackPlace } from './slack-message.ts'

const channelName = 'slack'

/** What Slack says where a message cannot be changed any more, which nobody can mend. */
const gone = new Set([
  'message_not_found',
  'cant_update_message',
  'edit_window_closed',
  'channel_not_found',
  'is_archived',
])

/** What the channel needs. */
export interface SlackChannelParts {
  readonly api: SlackApi
  readonly store: Pick<ChannelStore, 'posts' | 'keepPost'>
  /** The id of the channel that is asked. */
  readonly channel: string
  /** As people see it. @throws Fault `not_found` */
  readonly approval: (id: string) => Promise<ShownApproval>
  readonly now: () => Instant
}

/**
 * Posts requests to Slack and keeps them true. A message is made when it is sent, from what is true then: of an approval
 * that has been decided meanwhile nobody is asked. A crash right after posting posts it again; the first one keeps
 * buttons that no longer do anything but say so.
 */
export function slackSender(parts: SlackChannelParts): Sender {
  return {
    // Slack takes about one message a second for a channel.
    atOnce: 1,
    send: async ({ id, body }) => {
      const { kind, approval } = eventOf(body)
      switch (kind) {
        case 'requested':
        case 'reminded':
        case 'extended':
          return await ask(parts, id, approval, kind !== 'requested')
        case 'changed':
        case 'settled':
          return await update(parts, approval)
        default:
          return unreachable(kind)
      }
    },
  }
}

async function ask(
  parts: SlackChannelParts,
  message: string,
  id: string,
  isReminder: boolean,
): Promise<Attempt> {
  const { api, store, channel, now } = parts
  const index = indexOfId('apr', id) ?? 0
  const approval = await found(parts, id)
  if (approval?.status !== 'pending') return accepted
  if ((await placesOf(parts, index)).some((place) => place.message === message)) return accepted
  const posted = await api.call('chat.postMessage', { channel, ...slackMessage(approval, isReminder) })
  if (posted.kind === 'refused') return refused(posted.error)
  const { ts, channel: where } = posted.answer
  if (typeof ts !== 'string') return refused('an answer without the time of the message')
  const place: SlackPlace = { channel: typeof where === 'string' ? where : channel, ts, message }
  await store.keepPost(channelName, index, JSON.stringify(place), now())
  // Whoever was told of a vote while this was being posted knew of no message to change.
  const after = await found(parts, id)
  if (after === undefined || after.status === 'pending') return accepted
  return await changeAt(parts, place, after)
}

async function update(parts: SlackChannelParts, id: string): Promise<Attempt> {
  const approval = await found(parts, id)
  if (approval === undefined) return accepted
  for (const place of await placesOf(parts, indexOfId('apr', id) ?? 0)) {
    const changed = await changeAt(parts, place, approval)
    if (changed.kind === 'refused') return changed
  }
  return accepted
}

async function changeAt(
  { api }: SlackChannelParts,
  { channel, ts }: SlackPlace,
  approval: ShownApproval,
): Promise<Attempt> {
  const changed = await api.call('chat.update', { channel, ts, ...slackMessage(approval) })
  return changed.kind === 'ok' || gone.has(changed.error) ? accepted : refused(changed.error)
}

async function placesOf({ store }: SlackChannelParts, index: number): Promise<SlackPlace[]> {
  return placesIn(await store.posts(channelName, index))
}

async function found(parts: SlackChannelParts, id: string): Promise<ShownApproval | undefined> {
  try {
    return await parts.approval(id)
  } catch (error) {
    if (error instanceof Fault && error.code === 'not_found') return undefined
    throw error
  }
}

const accepted: Attempt = { kind: 'accepted' }

function refused(error: string): Attempt {
  return { kind: 'refused', error: `Slack answered ${error}` }
}
