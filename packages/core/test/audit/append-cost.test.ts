import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  appendLeaf,
  appendLeaves,
  decodeFrontier,
  emptyFrontier,
  encodeFrontier,
  frontierRoot,
  hashBytes,
  leafHash,
  subtreeWidths,
  type Frontier,
} from '../../src/audit/frontier.ts'

const original = crypto.hash
let hashes = 0
// Node's own function, as everybody calls it: the code that is measured is the code that runs.
beforeAll(() => {
  const counting = (...args: Parameters<typeof crypto.hash>) => {
    hashes += 1
    return original(...args)
  }
  Object.assign(crypto, { hash: counting })
  syncBuiltinESMExports()
})
afterAll(() => {
  Object.assign(crypto, { hash: original })
  syncBuiltinESMExports()
})

function counted(work: () => unknown): number {
  const before = hashes
  work()
  return hashes - before
}

/** The frontier of a log of that size. What hashes are in it makes no difference to how many are worked out. */
function frontierAt(size: number): Frontier {
  return decodeFrontier(size, Buffer.alloc(subtreeWidths(size).length * hashBytes, size))
}

const leaf = original('sha256', 'leaf', 'buffer')
const most = 2 ** 20
const sizes = fc.oneof(
  fc.nat(most),
  // Where a record completes the most, and the least.
  fc.nat(20).chain((power) => fc.constantFrom(2 ** power - 1, 2 ** power)),
)
const digits = (size: number) => size.toString(2).length

describe('appending to a log costs O(log n) hashes', () => {
  test('what is counted is what is hashed', () => {
    expect(counted(() => leafHash('record'))).toBe(1)
    expect(counted(() => appendLeaves(emptyFrontier, Buffer.alloc(8 * hashBytes)))).toBe(7)
  })

  test('one record takes one for each level that it completes: none behind an even size, 20 behind 2^20 - 1', () => {
    fc.assert(
      fc.property(sizes, (size) => {
        const completed = /1*$/.exec(size.toString(2))?.[0].length ?? 0
        expect(counted(() => appendLeaf(frontierAt(size), leaf))).toBe(completed)
        expect(completed).toBeLessThanOrEqual(Math.log2(size + 1))
      }),
      { numRuns: 1_000, examples: [[0], [most - 1], [most]] },
    )
  })

  test('a batch takes fewer than it has records, and one for each level beside them', () => {
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 600 }), (size, count) => {
        const batch = Buffer.alloc(count * hashBytes, 1)
        const taken = counted(() => appendLeaves(frontierAt(size), batch))
        expect(taken).toBeLessThanOrEqual(count - 1 + digits(size))
      }),
      { numRuns: 300 },
    )
  })

  test('the root to be signed takes one for each subtree, and the head that is written down has as many hashes', () => {
    fc.assert(
      fc.property(sizes, (size) => {
        const frontier = appendLeaf(frontierAt(size), leaf)
        expect(counted(() => frontierRoot(frontier))).toBeLessThan(digits(size + 1))
        expect(encodeFrontier(frontier).length).toBeLessThanOrEqual(digits(size + 1) * hashBytes)
      }),
      { numRuns: 1_000 },
    )
  })

  test('the first 2^16 records, one by one, take fewer hashes of nodes than there are records', () => {
    const first = 2 ** 16
    let frontier = emptyFrontier
    const taken = counted(() => {
      for (let size = 0; size < first; size++) frontier = appendLeaf(frontier, leaf)
    })
    expect([frontier.size, frontier.hashes.length, taken]).toEqual([first, 1, first - 1])
  })
})
