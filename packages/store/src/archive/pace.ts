/** Waits for as long as it takes to leave others room. */
export type Pace = () => Promise<void>

const restMsMax = 100

/**
 * Rests for `share` times as long as was worked since the last rest, so that a database and a processor that decisions
 * share with an archive run are theirs for the rest of the time.
 */
export function restingPace(share: number): Pace {
  let since = performance.now()
  return async () => {
    const worked = performance.now() - since
    if (worked < 5) return
    await new Promise((resolve) => {
      setTimeout(resolve, Math.min(worked * share, restMsMax))
    })
    since = performance.now()
  }
}
