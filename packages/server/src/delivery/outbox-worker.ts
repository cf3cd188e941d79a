import type {
  ClaimedMessage,
  Instant,
  LogRecord,
  Notice,
  NoticeFeed,
  NoticeLinks,
  Outbox,
  OutboxMessage,
} from '@bailiwick/core'
import { causesNoNotice, Fault, noticesOf, slackBody, webhookBody } from '@bailiwick/core'
import { nextAttemptAt } from './backoff.ts'
import { postJson, postTimeoutMsDefault } from './http-post.ts'
import type { Lane } from './lane.ts'
import { startLane } from './lane.ts'
import { signWebhook } from './standard-webhooks.ts'
import type { Target } from './targets.ts'

/** How many records one transaction of the feed reads. */
const recordsMax = 500
/**
 * How long the feed rests once it has caught up: under load every commit would else cost a transaction of its own, and
 * nobody minds a notice a tenth of a second later.
 */
const restMs = 100
/** How many messages one step sends to one target. */
const sendsMax = 8
/** Longer than any delivery takes, for every claimed message is sent at once. */
const leaseMs = 2 * postTimeoutMsDefault
const idleMs = 1000
const faultPauseMs = 2000
const errorLengthMax = 500

export interface OutboxWorkerOptions {
  readonly feed: NoticeFeed
  readonly outbox: Outbox
  /** By name. With none, the worker still moves the cursor on, so that a target added later hears no old news. */
  readonly targets: ReadonlyMap<string, Target>
  readonly links: NoticeLinks
  readonly clock: { now(): Instant }
  /** From 0 up to, not including, 1. */
  readonly random: () => number
  /** Told one line for each delivery that failed and each step that broke. */
  readonly log?: (line: string) => void
  readonly post?: typeof postJson
}

/** Turns records into messages and delivers them. Any number of workers may share one outbox. */
export interface OutboxWorker {
  /** One step of everything: read the log on, then claim and deliver once per target. Returns how much was done. */
  runOnce(): Promise<number>
  /** Repeats steps until stopped, every target in a lane of its own, so that a slow one delays no other. */
  start(): void
  /** Ends after the deliveries under way, each of which is bounded by its timeout. */
  stop(): Promise<void>
  /** The log has grown. */
  poke(): void
}

/** A worker over the ports of the store. Nothing happens until it is started or stepped. */
export function createOutboxWorker(options: OutboxWorkerOptions): OutboxWorker {
  const { feed, targets, links } = options
  let lanes: readonly Lane[] = []
  let stopping = false

  const expand = (record: LogRecord) => messagesOf(record, targets, links)
  const readOn = async () => {
    if (targets.size > 0) return await feed.advance(expand, recordsMax, causesNoNotice)
    await feed.skip()
    return 0
  }
  const deliverTo = (name: string, target: Target) => deliverDue(name, target, options, () => stopping)

  return {
    async runOnce() {
      const read = await readOn()
      const steps = [...targets].map(([name, target]) => deliverTo(name, target))
      const sent = await allDone(steps)
      return sent.reduce((sum, count) => sum + count, read)
    },
    start() {
      if (lanes.length > 0) return
      stopping = false
      const onFault = (error: unknown) => options.log?.(stepText(error))
      const pauses = { idleMs, faultPauseMs, onFault }
      const senders = [...targets].map(([name, target]) =>
        startLane({ step: () => deliverTo(name, target), ...pauses }),
      )
      const reader = startLane({
        step: async () => {
          const read = await readOn()
          if (read > 0) for (const sender of senders) sender.poke()
          return read
        },
        restMs: (read) => (read < recordsMax ? restMs : 0),
        ...pauses,
      })
      lanes = [reader, ...senders]
    },
    async stop() {
      stopping = true
      await Promise.all(lanes.map((lane) => lane.stop()))
      lanes = []
    },
    poke() {
      lanes[0]?.poke()
    },
  }
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

async function deliverDue(
  name: string,
  target: Target,
  options: OutboxWorkerOptions,
  stopping: () => boolean,
): Promise<number> {
  // Slack takes about one message a second from an incoming webhook, and shows them as they come.
  const atOnce = target.kind === 'slack' ? 1 : sendsMax
  let sent = 0
  while (sent < sendsMax && !stopping()) {
    const messages = await options.outbox.claim(name, atOnce, leaseMs, options.clock.now())
    await allDone(messages.map((message) => deliver(message, target, options)))
    sent += messages.length
    if (messages.length < atOnce) break
  }
  return sent
}

/** Waits for all of them, also where one fails, so that nothing runs on behind the caller's back. */
async function allDone<Result>(steps: readonly Promise<Result>[]): Promise<readonly Result[]> {
  await Promise.allSettled(steps)
  return Promise.all(steps)
}

/**
 * Sends one message and settles it. The order makes it at-least-once: a crash between the answer and
 * `delivered` leaves the message to whoever claims it after the lease, under the same `webhook-id`.
 */
async function deliver(message: ClaimedMessage, target: Target, options: OutboxWorkerOptions): Promise<void> {
  const { outbox, clock } = options
  const result = await attempt(message, target, options)
  const at = clock.now()
  if (result.kind === 'accepted') {
    await outbox.delivered(message, at)
    return
  }
  // 410 is how a receiver says that it is gone for good. Any other refusal may be a mistake that someone
  // mends within the day, such as a wrong secret, so the message is worth keeping.
  const retryAt = result.status === 410 ? null : nextAttemptAt(message.attempts, at, options.random)
  await outbox.failed(message, at, result.error, retryAt)
  const what = `${message.kind} ${message.id} to ${message.target}, attempt ${message.attempts}`
  options.log?.(`${what}: ${result.error}${retryAt === null ? '; given up' : ''}`)
}

type Attempt =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly error: string; readonly status?: number }

async function attempt(
  message: ClaimedMessage,
  target: Target,
  options: OutboxWorkerOptions,
): Promise<Attempt> {
  const post = options.post ?? postJson
  const { id, body } = message
  try {
    const headers =
      target.kind === 'webhook'
        ? { ...signWebhook(id, Math.floor(options.clock.now() / 1000), body, target.secret) }
        : {}
    const { url, allowPrivate } = target
    const { status } = await post({ url, headers, body, allowPrivate })
    if (status >= 200 && status < 300) return { kind: 'accepted' }
    return { kind: 'refused', status, error: `\`${url.origin}\` answered ${status}` }
  } catch (error) {
    // Only a fault's message is known to hold no secret.
    const text = error instanceof Fault ? error.message : 'the message could not be sent'
    return { kind: 'refused', error: text.slice(0, errorLengthMax) }
  }
}

function stepText(error: unknown): string {
  if (!(error instanceof Error)) return `outbox: ${String(error)}; trying again`
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : ''
  return `outbox: ${error.message}${cause}; trying again`
}
