import fc from 'fast-check'
import { expect, test } from 'vitest'
import { randomPool } from '../src/log/random-pool.ts'

test('as many bytes are given as are asked for, and none is given twice', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.nat(64), fc.nat(200_000)), { maxLength: 20 }), (sizes) => {
      const take = randomPool()
      const taken = sizes.map((size) => ({ size, bytes: take(size) }))
      // Each is overwritten with a number of its own: shared memory would show another's.
      for (const [at, { size, bytes }] of taken.entries()) {
        expect(bytes).toHaveLength(size)
        bytes.fill(at + 1)
      }
      for (const [at, { bytes }] of taken.entries()) expect(bytes.every((byte) => byte === at + 1)).toBe(true)
    }),
    { numRuns: 30 },
  )
})

test('every piece is random, the last of a pool and the first of the next too', () => {
  const take = randomPool()
  const pieces = Array.from({ length: 5_000 }, () => take(32).toString('hex'))
  expect(new Set(pieces).size).toBe(pieces.length)
  expect(pieces.filter((piece) => /^0+$/.test(piece))).toEqual([])
})
