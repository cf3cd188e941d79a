import type pg from 'pg'
import { FactStore } from './fact-store.ts'
import type { Fact } from './facts.ts'
import { disagreeing, type JudgedAs } from './judge.ts'
import type { FactHand, Runner } from './runner.ts'
import { storedParts } from './stored-facts.ts'

/** Says quickly, and in bounded memory, whether the tables that are folded from the records say what these say. */
export class Folds {
  readonly #store: FactStore
  #failed: Error | undefined

  /** @param size how many records there are */
  constructor(size: number) {
    this.#store = new FactStore(size)
  }

  /** Takes what records say, in the order of the log, or what is stored. */
  add(facts: Uint8Array): void {
    if (this.#failed !== undefined) return
    try {
      this.#store.add(facts)
    } catch (error) {
      // The temporary file could not be written: then the comparison is PostgreSQL's.
      if (!hasErrno(error)) throw error
      this.#failed = error
    }
  }

  /**
   * Reads the tables and compares.
   *
   * @param client in the runners' snapshot
   * @returns true where they certainly agree; otherwise somebody has to look closely
   */
  async agree(client: pg.Client, runners: readonly Runner[]): Promise<boolean> {
    return (await this.addStored(client, runners)) && (await this.#judged(runners))
  }

  /**
   * Reads the tables.
   *
   * @param client in the runners' snapshot
   * @returns whether everything of them was taken
   */
  async addStored(client: pg.Client, runners: readonly Runner[]): Promise<boolean> {
    const hand: FactHand = (facts) => this.add(facts)
    const parts = await storedParts(client)
    const read = parts.map(async (part, at) => await runners[at % runners.length]?.stored(part, hand))
    const isWhole = await Promise.all(read)
    return isWhole.every((whole) => whole === true) && this.#failed === undefined
  }

  /**
   * Facts of one key that do not agree, those of `earlier` records first; undefined where all agree.
   *
   * @param earlier for as many records as this
   * @throws the operating system's error where a temporary file could not be written, or read
   */
  disagreeing(earlier: Folds, as: JudgedAs): readonly Fact[] | undefined {
    for (const folds of [earlier, this]) if (folds.#failed !== undefined) throw folds.#failed
    for (const facts of this.#store.groups(earlier.#store)) {
      const found = disagreeing(facts, as)
      if (found !== undefined) return found
    }
    return undefined
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
function hasErrno(error: unknown): error is Error {
  return error instanceof Error && 'errno' in error
}
