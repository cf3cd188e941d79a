import { Fault, type ApprovalView, type ClaimedMessage, type Instant, type JsonObject } from '@bailiwick/core'
import { postAttempt, type Attempt, type Sender } from '../delivery/deliver.ts'
import { deliveryUrl, postJson } from '../delivery/http-post.ts'
import { signWebhook } from '../delivery/standard-webhooks.ts'
import { eventOf, type ApprovalEvent } from './approval-events.ts'
import { approvalWords } from './approval-words.ts'
import type { ApprovalWebhookSettings, CallbackSettings } from './settings.ts'

/** What the senders need. */
export interface WebhookChannelParts {
  /** As people see it. @throws Fault `not_found` */
  readonly approval: (id: string) => Promise<ApprovalView>
  readonly now: () => Instant
  readonly post?: typeof postJson | undefined
}

/** Tells one receiver of every request, with masked parameters, and of how it ended. Signed as Standard Webhooks. */
export function webhookSender(settings: ApprovalWebhookSettings, parts: WebhookChannelParts): Sender {
  const { url, secret, allowPrivate } = settings
  return {
    atOnce: 8,
    send: async (message) => {
      const event = eventOf(message.body)
      const approval = await parts.approval(event.approval)
      // Nobody is to be asked any more; that it is over is a message of its own.
      if (event.kind !== 'settled' && approval.status !== 'pending') return { kind: 'accepted' }
      const body = JSON.stringify(bodyOf(event, approval, parts.now()))
      return await posted(parts, message, { url, secret, allowPrivate, body })
    },
  }
}

function bodyOf(event: ApprovalEvent, approval: ApprovalView, now: Instant): JsonObject {
  const { id, decision, voidedBy, agent, action, params, reasons, terms, deadline, digest, url } = approval
  return {
    type: `bailiwick.approval.${event.kind}`,
    timestamp: new Date(now).toISOString(),
    data: {
      approval: id,
      decision,
      status: event.status ?? approval.status,
      ...(voidedBy === undefined ? {} : { voidedBy }),
      title: approvalWords(approval).title,
      agent,
      action,
      params,
      reasons: [...reasons],
      asks: terms.asks,
      quorum: terms.quorum,
      deadline,
      digest,
      url,
    },
  }
}

/** What sending callbacks needs. */
export interface CallbackParts extends WebhookChannelParts {
  /** The address that the agent gave with the call; undefined where it gave none, or it was erased. */
  readonly callback: (approval: string) => Promise<string | undefined>
}

/**
 * Tells an agent, at the address that it gave with its call, that its approval is over: told once, with no parameters. It
 * is only a hint: the agent then asks by its call id, and learns there what holds.
 */
export function callbackSender(settings: CallbackSettings, parts: CallbackParts): Sender {
  const { secret, allowPrivate } = settings
  return {
    atOnce: 8,
    send: async (message) => {
      const event = eventOf(message.body)
      const address = await parts.callback(event.approval)
      if (address === undefined) return { kind: 'accepted' }
      // Allowed when the call came; what is allowed may have become less.
      if (!isAllowedCallback(settings, address)) {
        return {
          kind: 'refused',
          error: 'the callback leads to a host that is not allowed any more',
          isFinal: true,
        }
      }
      const url = deliveryUrl(address, { name: 'callback', allowPrivate })
      const { id, decision } = await parts.approval(event.approval)
      const body = JSON.stringify({
        type: 'bailiwick.approval.settled',
        timestamp: new Date(parts.now()).toISOString(),
        data: { approval: id, decision, status: event.status ?? null },
      })
      return await posted(parts, message, { url, secret, allowPrivate, body })
    },
  }
}

/** Whether an agent may have itself told at this address. */
export function isAllowedCallback({ hosts, allowPrivate }: CallbackSettings, address: string): boolean {
  try {
    const url = deliveryUrl(address, { name: 'callback', allowPrivate })
    return hosts.has(url.host)
  } catch (error) {
    if (error instanceof Fault) return false
    throw error
  }
}

interface Posting {
  readonly url: URL
  readonly secret: string
  readonly allowPrivate: boolean
  readonly body: string
}

async function posted(
  { now, post = postJson }: WebhookChannelParts,
  message: ClaimedMessage,
  { url, secret, allowPrivate, body }: Posting,
): Promise<Attempt> {
  const headers = { ...signWebhook(message.id, Math.floor(now() / 1000), body, secret) }
  const { status } = await post({ url, headers, body, allowPrivate })
  return postAttempt(url, status)
}
