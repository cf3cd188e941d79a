import { Fault, type ClaimedMessage, type Instant, type Outbox } from '@bailiwick/core'
import { nextAttemptAt } from './backoff.ts'
import { postTimeoutMsDefault } from './http-post.ts'

/** How many messages one step sends to one target. */
const sendsMax = 8
/** Longer than any delivery takes, for every claimed message is sent at once. */
const leaseMsDefault = 2 * postTimeoutMsDefault
const errorLengthMax = 500

/** How one attempt ended. */
export type Attempt =
  | { readonly kind: 'accepted' }
  /** @param isFinal nothing that anybody mends would make the next attempt end otherwise */
  | { readonly kind: 'refused'; readonly error: string; readonly isFinal?: boolean }

/** Sends the messages of one target. */
export interface Sender {
  /** How many messages may be under way at the same time. */
  readonly atOnce: number
  /** For how long a claim holds: longer than any attempt takes. */
  readonly leaseMs?: number
  /** A `Fault` that is thrown says why it was refused; of anything else nothing is told. */
  send(message: ClaimedMessage): Promise<Attempt>
}

/** What delivering needs beside the senders. */
export interface DeliveryParts {
  readonly outbox: Outbox
  readonly clock: { now(): Instant }
  /** From 0 up to, not including, 1. */
  readonly random: () => number
  /** Told one line for each delivery that failed and each step that broke. */
  readonly log?: ((line: string) => void) | undefined
}

/** Sends what is due to one target, a bounded number of messages, and returns how many. */
export async function deliverDue(
  name: string,
  sender: Sender,
  parts: DeliveryParts,
  stopping: () => boolean,
): Promise<number> {
  const { atOnce, leaseMs = leaseMsDefault } = sender
  let sent = 0
  while (sent < sendsMax && !stopping()) {
    const messages = await parts.outbox.claim(name, atOnce, leaseMs, parts.clock.now())
    await allDone(messages.map((message) => deliver(message, sender, parts)))
    sent += messages.length
    if (messages.length < atOnce) break
  }
  return sent
}

/** Waits for all of them, also where one fails, so that nothing runs on behind the caller's back. */
export async function allDone<Result>(steps: readonly Promise<Result>[]): Promise<readonly Result[]> {
  await Promise.allSettled(steps)
  return Promise.all(steps)
}

/**
 * Sends one message and settles it. The order makes it at-least-once: a crash between the answer and
 * `delivered` leaves the message to whoever claims it after the lease, under the same id.
 */
async function deliver(message: ClaimedMessage, sender: Sender, parts: DeliveryParts): Promise<void> {
  const { outbox, clock } = parts
  const result = await attempt(message, sender)
  const at = clock.now()
  if (result.kind === 'accepted') {
    await outbox.delivered(message, at)
    return
  }
  const retryAt = result.isFinal === true ? null : nextAttemptAt(message.attempts, at, parts.random)
  await outbox.failed(message, at, result.error, retryAt)
  const what = `${message.kind} ${message.id} to ${message.target}, attempt ${message.attempts}`
  parts.log?.(`${what}: ${result.error}${retryAt === null ? '; given up' : ''}`)
}

async function attempt(message: ClaimedMessage, sender: Sender): Promise<Attempt> {
  try {
    return await sender.send(message)
  } catch (error) {
    // Only a fault's message is known to hold no secret.
    const text = error instanceof Fault ? error.message : 'the message could not be sent'
    return { kind: 'refused', error: text.slice(0, errorLengthMax) }
  }
}

/**
 * What a receiver's answer means. 410 is how it says that it is gone for good. Any other refusal may be a mistake that
 * someone mends within the day, such as a wrong secret, so the message is worth keeping.
 */
export function postAttempt(url: URL, status: number): Attempt {
  if (status >= 200 && status < 300) return { kind: 'accepted' }
  return { kind: 'refused', error: `\`${url.origin}\` answered ${status}`, isFinal: status === 410 }
}

/** What the service's log is told of a step that broke. */
export function stepText(error: unknown): string {
  if (!(error instanceof Error)) return `outbox: ${String(error)}; trying again`
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : ''
  return `outbox: ${error.message}${cause}; trying again`
}
