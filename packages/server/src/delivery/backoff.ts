import type { Instant } from '@bailiwick/core'

/** How often a message is sent before it becomes a dead letter: over about 22 hours. */
export const deliveryAttemptsMax = 12

const delayMsFirst = 5_000
const delayFactor = 3
const delayMsMax = 6 * 60 * 60 * 1000
/** How far a delay strays either way, so that messages that failed together do not come back together. */
const jitterShare = 0.2

/**
 * When to try again after attempt number `attempts` failed at `at`: after 5 s, then three times longer each
 * time, at most 6 h, give or take a fifth.
 *
 * @param random from 0 up to, not including, 1
 * @returns null when there have been enough attempts
 */
export function nextAttemptAt(attempts: number, at: Instant, random: () => number): Instant | null {
  if (attempts >= deliveryAttemptsMax) return null
  const delayMs = Math.min(delayMsFirst * delayFactor ** (attempts - 1), delayMsMax)
  const jitter = 1 + jitterShare * (2 * random() - 1)
  return Math.round(at + delayMs * jitter) as Instant
}
