import type { Instant } from '../model/ids.ts'
import type { GovernPorts } from './governance.ts'

/** Real time and randomness, for the edge of a program. Tests bring their own. */
export const systemPorts: GovernPorts = {
  now: () => Date.now() as Instant,
  newCallId: () => crypto.randomUUID(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      signal?.addEventListener('abort', done)
      if (signal?.aborted === true) done()
    }),
}
