import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hasQuorum } from '../../src/approval/quorum.ts'
import type { Vote } from '../../src/model/approval.ts'
import type { Instant, PersonId } from '../../src/model/ids.ts'

const vote = (person: string, more: Partial<Vote> = {}): Vote => ({
  person: person as PersonId,
  vote: 'approve',
  at: 0 as Instant,
  ...more,
})
const inStead = (person: string, principal: string) => vote(person, { for: principal as PersonId })
const standing = (person: string, ...counts: string[]) => vote(person, { counts })

describe('a quorum', () => {
  test.each([
    [2, [vote('ann')], false],
    [2, [vote('ann'), vote('bob')], true],
    [2, [vote('ann'), vote('ann')], false],
    // A delegate is neither twice themself nor twice the delegator.
    [2, [vote('ann'), inStead('ann', 'bob')], false],
    [2, [vote('bob'), inStead('ann', 'bob')], false],
    [2, [inStead('ann', 'bob'), inStead('ann', 'eve')], false],
    [2, [inStead('ann', 'bob'), inStead('eve', 'bob')], false],
    [2, [inStead('ann', 'bob'), vote('bob')], false],
    [2, [inStead('ann', 'bob'), vote('eve')], true],
  ] as const)('of %i: %j is enough: %s', (quorum, votes, enough) => {
    expect(hasQuorum({ quorum }, votes)).toBe(enough)
  })

  const both = { quorum: 2, quorumOf: { 'role:finance': 1, 'role:legal': 1 } }
  test.each([
    [[standing('ann', 'role:finance'), standing('bob', 'role:legal')], true],
    [[standing('ann', 'role:finance', 'role:legal'), standing('bob', 'role:legal')], true],
    [[standing('bob', 'role:legal'), standing('ann', 'role:finance', 'role:legal')], true],
    [[standing('ann', 'role:finance', 'role:legal')], false],
    [[standing('ann', 'role:finance'), standing('bob', 'role:finance')], false],
    [[standing('ann', 'role:finance'), standing('bob')], false],
  ] as const)('of one from finance and one from legal, two people: %j is enough: %s', (votes, enough) => {
    expect(hasQuorum(both, votes)).toBe(enough)
  })

  // The marriage theorem, tried out by brute force.
  test('k of each is met exactly where people can be given to places, each to one', () => {
    const entries = ['role:a', 'role:b', 'role:c']
    const people = fc.array(fc.subarray(entries), { maxLength: 5 })
    const wanted = fc.array(fc.constantFrom(...entries), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(people, wanted, (standings, places) => {
        const votes = standings.map((counts, nth) => standing(`p${nth}`, ...counts))
        const quorumOf: Record<string, number> = {}
        for (const place of places) quorumOf[place] = (quorumOf[place] ?? 0) + 1
        const fits = (left: readonly string[], free: readonly (readonly string[])[]): boolean => {
          const [place, ...more] = left
          if (place === undefined) return true
          return free.some((counts, nth) => counts.includes(place) && fits(more, free.toSpliced(nth, 1)))
        }
        expect(hasQuorum({ quorum: places.length, quorumOf }, votes)).toBe(fits(places, standings))
      }),
    )
  })
})
