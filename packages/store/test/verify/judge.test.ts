import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FactWriter, tags, type Tag } from '../../src/verify/facts.ts'
import { allAgree } from '../../src/verify/judge.ts'

interface Some {
  readonly tag: Tag
  readonly key: string
  readonly index: number
  readonly code: number
}

const written = (facts: readonly Some[]): Uint8Array<ArrayBuffer> => {
  const writer = new FactWriter('secret')
  for (const { tag, key, index, code } of facts) writer.add(tag, key, { index, code })
  return writer.take()
}

const call = (key: string, index: number, code = 0): Some => ({ tag: tags.callSaid, key, index, code })
const row = (key: string, index: number): Some => ({ tag: tags.callStored, key, index, code: 0 })

test.each([
  ['a call and the row that names its decision', [call('a', 7), row('a', 7)], true],
  ['a denied call that stands', [call('a', 7, 1), row('a', 7)], true],
  ['a row that names another decision', [call('a', 7), row('a', 8)], false],
  ['a row whose decision differs in the highest byte', [call('a', 7), row('a', 7 + 2 ** 40)], false],
  ['a call without a row', [call('a', 7)], false],
  ['a row without a call', [row('a', 7)], false],
  ['two rows of one call', [call('a', 7), row('a', 7), row('a', 7)], false],
  ['a denied call, and one that was allowed', [call('a', 7, 1), call('a', 9), row('a', 9)], true],
  ['the same, and the row still names the denied one', [call('a', 7, 1), call('a', 9), row('a', 7)], false],
  [
    'two rows that name each other’s decision',
    [call('a', 11), call('b', 12), row('a', 12), row('b', 11)],
    false,
  ],
  ['a row that names what is archived', [row('a', 2)], true],
  ['nothing', [], true],
])('%s: the facts agree: %j', (_, facts, agree) => {
  expect(allAgree(written(facts), { floor: 5 })).toBe(agree)
})

test('facts agree just where those of each key do, whatever lies between them', () => {
  const key = fc.nat(40).map(String)
  const some = fc.oneof(
    { weight: 3, arbitrary: fc.tuple(key, fc.nat(30)).map(([name, at]) => [call(name, at), row(name, at)]) },
    fc
      .record({
        tag: fc.constantFrom(
          tags.callSaid,
          tags.callStored,
          tags.markSaid,
          tags.markStored,
          tags.outcomeSaid,
        ),
        key,
        index: fc.nat(30),
        code: fc.nat(1),
      })
      .map((one) => [one]),
  )
  let agreed = 0
  fc.assert(
    fc.property(fc.array(some, { maxLength: 30 }), fc.nat(10), (groups, floor) => {
      const facts = groups.flat()
      const keys = [...new Set(facts.map((fact) => fact.key))]
      const each = keys.every((name) =>
        allAgree(written(facts.filter((fact) => fact.key === name)), { floor }),
      )
      if (each) agreed += 1
      expect(allAgree(written(facts), { floor })).toBe(each)
    }),
    { numRuns: 1000 },
  )
  expect(agreed).toBeGreaterThan(50)
})
