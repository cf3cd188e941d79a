/** Choices that look random and are the same on every run: a seed fixes all of them. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** From 0 up to, and without, 1. The generator is mulberry32. */
  fraction(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  /** A whole number, both ends included. */
  whole(min: number, max: number): number {
    return min + Math.floor(this.fraction() * (max - min + 1))
  }

  chance(share: number): boolean {
    return this.fraction() < share
  }

  /** One of the items. @throws where there is none to pick */
  pick<Item>(items: readonly Item[]): Item {
    const item = items[this.whole(0, items.length - 1)]
    if (item === undefined) throw new RangeError('there is nothing to pick from')
    return item
  }

  /** Some of the items, in their order: at least `min`, where there are as many. */
  some<Item>(items: readonly Item[], min: number, max: number): Item[] {
    const wanted = Math.min(this.whole(min, max), items.length)
    const rest = [...items.keys()]
    const taken = Array.from({ length: wanted }, () => rest.splice(this.whole(0, rest.length - 1), 1)[0] ?? 0)
    return taken.sort((a, b) => a - b).flatMap((at) => items.slice(at, at + 1))
  }
}
