import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  canonicalDepthMax,
  canonicalJson,
  canonicalJsonOfPresent,
  frozenCopy,
  jsonProblem,
} from '../../src/model/canonical-json.ts'
import type { Json } from '../../src/model/json.ts'
import { evaluationRows } from '../audit/evaluation.ts'

interface Vector {
  id: string
  input?: string
  ieee754_hex?: string
  canonical: string
  canonical_hex?: string
}

const vectors = evaluationRows<Vector>('vectors/jcs.jsonl', 'the published vectors of RFC 8785')
describe.skipIf(vectors.absent)(vectors.title, () => {
  test('are all there', () => {
    expect(vectors.rows).toHaveLength(30)
  })

  test.each(vectors.rows)('$id', ({ input, ieee754_hex, canonical, canonical_hex }) => {
    const value =
      input === undefined ? Buffer.from(ieee754_hex ?? '', 'hex').readDoubleBE() : (JSON.parse(input) as Json)
    expect(canonicalJson(value)).toBe(canonical)
    if (canonical_hex !== undefined) {
      expect(Buffer.from(canonicalJson(value)).toString('hex')).toBe(canonical_hex)
    }
  })
})

/** Passes JSON to functions that outside callers reach without a type checker. */
function untyped(value: unknown): Json {
  return value as Json
}

function nested(levels: number): Json {
  let value: Json = []
  for (let level = 1; level < levels; level++) value = [value]
  return value
}

const cycle: unknown[] = []
cycle.push(cycle)

const notJson: [string, unknown, string][] = [
  ['NaN', Number.NaN, 'is NaN'],
  ['infinity', Infinity, 'is infinite'],
  ['negative infinity', -Infinity, 'is infinite'],
  ['undefined', undefined, 'is undefined'],
  ['a function', () => 1, 'is a function'],
  ['a symbol', Symbol('s'), 'is a symbol'],
  ['a bigint', 1n, 'is a bigint'],
  ['a lone surrogate', 'a\ud800b', 'contains half of a surrogate pair'],
  ['a date', new Date(0), 'is not a plain object'],
  ['a map', new Map(), 'is not a plain object'],
  ['a class instance', new (class Refund {})(), 'is not a plain object'],
  ['an object made from another', Object.create({ amount: 1 }), 'is not a plain object'],
]

describe('canonical JSON', () => {
  test('orders names by UTF-16 code units at every level, and keeps the order of lists', () => {
    const value = { b: [{ z: 1, a: 2 }, 1], '\u{1f602}': 1, '\ufb33': 2, a: null, '': true }
    expect(canonicalJson(value)).toBe('{"":true,"a":null,"b":[{"a":2,"z":1},1],"\u{1f602}":1,"\ufb33":2}')
  })

  test('reads back as the value, is the same for every order of names, and is a fixed point', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (generated) => {
        const value = JSON.parse(JSON.stringify(generated)) as Json
        const text = canonicalJson(value)
        expect(JSON.parse(text)).toEqual(value)
        expect(canonicalJson(reversedNames(value))).toBe(text)
        expect(canonicalJson(JSON.parse(text) as Json)).toBe(text)
      }),
    )
  })

  test('keeps a member named __proto__ as data', () => {
    const value = JSON.parse('{"z":1,"__proto__":{"admin":true}}') as Json
    expect(canonicalJson(value)).toBe('{"__proto__":{"admin":true},"z":1}')
  })

  test.each(notJson)('refuses %s, and so does the copy', (_, value) => {
    expect(() => canonicalJson(untyped(value))).toThrow(expect.objectContaining({ code: 'malformed_call' }))
    expect(() => canonicalJson(untyped({ list: [value] }))).toThrow(
      expect.objectContaining({ code: 'malformed_call' }),
    )
    expect(() => frozenCopy(untyped({ list: [value] }))).toThrow(
      expect.objectContaining({ code: 'malformed_call' }),
    )
  })

  test('refuses a lone surrogate in a name, a cycle, and nesting that is too deep', () => {
    for (const value of [{ '\udc00': 1 }, untyped(cycle), nested(canonicalDepthMax + 1)]) {
      expect(() => canonicalJson(value)).toThrow(expect.objectContaining({ code: 'malformed_call' }))
      expect(() => frozenCopy(value)).toThrow(expect.objectContaining({ code: 'malformed_call' }))
    }
    expect(canonicalJson(nested(canonicalDepthMax))).toHaveLength(2 * canonicalDepthMax)
  })

  test('refuses undefined members unless they are to be left out', () => {
    const value = { b: undefined, a: { c: undefined, d: 1 } }
    expect(() => canonicalJson(untyped(value))).toThrow('is undefined')
    expect(canonicalJsonOfPresent(value)).toBe('{"a":{"d":1}}')
    expect(() => canonicalJsonOfPresent({ list: [undefined] })).toThrow('is undefined')
  })
})

function reversedNames(value: Json): Json {
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) return value.map((item: Json) => reversedNames(item))
  const members = Object.entries(value).reverse()
  return Object.fromEntries(members.map(([name, member]) => [name, reversedNames(member)]))
}

describe('what is wrong with a value', () => {
  test.each(notJson)('is said of %s, with its place', (_, value, what) => {
    expect(jsonProblem(value, 'params', 64)).toBe(`params ${what}`)
    expect(jsonProblem({ items: [1, { amount: value }] }, 'params', 64)).toBe(
      `params.items[1].amount ${what}`,
    )
  })

  test('is nothing for JSON of any shape', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        expect(jsonProblem(value, 'params', 64)).toBeUndefined()
      }),
    )
    expect(jsonProblem(Object.assign(Object.create(null), { a: 1 }), 'params', 64)).toBeUndefined()
    expect(jsonProblem(JSON.parse('{"__proto__":{"a":[]}}'), 'params', 64)).toBeUndefined()
  })

  test('is said of properties that could change or hide between the check and the use', () => {
    const computed = Object.defineProperty({}, 'amount', { get: () => 1, enumerable: true })
    const hidden = Object.defineProperty({}, 'amount', { value: 1 })
    const extra = Object.assign([1], { amount: 2 })
    const holes: number[] = [1]
    holes[2] = 3
    class Items extends Array<number> {}

    expect(jsonProblem(computed, 'params', 64)).toBe('params.amount is computed by a getter')
    expect(jsonProblem(hidden, 'params', 64)).toBe('params.amount is a hidden property')
    expect(jsonProblem({ [Symbol('s')]: 1 }, 'params', 64)).toBe('params has a symbol as a name')
    expect(jsonProblem(extra, 'params', 64)).toBe('params is an array with extra properties')
    expect(jsonProblem(holes, 'params', 64)).toBe('params[1] is missing from its array')
    expect(jsonProblem(new Items(), 'params', 64)).toBe('params is not a plain array')
  })

  test('shows odd names safely on one line', () => {
    expect(jsonProblem({ 'a b\n': Number.NaN }, 'params', 64)).toBe('params["a b\\n"] is NaN')
    expect(jsonProblem({ ['x'.repeat(500)]: Number.NaN }, 'params', 64)).toBe(
      `params["${'x'.repeat(40)}…"] is NaN`,
    )
    expect(jsonProblem({ '\ud800': 1 }, 'params', 64)).toBe('params has half of a surrogate pair in a name')
  })

  test('is said of nesting beyond the limit, and of cycles, but not at the limit', () => {
    expect(jsonProblem(nested(64), 'params', 64)).toBeUndefined()
    expect(jsonProblem(nested(65), 'params', 64)).toBe('params nests too deep, or contains itself')
    expect(jsonProblem(cycle, 'params', 64)).toBe('params nests too deep, or contains itself')
  })

  test('is said of shared parts that unfold without end', () => {
    let value: Json = 1
    for (let level = 0; level < 60; level++) value = [value, value]
    expect(jsonProblem(value, 'params', 64)).toBe('params holds more than 1000000 values')
  })
})

describe('a frozen copy', () => {
  test('equals its original, cannot be changed at any level, and follows no later change', () => {
    const original = { amount: 1, items: [{ sku: 'a' }] }
    const copy = frozenCopy(original)
    expect(copy).toEqual({ amount: 1, items: [{ sku: 'a' }] })
    original.amount = 2
    expect(copy.amount).toBe(1)
    expect([copy, copy.items, copy.items[0]].every(Object.isFrozen)).toBe(true)
  })

  test('keeps a member named __proto__ as data and gives nothing a new prototype', () => {
    const copy = frozenCopy(JSON.parse('{"__proto__":{"admin":true}}') as { admin?: boolean })
    expect(copy.admin).toBeUndefined()
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype)
    expect(canonicalJson(copy)).toBe('{"__proto__":{"admin":true}}')
  })

  test('has 0 for -0, as its record will', () => {
    expect(Object.is(frozenCopy([-0])[0], 0)).toBe(true)
  })

  test('has the canonical JSON of its original', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(canonicalJson(frozenCopy(value as Json))).toBe(canonicalJson(value as Json))
      }),
    )
  })
})
