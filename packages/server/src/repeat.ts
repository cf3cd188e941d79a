/** Something that goes on until it is stopped. */
export interface Repetition {
  /** Resolves once the step under way has ended; none starts afterwards. */
  stop(): Promise<void>
}

/** Does `step` every `ms` milliseconds, one after the other. A step that fails is reported and repeated. */
export function repeat(
  ms: number,
  step: () => Promise<unknown>,
  failed: (error: unknown) => void,
): Repetition {
  let stopped = false
  let timer: NodeJS.Timeout | undefined
  let running = Promise.resolve()
  let lastFailure = ''
  const again = (): void => {
    if (stopped) return
    timer = setTimeout(() => {
      running = once()
    }, ms)
  }
  const once = async (): Promise<void> => {
    try {
      await step()
      lastFailure = ''
    } catch (error) {
      // The same trouble every half second is one line, not thousands.
      const message = error instanceof Error ? error.message : String(error)
      if (message !== lastFailure) failed(error)
      lastFailure = message
    }
    again()
  }
  again()
  return {
    stop: async () => {
      stopped = true
      clearTimeout(timer)
      await running
    },
  }
}
