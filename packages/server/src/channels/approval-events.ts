import { indexOfId, type LogRecord, type OutboxMessage } from '@bailiwick/core'

/** What is told of an approval. The message itself is made when it is sent, from what is true then. */
export interface ApprovalEvent {
  readonly kind: ApprovalEventKind
  /** The id of the approval. */
  readonly approval: string
  /** With `settled`: how it ended. */
  readonly status?: string | undefined
}

/**
 * `requested`: people are asked. `reminded`: they are asked again. `extended`: others are asked as well. `changed`: a vote
 * was cast, or it is over. `settled`: it is over, told once.
 */
export type ApprovalEventKind = 'requested' | 'reminded' | 'extended' | 'changed' | 'settled'

/** Which channels there are. */
export interface ChannelNames {
  readonly slack: boolean
  readonly mail: boolean
  readonly webhook: boolean
  readonly callbacks: boolean
}

/** The outbox's names of the channels. */
export const channelTargets = {
  slack: 'approvals.slack',
  mail: 'approvals.mail',
  webhook: 'approvals.webhook',
  callbacks: 'approvals.callback',
} as const

/**
 * The messages that a record causes, one for every channel. Follows from the record alone; what is enqueued twice is kept
 * once. Whom e-mail goes to is found out when it is sent.
 */
export function approvalMessages(record: LogRecord, channels: ChannelNames): readonly OutboxMessage[] {
  const { index } = record
  switch (record.kind) {
    case 'decision':
      return record.opens === null
        ? []
        : asked(index, { kind: 'requested', approval: record.opens.id }, channels)
    case 'reminder': {
      const kind = record.asks.length === 0 ? 'reminded' : 'extended'
      return asked(index, { kind, approval: record.approval }, channels)
    }
    case 'vote':
      return record.status === 'pending'
        ? changed(index, record.approval, channels)
        : [...changed(index, record.approval, channels), ...over(record.approval, record.status, channels)]
    case 'expiry':
      return [...changed(index, record.approval, channels), ...over(record.approval, 'expired', channels)]
    case 'cancellation':
      return [...changed(index, record.approval, channels), ...over(record.approval, 'cancelled', channels)]
    default:
      return []
  }
}

function asked(index: number, event: ApprovalEvent, channels: ChannelNames): OutboxMessage[] {
  const message = { kind: `approval.${event.kind}`, index, body: eventText(event) }
  return (['slack', 'webhook', 'mail'] as const).flatMap((channel) =>
    channels[channel] ? [{ ...message, target: channelTargets[channel] }] : [],
  )
}

function changed(index: number, approval: string, { slack }: ChannelNames): OutboxMessage[] {
  const body = eventText({ kind: 'changed', approval })
  return slack ? [{ target: channelTargets.slack, kind: 'approval.changed', index, body }] : []
}

/** Told under the index of the approval, so that whatever happens to it afterwards, it is told once. */
function over(approval: string, status: string, { webhook, callbacks }: ChannelNames): OutboxMessage[] {
  const index = indexOfId('apr', approval) ?? 0
  const message = { kind: 'approval.settled', index, body: eventText({ kind: 'settled', approval, status }) }
  return [
    ...(webhook ? [{ ...message, target: channelTargets.webhook }] : []),
    ...(callbacks ? [{ ...message, target: channelTargets.callbacks }] : []),
  ]
}

/** An event as the body of a message. */
export function eventText(event: ApprovalEvent): string {
  return JSON.stringify(event)
}

/** The event that a message tells. */
export function eventOf(body: string): ApprovalEvent {
  return JSON.parse(body) as ApprovalEvent
}
