import { hash } from 'node:crypto'
import { Fault } from '../model/fault.ts'
import { hashBytes, nodeHash, type Frontier } from './frontier.ts'

/**
 * What must be kept of the leaves from `start` up to, not including, `end`, so that they can be joined to what lies
 * before them: the roots of the largest complete subtrees that they fill, from left to right.
 */
export interface CompactRange {
  readonly start: number
  readonly end: number
  readonly hashes: readonly Uint8Array[]
}

/** A position's length in binary digits, at the most. A range holds at most two subtrees of each width. */
const sizeBits = 53

// Positions pass 2^31, so nothing here uses JavaScript's 32-bit operators on them.

/** Takes leaves one after the other, from any position on, and keeps at most 2·log2 hashes of them. */
export class RangeBuilder {
  readonly start: number
  #end: number
  // One buffer for all: a buffer for each hash costs more than the hashing.
  readonly #stack = Buffer.allocUnsafe((2 * sizeBits + 1) * hashBytes)
  readonly #node = Buffer.alloc(1 + 2 * hashBytes, 1)
  #top = 0

  /** @param start the position of the first leaf: 0 or more */
  constructor(start: number) {
    this.start = start
    this.#end = start
  }

  /** The position that the next leaf will have. */
  get end(): number {
    return this.#end
  }

  /** The next leaf's hash, of 32 bytes; it is copied. */
  push(leaf: Uint8Array): void {
    this.#stack.set(leaf, this.#top)
    this.#top += hashBytes
    // The leaf closes a subtree for each trailing 1 in its position's binary digits, as long as the range has its left half.
    let width = 2
    for (let rest = this.#end; rest % 2 === 1; rest = (rest - 1) / 2) {
      if (this.#end + 1 - width < this.start) break
      this.#closeTopTwo()
      width *= 2
    }
    this.#end += 1
  }

  /** Everything so far. The builder can go on. */
  range(): CompactRange {
    const hashes: Uint8Array[] = []
    for (let at = 0; at < this.#top; at += hashBytes) {
      hashes.push(new Uint8Array(this.#stack.subarray(at, at + hashBytes)))
    }
    return { start: this.start, end: this.#end, hashes }
  }

  #closeTopTwo(): void {
    this.#top -= hashBytes
    this.#stack.copy(this.#node, 1, this.#top - hashBytes, this.#top + hashBytes)
    this.#stack.write(hash('sha256', this.#node, 'binary'), this.#top - hashBytes, 'binary')
  }
}

/** How many leaves each hash of the range covers, from left to right. */
function widthsOf({ start, end }: CompactRange): number[] {
  const widths: number[] = []
  for (let at = start; at < end;) {
    let width = 1
    while (at % (width * 2) === 0 && at + width * 2 <= end) width *= 2
    widths.push(width)
    at += width
  }
  return widths
}

/**
 * The frontier with the range's leaves behind its own.
 *
 * @throws Fault `bad_input` for a range that does not start where the frontier ends, or has another number of hashes than
 *   its positions call for
 */
export function joinRange(frontier: Frontier, range: CompactRange): Frontier {
  const widths = widthsOf(range)
  if (range.start !== frontier.size || widths.length !== range.hashes.length) {
    throw new Fault('bad_input', `the range from ${range.start} does not continue ${frontier.size} records`, {
      fix: 'Join ranges in order, each where the last one ended.',
    })
  }
  const hashes = [...frontier.hashes]
  let size = frontier.size
  for (const [at, width] of widths.entries()) {
    hashes.push(Buffer.from(range.hashes[at] ?? []))
    for (let rest = size / width; rest % 2 === 1; rest = (rest - 1) / 2) {
      const right = hashes.pop() ?? Buffer.alloc(0)
      const left = hashes.pop() ?? Buffer.alloc(0)
      hashes.push(nodeHash(left, right))
    }
    size += width
  }
  return { size, hashes }
}
