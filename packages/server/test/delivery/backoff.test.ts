import { expect, test } from 'vitest'
import fc from 'fast-check'
import type { Instant } from '@bailiwick/core'
import { deliveryAttemptsMax, nextAttemptAt } from '../../src/delivery/backoff.ts'

const start = 1_763_632_800_000 as Instant

/** The instants of all attempts at a message that always fails. */
function attemptsOf(random: () => number): readonly number[] {
  const instants: number[] = []
  let at: Instant | null = start
  while (at !== null) {
    instants.push(at)
    at = nextAttemptAt(instants.length, at, random)
  }
  return instants
}

test('a message that always fails is sent 12 times within about a day, and then no more', () => {
  const instants = attemptsOf(() => 0.5)
  expect(instants).toHaveLength(deliveryAttemptsMax)
  expect(instants.slice(0, 4).map((at) => at - start)).toEqual([0, 5000, 20_000, 65_000])
  const hours = ((instants.at(-1) ?? 0) - start) / 3_600_000
  expect(hours).toBeGreaterThan(20)
  expect(hours).toBeLessThan(28)
})

test('no chance makes a wait shorter than 4 s or longer than 7.2 h', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (random) => {
      const instants = attemptsOf(() => random)
      const waits = instants.slice(1).map((at, index) => at - (instants[index] ?? 0))
      expect(Math.min(...waits)).toBeGreaterThanOrEqual(4000)
      expect(Math.max(...waits)).toBeLessThanOrEqual(7.2 * 3_600_000)
    }),
  )
})
