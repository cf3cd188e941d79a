import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Instant } from '@bailiwick/core'
import { Fault } from '@bailiwick/core'

/** How far a message's time may be from the receiver's clock, either way. */
const webhookToleranceSeconds = 5 * 60
/** A secret's length before base64. */
const secretBytesMin = 24
const secretBytesMax = 64

/** The three headers of a signed message. */
export interface WebhookHeaders {
  readonly 'webhook-id': string
  /** Seconds since the Unix epoch, of this attempt. */
  readonly 'webhook-timestamp': string
  readonly 'webhook-signature': string
}

/** Whether a message is what the holder of the secret sent, and recently. */
export type WebhookVerdict =
  | { readonly kind: 'valid'; readonly id: string; readonly timestampSeconds: number }
  | {
      readonly kind: 'invalid'
      readonly why: 'missing_header' | 'malformed_timestamp' | 'too_old' | 'too_new' | 'no_matching_signature'
    }

/**
 * Signs a message.
 *
 * @param id the same for every attempt; without a full stop, which separates it from what follows
 * @param secret as `webhookKey` reads it
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export function signWebhook(
  id: string,
  timestampSeconds: number,
  body: string,
  secret: string,
): WebhookHeaders {
  const key = webhookKey(secret)
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestampSeconds),
    'webhook-signature': `v1,${signature(key, id, String(timestampSeconds), body).toString('base64')}`,
  }
}

/**
 * Checks a message as it was received. One matching signature among several is enough, as while a secret
 * is being replaced; versions other than `v1` are passed over.
 *
 * @param headers with lower-case names
 * @param body the bytes of the body as text, not parsed and written anew
 */
export function verifyWebhook(
  headers: Readonly<Record<string, string | undefined>>,
  body: string,
  secret: string,
  now: Instant,
): WebhookVerdict {
  const key = webhookKey(secret)
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures } = headers
  if (!id || !timestamp || !signatures) return { kind: 'invalid', why: 'missing_header' }
  if (!/^[0-9]{1,12}$/.test(timestamp)) return { kind: 'invalid', why: 'malformed_timestamp' }

  const timestampSeconds = Number(timestamp)
  const nowSeconds = Math.floor(now / 1000)
  if (timestampSeconds < nowSeconds - webhookToleranceSeconds) return { kind: 'invalid', why: 'too_old' }
  if (timestampSeconds > nowSeconds + webhookToleranceSeconds) return { kind: 'invalid', why: 'too_new' }

  const expected = signature(key, id, timestamp, body)
  return signatures.split(' ').some((candidate) => matches(candidate, expected))
    ? { kind: 'valid', id, timestampSeconds }
    : { kind: 'invalid', why: 'no_matching_signature' }
}

/**
 * The key inside a secret: base64 of 24 to 64 bytes, with or without `whsec_` before it.
 *
 * @param setting the name of what says it, for messages
 * @throws Fault `bad_input`
 */
export function webhookKey(secret: string, setting = 'the webhook secret'): Buffer {
  const base64 = secret.replace(/^whsec_/, '')
  const key = Buffer.from(base64, 'base64')
  // Node skips what is not base64, so only writing the bytes again shows that nothing was skipped.
  const isBase64 = key.toString('base64').replace(/=+$/, '') === base64.replace(/={1,2}$/, '')
  if (!isBase64 || key.length < secretBytesMin || key.length > secretBytesMax) {
    throw new Fault('bad_input', `${setting} is not base64 of 24 to 64 bytes`, {
      fix: 'Make one with: echo "whsec_$(openssl rand -base64 32)"',
    })
  }
  return key
}

function signature(key: Buffer, id: string, timestamp: string, body: string): Buffer {
  return createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest()
}

function matches(candidate: string, expected: Buffer): boolean {
  const base64 = /^v1,(.+)$/.exec(candidate)?.[1]
  if (base64 === undefined) return false
  const given = Buffer.from(base64, 'base64')
  return given.length === expected.length && timingSafeEqual(given, expected)
}
