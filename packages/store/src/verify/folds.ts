import type pg from 'pg'
import { FactStore } from './fact-store.ts'
import type { FactHand, Runner } from './runner.ts'
import { storedParts } from './stored-facts.ts'

/** Says quickly, and in bounded memory, whether the tables that are folded from the records say what these say. */
export class Folds {
  readonly #store: FactStore
  #failed = false

  /** @param size how many records there are */
  constructor(size: number) {
    this.#store = new FactStore(size)
  }

  /** Takes what records say, in the order of the log, or what is stored. */
  add(facts: Uint8Array): void {
    if (this.#failed) return
    try {
      this.#store.add(facts)
    } catch (error) {
      // The temporary file could not be written: then the comparison is PostgreSQL's.
      if (!hasErrno(error)) throw error
      this.#failed = true
    }
  }

  /**
   * Reads the tables and compares.
   *
   * @param client in the runners' snapshot
   * @returns true where they certainly agree; otherwise somebody has to look closely
   */
  async agree(client: pg.Client, runners: readonly Runner[]): Promise<boolean> {
    const hand: FactHand = (facts) => this.add(facts)
    const parts = await storedParts(client)
    const read = parts.map(async (part, at) => await runners[at % runners.length]?.stored(part, hand))
    const isWhole = await Promise.all(read)
    return isWhole.every((whole) => whole === true) && !this.#failed && (await this.#judged(runners))
  }

  async #judged(runners: readonly Runner[]): Promise<boolean> {
    const underWay: Promise<boolean>[] = []
    try {
      let count = 0
      for (const facts of this.#store.groups()) {
        const judged = runners[count % runners.length]?.agree(facts) ?? Promise.resolve(false)
        // Heard when its turn comes, if it does.
        judged.catch(() => undefined)
        underWay.push(judged)
        count += 1
        if (underWay.length > runners.length && (await underWay.shift()) === false) return false
      }
    } catch (error) {
      // The temporary file could not be read.
      if (hasErrno(error)) return false
      throw error
    }
    return (await Promise.all(underWay)).every(Boolean)
  }

  /** Lets go of what it holds. */
  close(): void {
    this.#store.close()
  }
}

/** Whether it is an error of the operating system. */
function hasErrno(error: unknown): boolean {
  return error instanceof Error && 'errno' in error
}
