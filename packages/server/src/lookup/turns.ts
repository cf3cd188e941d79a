/** What asking for a turn came to. */
export type Turn = 'taken_at_once' | 'taken_after_waiting' | 'too_many' | 'given_up'

/** Lets so many run at once and so many wait, first come, first served. */
export class Turns {
  readonly #runningMax: number
  readonly #waitingMax: number
  readonly #waiting = new Set<() => void>()
  #running = 0

  constructor(runningMax: number, waitingMax: number) {
    this.#runningMax = runningMax
    this.#waitingMax = waitingMax
  }

  /** Waits for a turn. One that was taken has to be given back with `leave`, once. */
  take(signal: AbortSignal): Promise<Turn> {
    if (signal.aborted) return Promise.resolve('given_up')
    if (this.#running < this.#runningMax) {
      this.#running += 1
      return Promise.resolve('taken_at_once')
    }
    if (this.#waiting.size >= this.#waitingMax) return Promise.resolve('too_many')
    return new Promise((resolve) => {
      const goOn = (): void => {
        signal.removeEventListener('abort', giveUp)
        resolve('taken_after_waiting')
      }
      const giveUp = (): void => {
        this.#waiting.delete(goOn)
        resolve('given_up')
      }
      this.#waiting.add(goOn)
      signal.addEventListener('abort', giveUp, { once: true })
    })
  }

  /** Gives a turn back, to whoever has waited longest. */
  leave(): void {
    const [next] = this.#waiting
    if (next === undefined) {
      this.#running -= 1
      return
    }
    this.#waiting.delete(next)
    next()
  }
}
