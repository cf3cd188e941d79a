import type { LogRecord, Notice, NoticeFeed, NoticeLinks, OutboxMessage } from '@bailiwick/core'
import { causesNoNotice, noticesOf, slackBody, webhookBody } from '@bailiwick/core'
import { postAttempt, type DeliveryParts, type Sender } from './deliver.ts'
import { postJson } from './http-post.ts'
import { signWebhook } from './standard-webhooks.ts'
import type { Target } from './targets.ts'
import { createWorker, type OutboxWorker } from './worker.ts'

/** How many messages are under way to one target. */
const atOnceMax = 8

export interface OutboxWorkerOptions extends DeliveryParts {
  readonly feed: NoticeFeed
  /** By name. With none, the worker still moves the cursor on, so that a target added later hears no old news. */
  readonly targets: ReadonlyMap<string, Target>
  readonly links: NoticeLinks
  readonly post?: typeof postJson
}

/** A worker over the ports of the store. Nothing happens until it is started or stepped. */
export function createOutboxWorker(options: OutboxWorkerOptions): OutboxWorker {
  const { feed, targets, links } = options
  const expand = (record: LogRecord) => messagesOf(record, targets, links)
  const senders = new Map([...targets].map(([name, target]) => [name, senderOf(target, options)]))
  return createWorker(senders, options, async (limit) => {
    if (targets.size > 0) return await feed.advance(expand, limit, causesNoNotice)
    await feed.skip()
    return 0
  })
}

/** The messages that a record causes: each of its notices, to each target, in that target's format. */
function messagesOf(
  record: LogRecord,
  targets: ReadonlyMap<string, Target>,
  links: NoticeLinks,
): readonly OutboxMessage[] {
  return noticesOf(record).flatMap((notice) => messagesOfNotice(notice, targets, links))
}

/** The messages that tell a notice to each target, in that target's format. */
export function messagesOfNotice(
  notice: Notice,
  targets: ReadonlyMap<string, Target>,
  links: NoticeLinks,
): readonly OutboxMessage[] {
  return [...targets].map(([name, target]) => {
    const body = target.kind === 'slack' ? slackBody(notice, links) : webhookBody(notice, links)
    return { target: name, kind: notice.kind, index: notice.index, body: JSON.stringify(body) }
  })
}

/** How messages are sent to a target; signed, where it is a webhook. */
function senderOf(target: Target, options: OutboxWorkerOptions): Sender {
  const post = options.post ?? postJson
  const { url, allowPrivate } = target
  return {
    // Slack takes about one message a second from an incoming webhook, and shows them as they come.
    atOnce: target.kind === 'slack' ? 1 : atOnceMax,
    send: async ({ id, body }) => {
      const headers =
        target.kind === 'webhook'
          ? { ...signWebhook(id, Math.floor(options.clock.now() / 1000), body, target.secret) }
          : {}
      return postAttempt(url, (await post({ url, headers, body, allowPrivate })).status)
    },
  }
}
