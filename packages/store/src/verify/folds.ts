import { FactStore } from './fact-store.ts'
import type { FactHand, Runner } from './runner.ts'
import { foldedTables } from './stored-facts.ts'

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
    } catch {
      // The temporary file could not be written: then the comparison is PostgreSQL's.
      this.#failed = true
    }
  }

  /** Reads the tables and compares. @returns true where they certainly agree; otherwise somebody has to look closely */
  async agree(runners: readonly Runner[]): Promise<boolean> {
    const hand: FactHand = (facts) => this.add(facts)
    const read = foldedTables.map(
      async (table, at) => await runners[at % runners.length]?.stored(table, hand),
    )
    const isWhole = await Promise.all(read)
    return isWhole.every((whole) => whole === true) && !this.#failed && this.#agree()
  }

  #agree(): boolean {
    try {
      return this.#store.agree()
    } catch {
      // The temporary file could not be read.
      return false
    }
  }

  /** Lets go of what it holds. */
  close(): void {
    this.#store.close()
  }
}
