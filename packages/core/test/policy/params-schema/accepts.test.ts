import { describe, expect, test } from 'vitest'
import { compiled, ofValue } from './compiled.ts'

describe('beside each value that fits stands one that does not', () => {
  test.each<[schema: unknown, fits: unknown, not: unknown]>([
    [{ type: 'number' }, 1.5, '1.5'],
    [{ type: 'number' }, 0, Number.NaN],
    [{ type: 'number' }, 1e308, Number.POSITIVE_INFINITY],
    [{ type: 'integer' }, 2, 2.5],
    [{ type: 'integer' }, 1e300, Number.NEGATIVE_INFINITY],
    [{ type: 'boolean' }, false, 0],
    [{ type: 'null' }, null, undefined],
    [{ type: 'string' }, '', null],
    [{ type: 'array' }, [], {}],
    [{ type: 'object' }, {}, []],
    [{ type: ['string', 'null'] }, null, 0],
    [{ type: ['integer', 'string'] }, 3, 3.5],
    [{ enum: ['a', 1, null, { b: [1] }] }, { b: [1] }, { b: ['1'] }],
    [{ enum: [1] }, 1, true],
    [{ const: { a: 1, b: 2 } }, { b: 2, a: 1 }, { a: 1 }],
    [{ const: 0 }, -0, '0'],
    [{ type: 'number', minimum: 5 }, 5, 4.999],
    [{ type: 'number', maximum: 5 }, 5, 5.001],
    [{ type: 'number', exclusiveMinimum: 0 }, Number.MIN_VALUE, 0],
    [{ type: 'number', exclusiveMaximum: 0 }, -Number.MIN_VALUE, 0],
    [{ type: 'number', multipleOf: 0.01 }, 19.99, 19.999],
    [{ type: 'number', multipleOf: 0.1 }, 0.3, 0.35],
    [{ type: 'number', multipleOf: 0.01 }, 1e300, 0.001],
    [{ type: 'number', multipleOf: 3 }, -9, 10],
    [{ type: 'number', multipleOf: 1e-7 }, 3e-7, 3.5e-7],
    [{ type: 'number', multipleOf: 2.5 }, 7.5, 7.6],
    [{ type: 'string', minLength: 2 }, 'ab', '😀'],
    [{ type: 'string', maxLength: 1 }, '😀', 'ab'],
    [{ type: 'string', maxLength: 1 }, '\ud800', '\ud800\ud800'],
    [{ type: 'string', pattern: '^ORD-[0-9]+$' }, 'ORD-1', 'xORD-1'],
    [{ type: 'string', pattern: '^ORD-[0-9]+$' }, 'ORD-1', 'ORD-1\n'],
    [{ type: 'string', pattern: 'b' }, 'abc', 'ac'],
    [{ type: 'array', items: { type: 'string' } }, ['a'], ['a', 1]],
    [{ type: 'array', prefixItems: [{ type: 'string' }, { type: 'number' }] }, ['a', 1, true], ['a', 'b']],
    [{ type: 'array', prefixItems: [true], items: false }, [1], [1, 2]],
    [{ type: 'array', minItems: 1 }, [0], []],
    [{ type: 'array', maxItems: 1 }, [0], [0, 0]],
    [
      { type: 'array', uniqueItems: true },
      [1, '1', true],
      [
        { a: 1, b: 2 },
        { b: 2, a: 1 },
      ],
    ],
    [{ type: 'array', uniqueItems: true }, [0, 1], [0, -0]],
    [{ type: 'object', required: ['a'] }, { a: null }, { b: 1 }],
    [{ type: 'object', properties: { a: { type: 'string' } } }, { b: 1 }, { a: 1 }],
    [{ type: 'object', properties: { a: true }, additionalProperties: false }, { a: 1 }, { a: 1, b: 1 }],
    [{ type: 'object', additionalProperties: { type: 'number' } }, { a: 1 }, { a: '1' }],
    [{ type: 'object', propertyNames: { type: 'string', maxLength: 1 } }, { a: 1 }, { ab: 1 }],
    [{ type: 'object', minProperties: 1 }, { a: 1 }, {}],
    [{ type: 'object', maxProperties: 1 }, { a: 1 }, { a: 1, b: 1 }],
    [{ anyOf: [{ type: 'string' }, { type: 'null' }] }, null, 1],
    [{ oneOf: [{ type: 'number' }, { type: 'integer' }] }, 1.5, 1],
    [{ allOf: [{ type: 'number' }, { type: 'integer' }] }, 1, 1.5],
    [{ type: 'number', allOf: [{ minimum: 1 }] }, 1, 0],
    [{ type: 'string', not: { const: 'a' } }, 'b', 'a'],
    [true, { a: [1] }, { a: [Number.NaN] }],
    [{}, 1, Number.NaN],
    [{ not: { type: 'string' } }, 1, Number.NaN],
    [{ not: { type: 'string' } }, [1], [{ a: Number.POSITIVE_INFINITY }]],
    [{ type: 'object', properties: { a: true } }, { b: [1] }, { b: [() => 1] }],
  ])('%j: %j fits, and %j does not', (schema, fits, not) => {
    const compiledSchema = ofValue(schema)
    expect(compiledSchema.accepts({ value: fits })).toBe(true)
    expect(compiledSchema.problems({ value: fits })).toEqual([])
    expect(compiledSchema.accepts({ value: not })).toBe(false)
    expect(compiledSchema.problems({ value: not })).not.toEqual([])
  })

  test('nothing fits `false`, but it may be absent', () => {
    expect(ofValue(false).accepts({})).toBe(true)
    expect(ofValue(false).accepts({ value: null })).toBe(false)
  })

  test.each([[null], [[]], ['text'], [1], [undefined], [Number.NaN]])(
    'parameters that are %j are refused also by a schema that asks for nothing',
    (params) => {
      expect(compiled({}).accepts(params)).toBe(false)
      expect(compiled(true).problems(params)).not.toEqual([])
      expect(compiled({}).accepts({})).toBe(true)
    },
  )
})

describe('names that JavaScript knows are plain data', () => {
  const closed = compiled({ type: 'object', properties: { a: true }, additionalProperties: false })

  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf'])('%s', (name) => {
    const withName = JSON.parse(`{"${name}": "text"}`) as unknown
    expect(closed.accepts(withName)).toBe(false)
    expect(closed.accepts({})).toBe(true)

    const declared = JSON.parse(
      `{"type": "object", "required": ["${name}"], "properties": {"${name}": {"type": "string"}}, "additionalProperties": false}`,
    ) as unknown
    const schema = compiled(declared)
    expect(schema.accepts(withName)).toBe(true)
    expect(schema.accepts(JSON.parse(`{"${name}": 1}`))).toBe(false)
    // What every object inherits is not a member.
    expect(schema.accepts({})).toBe(false)
    expect(schema.typeOf([name])).toBe('string')
    expect(closed.typeOf([name])).toBeUndefined()
  })

  test('inherited members are no members', () => {
    const inheriting = Object.create({ a: 1 }) as object
    expect(compiled({ type: 'object', required: ['a'] }).accepts(inheriting)).toBe(false)
    expect(compiled({ type: 'object', maxProperties: 0 }).accepts(inheriting)).toBe(true)
  })

  test('an object without a prototype is a map', () => {
    const bare = Object.assign(Object.create(null) as object, { a: 1 })
    expect(closed.accepts(bare)).toBe(true)
    expect(closed.accepts(Object.assign(Object.create(null) as object, { b: 1 }))).toBe(false)
  })
})

describe('definitions', () => {
  const schema = compiled({
    $defs: {
      money: { type: 'number', exclusiveMinimum: 0 },
      pair: { type: 'array', items: { $ref: '#/$defs/money' } },
    },
    type: 'object',
    properties: {
      one: { $ref: '#/$defs/money', maximum: 10, type: 'number' },
      many: { $ref: '#/$defs/pair' },
    },
  })

  test('hold where they are referred to, together with what stands beside the reference', () => {
    expect(schema.accepts({ one: 10, many: [11, 0.5] })).toBe(true)
    expect(schema.accepts({ one: 11 })).toBe(false)
    expect(schema.accepts({ one: 0 })).toBe(false)
    expect(schema.accepts({ many: [1, 0] })).toBe(false)
  })
})

describe('hostile values end', () => {
  test('a text that makes a backtracking engine hang', () => {
    const schema = ofValue({ type: 'string', pattern: '^(a+)+$' })
    expect(schema.accepts({ value: 'a'.repeat(50_000) })).toBe(true)
    expect(schema.accepts({ value: `${'a'.repeat(50_000)}b` })).toBe(false)
  })

  test('nesting without end, and values that contain themselves', () => {
    let deep: unknown = 1
    for (let level = 0; level < 100_000; level++) deep = [deep]
    expect(compiled({}).accepts({ deep })).toBe(false)
    expect(compiled({}).problems({ deep })).not.toEqual([])
    const circle: Record<string, unknown> = {}
    circle['self'] = circle
    expect(compiled({}).accepts(circle)).toBe(false)
    const list = { type: 'array', uniqueItems: true }
    expect(ofValue(list).accepts({ value: [circle, circle] })).toBe(false)
  })

  test('a list of 30,000 different maps', () => {
    const schema = ofValue({ type: 'array', uniqueItems: true })
    const items = Array.from({ length: 30_000 }, (_, at) => ({ at: [at], text: 'x' }))
    expect(schema.accepts({ value: items })).toBe(true)
    expect(schema.accepts({ value: [...items, { text: 'x', at: [0] }] })).toBe(false)
  })
})

test('schemas with very many names, and calls with very many problems, end as well', () => {
  const names = Array.from({ length: 60_000 }, (_, at) => `n${at}`)
  const schema = compiled({ type: 'object', required: names })
  expect(schema.accepts({ n0: 1 })).toBe(false)
  const alternatives = {
    anyOf: [
      { type: 'number', minimum: 1 },
      { type: 'number', maximum: -1 },
    ],
  }
  const list = ofValue({ type: 'array', items: alternatives })
  const value = names.map(() => 5)
  expect(list.problems({ value })).toEqual([])
  expect(list.problems({ value: [...value, 0] })).toEqual([
    { path: ['value', 60_000], message: 'fits none of 2 alternatives' },
  ])
})
