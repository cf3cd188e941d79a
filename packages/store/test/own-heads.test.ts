import { randomBytes } from 'node:crypto'
import { appendLeaves, decodeFrontier, emptyFrontier, encodeFrontier, type Frontier } from '@bailiwick/core'
import { expect, test } from 'vitest'
import { OwnHeads } from '../src/checkpoints/own-heads.ts'

/** Heads of one log, each some records longer than the one before. */
function heads(count: number, from: Frontier = emptyFrontier): Frontier[] {
  const made: Frontier[] = []
  for (let at = 0; at < count; at++) {
    const leaves = Array.from({ length: 1 + (at % 3) }, () => randomBytes(32))
    made.push(appendLeaves(made.at(-1) ?? from, leaves))
  }
  return made
}

/** As it comes back from the database. */
function stored(head: Frontier): Frontier {
  return decodeFrontier(head.size, encodeFrontier(head))
}

function ownOf(list: readonly Frontier[]): OwnHeads {
  const own = new OwnHeads()
  for (const head of list) own.committed(head)
  return own
}

test('of two heads that were committed here, the later one goes on with the earlier one', () => {
  const list = heads(9)
  const own = ownOf(list)
  for (const [at, earlier] of list.entries()) {
    for (const later of list.slice(at)) expect(own.areOneLog(stored(earlier), stored(later))).toBe(true)
  }
})

test('a shorter log does not go on with a longer one, even where both are its own', () => {
  const [first, second] = heads(2)
  if (first === undefined || second === undefined) throw new Error('two heads')
  expect(ownOf([first, second]).areOneLog(second, first)).toBe(false)
})

test('of a head that somebody else wrote nothing is known, also where it has the size of an own one', () => {
  const [common] = heads(1)
  const mine = heads(4, common)
  const others = heads(4, common)
  const own = ownOf([...(common ? [common] : []), ...mine])
  for (const other of others) {
    if (common !== undefined) expect(own.areOneLog(common, stored(other))).toBe(false)
    expect(own.areOneLog(stored(other), mine[3] ?? other)).toBe(false)
  }
})

test('what lies before a published head is forgotten, and that one is not', () => {
  const list = heads(6)
  const own = ownOf(list)
  const [first, , third, , , last] = list
  if (first === undefined || third === undefined || last === undefined) throw new Error('six heads')
  own.forgetBefore(third)
  expect(own.areOneLog(first, last)).toBe(false)
  expect(own.areOneLog(third, last)).toBe(true)
})

test('only so many are remembered', () => {
  const list = heads(5_000)
  const own = ownOf(list)
  const [first, last, recent] = [list[0], list.at(-1), list.at(-4_000)]
  if (first === undefined || last === undefined || recent === undefined) throw new Error('many heads')
  expect(own.areOneLog(first, last)).toBe(false)
  expect(own.areOneLog(recent, last)).toBe(true)
})
