interface Kept<Value> {
  readonly value: Value
  readonly bytes: number
  /** When it was asked for: the answer is at least as young. */
  readonly askedAt: number
}

/** Answers that may be used again. The one that was not used for longest is dropped first. */
export class KeptAnswers<Value> {
  // In the order of their last use: a map gives its entries in the order in which they were added.
  readonly #kept = new Map<string, Kept<Value>>()
  readonly #entriesMax: number
  readonly #bytesMax: number
  #bytes = 0

  constructor(entriesMax: number, bytesMax: number) {
    this.#entriesMax = entriesMax
    this.#bytesMax = bytesMax
  }

  /** The answer, where it was asked for less than `ageMsMax` before `now`; never one from after `now`. */
  find(key: string, now: number, ageMsMax: number): { readonly value: Value } | undefined {
    const found = this.#kept.get(key)
    if (found === undefined || !isYoung(found.askedAt, now, ageMsMax)) return undefined
    this.#kept.delete(key)
    this.#kept.set(key, found)
    return found
  }

  /** Keeps an answer in place of an older one. One that is larger than all may be together is not kept. */
  keep(key: string, value: Value, { askedAt, bytes }: { askedAt: number; bytes: number }): void {
    // The key holds values of calls as well, and as many as the agent likes.
    const size = bytes + key.length
    const old = this.#kept.get(key)
    if (size > this.#bytesMax || (old !== undefined && old.askedAt > askedAt)) return
    this.#drop(key)
    this.#kept.set(key, { value, bytes: size, askedAt })
    this.#bytes += size
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= this.#entriesMax && this.#bytes <= this.#bytesMax) break
      this.#drop(oldest)
    }
  }

  #drop(key: string): void {
    this.#bytes -= this.#kept.get(key)?.bytes ?? 0
    this.#kept.delete(key)
  }
}

/** Whether something from `askedAt` may stand for something from `now`. Fails closed where the clock was set back. */
export function isYoung(askedAt: number, now: number, ageMsMax: number): boolean {
  const age = now - askedAt
  return age >= 0 && age < ageMsMax
}
