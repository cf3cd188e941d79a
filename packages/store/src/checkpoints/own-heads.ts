import { encodeFrontier, type Frontier } from '@bailiwick/core'

/** How many are remembered: some seconds of the busiest log. */
const headsMax = 4_096

/**
 * The heads that this process has committed lately. The sequencer builds each on the one before, or on what it has
 * followed from there, so of two of them the longer log contains the shorter, and no record has to be read to know it.
 * What is not among them says nothing.
 */
export class OwnHeads {
  /** By size, in the order in which they were committed. */
  readonly #heads = new Map<number, Frontier>()

  committed(head: Frontier): void {
    this.#heads.set(head.size, head)
    if (this.#heads.size <= headsMax) return
    for (const size of this.#heads.keys()) {
      this.#heads.delete(size)
      break
    }
  }

  /** Whether both were committed here, and `later` is not the shorter log. */
  areOneLog(earlier: Frontier, later: Frontier): boolean {
    return earlier.size <= later.size && this.#has(earlier) && this.#has(later)
  }

  /** Nothing that is shorter is asked for again. */
  forgetBefore({ size: end }: Frontier): void {
    for (const size of this.#heads.keys()) {
      if (size >= end) break
      this.#heads.delete(size)
    }
  }

  #has(head: Frontier): boolean {
    const own = this.#heads.get(head.size)
    return own !== undefined && (own === head || encodeFrontier(own).equals(encodeFrontier(head)))
  }
}
