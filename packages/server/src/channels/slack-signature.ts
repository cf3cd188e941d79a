import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Instant } from '@bailiwick/core'

/** How far the time of a request may be from ours, either way, in milliseconds. */
export const slackToleranceMs = 5 * 60 * 1000

/** Whether Slack has sent a request, just now. */
export type SlackVerdict =
  | { readonly kind: 'valid'; readonly signature: string }
  | {
      readonly kind: 'invalid'
      readonly why: 'missing_header' | 'malformed' | 'too_old' | 'too_new' | 'forged'
    }

/**
 * Checks a request as it was received, by Slack's version 0 of signing. That it is taken once is not checked here.
 *
 * @param body the bytes of the body, not parsed and written anew
 * @see https://docs.slack.dev/authentication/verifying-requests-from-slack
 */
export function verifySlackRequest(
  headers: { readonly timestamp: string | undefined; readonly signature: string | undefined },
  body: Uint8Array,
  signingSecret: string,
  now: Instant,
): SlackVerdict {
  const { timestamp, signature } = headers
  if (!timestamp || !signature) return { kind: 'invalid', why: 'missing_header' }
  if (!/^[0-9]{1,12}$/.test(timestamp) || !/^v0=[0-9a-f]{64}$/.test(signature)) {
    return { kind: 'invalid', why: 'malformed' }
  }
  const at = Number(timestamp) * 1000
  if (at < now - slackToleranceMs) return { kind: 'invalid', why: 'too_old' }
  if (at > now + slackToleranceMs) return { kind: 'invalid', why: 'too_new' }
  const expected = createHmac('sha256', signingSecret).update(`v0:${timestamp}:`).update(body).digest()
  const given = Buffer.from(signature.slice('v0='.length), 'hex')
  return given.length === expected.length && timingSafeEqual(given, expected)
    ? { kind: 'valid', signature }
    : { kind: 'invalid', why: 'forged' }
}
