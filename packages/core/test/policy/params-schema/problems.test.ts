import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compiled, ofValue } from './compiled.ts'
import { drawFrom, RandomSchemas } from './random-schema.ts'

const refund = compiled({
  type: 'object',
  required: ['amount', 'order_id'],
  properties: {
    amount: { type: 'number', exclusiveMinimum: 0, maximum: 500 },
    order_id: { type: 'string', pattern: '^ORD-[0-9]+$', maxLength: 20 },
    note: { anyOf: [{ type: 'string', maxLength: 5 }, { type: 'null' }] },
    kind: { enum: ['full', 'partial'] },
    items: {
      type: 'array',
      items: { type: 'object', required: ['sku'], properties: { sku: { type: 'string' } } },
    },
  },
  additionalProperties: false,
})

describe('what is wrong with parameters', () => {
  test('is told for all of them, with paths and without values', () => {
    const params = {
      amount: '600 EUR',
      note: 'far too long',
      kind: 'secret',
      items: [{ sku: 'a' }, {}, { sku: 7 }],
      extra: 'secret',
    }
    expect(refund.problems(params)).toEqual([
      { path: ['order_id'], message: 'is missing' },
      { path: ['amount'], message: 'must be a number' },
      { path: ['note'], message: 'must have at most 5 characters' },
      { path: ['kind'], message: 'must be one of "full", "partial"' },
      { path: ['items', 1, 'sku'], message: 'is missing' },
      { path: ['items', 2, 'sku'], message: 'must be a text' },
      { path: ['extra'], message: 'is not allowed here' },
    ])
    expect(refund.problems({ amount: 500, order_id: 'ORD-1' })).toEqual([])
  })

  test.each<[schema: unknown, value: unknown, message: string]>([
    [{ type: 'integer' }, 1.5, 'must be a whole number'],
    [{ type: ['string', 'null'] }, 1, 'must be a text or null'],
    [{ type: 'number', minimum: 1 }, 0, 'must be at least 1'],
    [{ type: 'number', multipleOf: 0.5 }, 0.3, 'must be a multiple of 0.5'],
    [{ type: 'string', minLength: 1 }, '', 'must have at least 1 character'],
    [{ type: 'string', pattern: '^a$' }, 'b', 'must match ^a$'],
    [{ type: 'string', format: 'date' }, '2026-02-30', 'must be a date such as 2026-01-31'],
    [{ type: 'array', uniqueItems: true }, [1, 1], 'must not have two equal items'],
    [{ type: 'array', maxItems: 1 }, [1, 1], 'must have at most 1 item'],
    [{ type: 'object', minProperties: 1 }, {}, 'must have at least 1 member'],
    [{ type: 'object', propertyNames: { maxLength: 1 } }, { ab: 1 }, 'has a name that is not allowed here'],
    [{ anyOf: [{ type: 'number' }, { type: 'null' }] }, 'a', 'must be a number or null'],
    [{ anyOf: [{ const: 1 }, { const: 2 }] }, 3, 'fits none of 2 alternatives'],
    [{ oneOf: [{ type: 'number' }, { type: 'integer' }] }, 1, 'must fit one alternative, and fits 2'],
    [{ not: { const: 1 } }, 1, 'is what the schema excludes'],
    [{ const: 1 }, 2, 'must be 1'],
    [true, Number.NaN, 'is not plain JSON'],
  ])('%j and %j: %s', (schema, value, message) => {
    expect(
      ofValue(schema)
        .problems({ value })
        .map((problem) => problem.message),
    ).toEqual([message])
  })

  test('at most 20 are told', () => {
    const value = Array.from({ length: 1000 }, () => 'x')
    expect(ofValue({ type: 'array', items: { type: 'number' } }).problems({ value })).toHaveLength(20)
  })

  test('a long list of values is cut', () => {
    const schema = ofValue({ enum: ['x'.repeat(5000)] })
    expect(schema.problems({ value: 1 })[0]?.message).toHaveLength(301)
  })

  test.each([
    ['amout', 'amout'],
    ['x'.repeat(40), 'x'.repeat(40)],
    ['x'.repeat(41), '…'],
    ['Ann Smith', '…'],
    ['4111111111111111', '…'],
    ['ann@example.com', '…'],
    ['', '…'],
  ])('a name that the schema does not know, %j, is told as %j', (name, told) => {
    const [problem] = refund.problems({ amount: 1, order_id: 'ORD-1', [name]: 1 })
    expect(problem?.path).toEqual([told])
  })

  test('there are some exactly where the parameters are refused, and never with a text of theirs', () => {
    const token = 'zq81'
    const marked = (value: unknown): unknown => {
      if (typeof value === 'string') return `${value}${token}`
      if (Array.isArray(value)) return value.map(marked)
      if (typeof value !== 'object' || value === null) return value
      return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, marked(member)]))
    }
    let refused = 0
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = new RandomSchemas(drawFrom(seed))
        const written = random.root()
        const schema = compiled(written)
        for (let count = 0; count < 20; count++) {
          const value = count % 2 === 0 ? random.value(written) : marked(random.value(written))
          const problems = schema.problems(value)
          expect(problems.length === 0).toBe(schema.accepts(value))
          if (problems.length > 0) refused++
          expect(JSON.stringify(problems)).not.toContain(token)
          expect(problems.map(({ message }) => message)).not.toContain('do not fit their schema')
        }
      }),
      { seed: 11, numRuns: 500 },
    )
    expect(refused).toBeGreaterThan(1000)
  })
})
