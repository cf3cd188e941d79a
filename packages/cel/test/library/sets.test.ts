import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CelDuration, CelTimestamp, CelUint } from '../../src/value.ts'
import type { CelValue } from '../../src/value.ts'
import { call, failureOf, invoke } from './calling.ts'

describe('lists as sets', () => {
  test('intersects where one item is in both, is a subset where all are', () => {
    expect(invoke(['pii', 'eu'], 'intersects', ['secret', 'pii'])).toBe(true)
    expect(invoke(['pii', 'eu'], 'intersects', ['secret'])).toBe(false)
    expect(invoke(['a'], 'subsetOf', ['a', 'b'])).toBe(true)
    expect(invoke(['a', 'c'], 'subsetOf', ['a', 'b'])).toBe(false)
    expect(call('sets.contains', ['a', 'b'], ['b', 'b'])).toBe(true)
    expect(call('sets.contains', ['a'], ['a', 'b'])).toBe(false)
    expect(call('sets.equivalent', ['a', 'b', 'a'], ['b', 'a'])).toBe(true)
    expect(call('sets.equivalent', ['a'], ['a', 'b'])).toBe(false)
  })

  test('of no items are within all and meet none', () => {
    expect(invoke([], 'subsetOf', ['a'])).toBe(true)
    expect(invoke([], 'intersects', ['a'])).toBe(false)
    expect(call('sets.equivalent', [], [])).toBe(true)
    expect(call('sets.contains', [], ['a'])).toBe(false)
  })

  test('agree with looking at each pair', () => {
    const items = fc.array(fc.constantFrom<CelValue>('a', 'b', 'c', 'd'), { maxLength: 5 })
    fc.assert(
      fc.property(items, items, (left, right) => {
        expect(invoke(left, 'intersects', right)).toBe(left.some((each) => right.includes(each)))
        expect(invoke(left, 'subsetOf', right)).toBe(left.every((each) => right.includes(each)))
        expect(call('sets.intersects', left, right)).toBe(invoke(right, 'intersects', left))
        expect(call('sets.contains', left, right)).toBe(invoke(right, 'subsetOf', left))
        expect(call('sets.equivalent', left, right)).toBe(
          left.every((each) => right.includes(each)) && right.every((each) => left.includes(each)),
        )
      }),
    )
  })

  test('count numbers as equal by value, whatever their kind', () => {
    expect(invoke([1n, 2], 'subsetOf', [2n, new CelUint(1n), 0.5])).toBe(true)
    expect(invoke([2n ** 53n + 1n], 'intersects', [2 ** 53])).toBe(false)
    expect(invoke([0], 'intersects', [-0])).toBe(true)
    expect(invoke([new CelTimestamp(1n)], 'intersects', [new CelTimestamp(1n)])).toBe(true)
    expect(invoke([new Uint8Array([1])], 'intersects', [new Uint8Array([1])])).toBe(true)
  })

  test('of unlike items are an error and not "nothing of that"', () => {
    for (const other of [[5n], [true], [null], [new CelDuration(0n)], [new Uint8Array([97])]])
      expect(failureOf(invoke(['a'], 'intersects', other))).toBe('compares items of unlike kinds')
    expect(failureOf(invoke(['1'], 'subsetOf', [1n]))).toBe('compares items of unlike kinds')
    expect(failureOf(call('sets.equivalent', ['a', 1n], ['a']))).toBe('compares items of unlike kinds')
    // What is yes stays yes.
    expect(invoke(['a', 1n], 'intersects', ['a'])).toBe(true)
  })

  test('hold simple values: a tag in a list of its own is not passed over', () => {
    expect(failureOf(invoke([['secret']], 'intersects', ['secret']))).toBe('needs lists of simple values')
    expect(failureOf(invoke(['secret'], 'intersects', [{ secret: true }]))).toBe(
      'needs lists of simple values',
    )
    expect(failureOf(invoke([Number.NaN], 'subsetOf', [1]))).toBe('needs lists of simple values')
  })

  test('texts do not run into one another', () => {
    expect(invoke(['string a'], 'intersects', ['a'])).toBe(false)
    expect(invoke(['null'], 'intersects', ['null '])).toBe(false)
  })
})
