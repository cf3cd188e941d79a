import type { Instant } from '../model/ids.ts'

const retryMsMin = 2_000
const retryMsMax = 60_000

/**
 * When whoever cannot wait should ask again for an approval that is pending at `now`: sooner for one that was opened just
 * now, at the deadline at the latest, when it is certainly over.
 */
export function retryAt(openedAt: Instant, deadline: Instant, now: Instant): Instant {
  const pause = Math.min(Math.max((now - openedAt) / 10, retryMsMin), retryMsMax)
  return Math.max(now, Math.min(Math.round(now + pause), deadline)) as Instant
}
