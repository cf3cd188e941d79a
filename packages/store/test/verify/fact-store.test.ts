import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FactStore } from '../../src/verify/fact-store.ts'
import { factAt, factLength, FactWriter, tags } from '../../src/verify/facts.ts'

/** The indices of all facts, by key, in the order in which they lie. */
function indicesByKey(pieces: Iterable<Uint8Array>): Map<string, number[]> {
  const found = new Map<string, number[]>()
  for (const piece of pieces) {
    const bytes = Buffer.from(piece)
    for (let at = 0; at < bytes.length; at += factLength(bytes, at)) {
      const key = bytes.toString('latin1', at + 8, at + 24)
      found.set(key, [...(found.get(key) ?? []), factAt(bytes, at).index])
    }
  }
  return found
}

test('facts come back by their keys, each in its order, whether they fit into memory or not', () => {
  const facts = fc.array(fc.tuple(fc.nat(60), fc.boolean()), { minLength: 1, maxLength: 3000 })
  fc.assert(
    fc.property(
      facts,
      fc.constantFrom(0, 20_000, 1_000_000),
      fc.integer({ min: 1, max: 500 }),
      (all, memory, each) => {
        const writer = new FactWriter('secret')
        const store = new FactStore(200_000, memory)
        const pieces: Uint8Array[] = []
        for (const [index, [key, long]] of all.entries()) {
          writer.add(long ? tags.voteSaid : tags.callSaid, `key ${key}`, { index, detail: 'd'.repeat(16) })
          if (index % each === 0 || index === all.length - 1) {
            const piece = writer.take()
            pieces.push(piece)
            store.add(piece)
          }
        }
        const groups = [...store.groups()]
        store.close()
        expect(indicesByKey(groups)).toEqual(indicesByKey(pieces))
        // All facts of a key are in one group.
        const keys = groups.flatMap((group) => [...indicesByKey([group]).keys()])
        expect(new Set(keys).size).toBe(keys.length)
      },
    ),
    { numRuns: 40 },
  )
})

test('a fact carries tag, code, index and detail, and what is no index makes nothing certain', () => {
  const writer = new FactWriter('secret')
  const detail = Buffer.from(Array.from({ length: 16 }, (_, at) => at * 17)).toString('latin1')
  writer.add(tags.sumStored, 'a key', { index: 2 ** 48 - 1, code: 255, detail })
  expect(factAt(Buffer.from(writer.take()), 0)).toEqual({
    tag: tags.sumStored,
    code: 255,
    index: 2 ** 48 - 1,
    detail,
  })
  expect(writer.isOdd).toBe(false)
  for (const index of [-1, 2 ** 48, 1.5, Number.NaN, Number.MAX_SAFE_INTEGER]) {
    const odd = new FactWriter('secret')
    odd.add(tags.callSaid, 'a key', { index })
    expect({ isOdd: odd.isOdd, length: odd.length }, String(index)).toEqual({ isOdd: true, length: 0 })
  }
})

test('keys of one run are not those of another', () => {
  const one = new FactWriter('secret')
  const other = new FactWriter('another')
  expect(one.digest('a key')).not.toBe(other.digest('a key'))
  expect(one.digest('a key')).toBe(new FactWriter('secret').digest('a key'))
})
