/** A step that is repeated as long as there is work, independently of every other lane. */
export interface Lane {
  /** There may be work: don't wait for the idle interval to pass. */
  poke(): void
  /** Resolves when the running step, if any, has ended; none begins after. */
  stop(): Promise<void>
}

export interface LaneOptions {
  /** Returns how much it did; 0 when there was nothing to do. */
  readonly step: () => Promise<number>
  /** How long to wait for a poke when there was nothing to do. */
  readonly idleMs: number
  /** How long to wait, poked or not, after a step that did so much; 0 if absent. */
  readonly restMs?: (done: number) => number
  /** How long to wait, poked or not, after a step that threw. */
  readonly faultPauseMs: number
  readonly onFault: (error: unknown) => void
}

/** Starts to repeat a step. A step that throws is reported and repeated, so a lane outlives a database restart. */
export function startLane(options: LaneOptions): Lane {
  let stopped = false
  let poked = false
  let wake: (() => void) | undefined
  let pokeCounts = false

  const pause = (ms: number, endsWithPoke: boolean) =>
    new Promise<void>((resolve) => {
      if (stopped || (endsWithPoke && poked)) return resolve()
      const timer = setTimeout(() => wake?.(), ms)
      pokeCounts = endsWithPoke
      wake = () => {
        clearTimeout(timer)
        wake = undefined
        resolve()
      }
    })

  const run = async () => {
    while (!stopped) {
      // Cleared before the step: a poke during it tells of work that the step may have missed.
      poked = false
      try {
        const done = await options.step()
        const restMs = options.restMs?.(done) ?? 0
        if (restMs > 0) await pause(restMs, false)
        if (done === 0) await pause(options.idleMs, true)
      } catch (error) {
        options.onFault(error)
        await pause(options.faultPauseMs, false)
      }
    }
  }
  const ended = run()

  return {
    poke() {
      poked = true
      if (pokeCounts) wake?.()
    },
    async stop() {
      stopped = true
      wake?.()
      await ended
    },
  }
}
