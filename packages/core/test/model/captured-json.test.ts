import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalJson, frozenCopy, recordedJsonProblem } from '../../src/model/canonical-json.ts'
import { captureJson } from '../../src/model/captured-json.ts'
import type { JsonObject } from '../../src/model/json.ts'

const depthMax = 6

/** What the three careful functions say, one after the other. */
function carefully(context: JsonObject, params: JsonObject) {
  const problem =
    recordedJsonProblem(context, 'context', depthMax) ?? recordedJsonProblem(params, 'params', depthMax)
  if (problem !== undefined) return { kind: 'malformed', problem }
  const copies = { context: frozenCopy(context), params: frozenCopy(params) }
  return { kind: 'captured', ...copies, text: canonicalJson(copies) }
}

// Names that objects move, that set a prototype, and that sort by UTF-16; text with and without whole pairs.
const name = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 4 }),
  fc.constantFrom('__proto__', '10', '9', '-1', 'constructor', '\ufb33', '\u{1f602}', 'toJSON', '\\ud800'),
)
const leaf = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 4 }),
  fc.double(),
  fc.integer(),
  fc.boolean(),
  fc.constantFrom(null, -0, undefined, '\\ud800', '\ud800', 1n, new Date(0)),
)
const value = fc.letrec((tie) => ({
  any: fc.oneof({ depthSize: 'small', withCrossShrink: true }, leaf, tie('list'), tie('object')),
  list: fc.array(tie('any'), { maxLength: 3 }),
  object: fc
    .array(fc.tuple(name, tie('any')), { maxLength: 4 })
    .map((members) => Object.fromEntries(members) as object),
}))
const object = value.object as fc.Arbitrary<JsonObject>

// As JSON of it would be sent; what JSON has no form for is left out.
function jsonOf(object: JsonObject): string {
  return (
    JSON.stringify(object, (_, each: unknown) => (typeof each === 'bigint' ? Number(each) : each)) ?? '{}'
  )
}

describe('capturing what a caller hands over', () => {
  test('says what the careful functions say, of whatever is handed over', () => {
    fc.assert(
      fc.property(object, object, (context, params) => {
        const captured = captureJson({ context, params }, depthMax)
        const careful = carefully(context, params)
        // Which of several problems is told depends on the order of names.
        if (captured.kind === 'captured') expect(captured).toEqual(careful)
        else expect(careful.kind).toBe('malformed')
      }),
      { numRuns: 300 },
    )
  })

  test('says the same of what was parsed, whichever way it is told', () => {
    const text = fc.oneof(
      fc.tuple(object, object).map((both) => JSON.stringify(both.map((each) => JSON.parse(jsonOf(each))))),
      fc.constantFrom(
        '[{"__proto__":{"a":1}},{"10":1,"9":-0,"b":[1e999]}]',
        '[{"b":1,"a":{"__proto__":null,"10":[],"9":{}}},{"x":[[[[[[[1]]]]]]]}]',
        '[{},{"x":[[[[1]]]],"y":-0,"z":{"constructor":{"a":true}}}]',
      ),
    )
    fc.assert(
      fc.property(text, (json) => {
        const [context, params] = JSON.parse(json) as [JsonObject, JsonObject]
        const handed = captureJson({ context, params }, depthMax)
        expect(captureJson({ context, params }, depthMax, 'parsed')).toEqual(handed)
      }),
      { numRuns: 300 },
    )
  })

  test('gives copies that nobody can change, at any depth, and leaves what it was given alone', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (json) => {
        const params = { json } as JsonObject
        const captured = captureJson({ context: {}, params }, depthMax)
        if (captured.kind === 'malformed') throw new Error(captured.problem)
        expectFrozen(captured.params)
        expect(Object.isFrozen(params)).toBe(false)
      }),
    )
  })

  test('counts levels for each of the two alike', () => {
    const nested = (levels: number) => {
      let inner: JsonObject = {}
      for (let level = 1; level < levels; level++) inner = { inner }
      return inner
    }
    const [most, more] = [nested(depthMax), nested(depthMax + 1)]
    expect(captureJson({ context: most, params: most }, depthMax).kind).toBe('captured')
    expect(captureJson({ context: more, params: most }, depthMax).kind).toBe('malformed')
    expect(captureJson({ context: most, params: more }, depthMax).kind).toBe('malformed')
  })

  test.each([
    ['a getter', Object.defineProperty({}, 'amount', { get: () => 1, enumerable: true })],
    ['a hidden property', Object.defineProperty({}, 'amount', { value: 1 })],
    ['a symbol as a name', { [Symbol('s')]: 1 }],
    ['a hidden symbol as a name', Object.defineProperty({}, Symbol('s'), { value: 1 })],
    ['a prototype of its own', Object.create({ amount: 1 })],
    ['a hole', { list: Object.assign([], { 1: 2 }) }],
    ['an extra property of a list', { list: Object.assign([1], { amount: 2 }) }],
  ])('refuses an object with %s, as the careful functions do', (_, params: JsonObject) => {
    const captured = captureJson({ context: {}, params }, depthMax)
    expect(captured.kind).toBe('malformed')
    expect(captured).toEqual(carefully({}, params))
  })

  test('refuses what answers otherwise when it is asked again', () => {
    let asked = 0
    const changing = new Proxy<Record<string, number>>(
      { amount: 1 },
      { getPrototypeOf: () => (asked++ === 0 ? Array.prototype : Object.prototype) },
    )
    expect(captureJson({ context: {}, params: changing }, depthMax)).toEqual({
      kind: 'malformed',
      problem: 'a value changes while it is read',
    })
  })
})

function expectFrozen(json: unknown): void {
  if (typeof json !== 'object' || json === null) return
  expect(Object.isFrozen(json)).toBe(true)
  for (const member of Object.values(json)) expectFrozen(member)
}
