import type { DecisionAnswer, Instant } from '@bailiwick/core'

/** `Retry-After` for an answer that says when to ask again: whole seconds, at least one. None where it does not. */
export function retryAfter(retryAt: string | undefined, now: Instant): Record<string, string> {
  if (retryAt === undefined) return {}
  return { 'retry-after': String(Math.max(1, Math.ceil((Date.parse(retryAt) - now) / 1000))) }
}

/** The same for a decision that waits for people. */
export function decisionRetryAfter({ approval }: DecisionAnswer, now: Instant): Record<string, string> {
  return retryAfter(approval?.retryAt, now)
}
