import { failuresInRowMax, pauseMs } from './limits.ts'

/**
 * Leaves a source alone for a moment that failed several times in a row, so that calls which would wait for nothing
 * are answered at once, and the source has time to recover. After each pause one lookup finds out whether it has.
 */
export class Circuit {
  readonly #now: () => number
  #failuresInRow = 0
  #lastFailure = 0

  constructor(now: () => number) {
    this.#now = now
  }

  /** Whether the source is being left alone. */
  isOpen(): boolean {
    if (this.#failuresInRow < failuresInRowMax) return false
    const since = this.#now() - this.#lastFailure
    // A clock that was set back must not make the pause longer.
    return since >= 0 && since < pauseMs
  }

  /** Whether the source may be asked now. After a pause, the one who is told yes tries it for all the others. */
  admits(): boolean {
    if (this.isOpen()) return false
    if (this.#failuresInRow >= failuresInRowMax) this.#lastFailure = this.#now()
    return true
  }

  /** The source has answered, whatever it said. */
  answered(): void {
    this.#failuresInRow = 0
  }

  /** The source has failed. */
  failed(): void {
    this.#failuresInRow += 1
    this.#lastFailure = this.#now()
  }
}
