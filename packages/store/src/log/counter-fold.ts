import type { Instant } from '@bailiwick/core'
import type { CounterWindows } from './counter-windows.ts'
import { decimalText, plus, type Decimal } from './decimal.ts'
import type { CounterRow, ReleasedRow } from './rows.ts'

/** What an allowed call used of one counter. */
export interface Use {
  readonly decision: number
  /** The digest of the counter's key. */
  readonly key: string
  readonly counter: string
  readonly at: number
  readonly amount: Decimal
  readonly windowMs: number
  readonly releasable: boolean
}

/** What the counters of budgets and rates have counted, as one batch finds and leaves it. */
export class CounterFold {
  readonly #memory: CounterWindows
  /** What may be given back, by decision. */
  readonly #uses = new Map<number, Use[]>()
  readonly #entries = new Map<string, Use>()
  readonly #released: ReleasedRow[] = []

  /** Writes what it adds into `memory`, which is then as of this batch. */
  constructor(memory: CounterWindows) {
    this.#memory = memory
  }

  /** Takes in uses that may be given back, as they were read. */
  load(uses: readonly Use[]): void {
    for (const use of uses) this.#mayRelease(use)
  }

  /** What has been used of a counter since then; undefined where that is not known. */
  used(key: string, since: Instant): number | undefined {
    return this.#memory.used(key, since)
  }

  /** Counts from here on. What is never given back is kept as one sum for the whole batch. */
  consume(use: Use): void {
    this.#memory.add(use.key, use.at, use.amount)
    if (use.releasable) this.#mayRelease(use)
    const id = use.releasable ? `${use.decision} ${use.key}` : use.key
    const before = this.#entries.get(id)
    this.#entries.set(id, before ? { ...before, amount: plus(before.amount, use.amount) } : use)
  }

  /** Gives back what a decision used of these counters. */
  release(decision: number, counters: ReadonlySet<string>): void {
    const uses = this.#uses.get(decision) ?? []
    this.#uses.delete(decision)
    for (const { key, counter, at, amount, releasable } of uses) {
      if (!releasable || !counters.has(counter)) continue
      this.#memory.subtract(key, at, amount)
      if (!this.#entries.delete(`${decision} ${key}`)) this.#released.push({ decision, key })
    }
  }

  /** Every row that the batch has to write. */
  rows(): { entries: readonly CounterRow[]; released: readonly ReleasedRow[] } {
    return { entries: [...this.#entries.values()].map(counterRow), released: this.#released }
  }

  #mayRelease(use: Use): void {
    const uses = this.#uses.get(use.decision)
    if (uses === undefined) this.#uses.set(use.decision, [use])
    else uses.push(use)
  }
}

function counterRow({ decision, key, counter, amount, windowMs, releasable }: Use): CounterRow {
  return { decision, key, counter, amount: decimalText(amount), window_ms: windowMs, releasable }
}
