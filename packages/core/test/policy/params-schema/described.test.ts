import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compiled, ofValue } from './compiled.ts'
import { drawFrom, RandomSchemas } from './random-schema.ts'

const factTypeOf = (value: unknown): string => {
  if (!Array.isArray(value)) return typeof value === 'boolean' ? 'bool' : typeof value
  return value.every((item) => typeof item === 'string') ? 'list<string>' : 'list<number>'
}

/** Every member path of a value, and what stands there. */
function members(value: unknown, path: readonly string[] = []): [readonly string[], unknown][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return []
  return Object.entries(value).flatMap(([name, member]) => [
    [[...path, name], member],
    ...members(member, [...path, name]),
  ])
}

describe('what a schema says of accepted parameters', () => {
  test('holds for every accepted value of random schemas', () => {
    let typed = 0
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = new RandomSchemas(drawFrom(seed))
        const written = random.root()
        const schema = compiled(written)
        for (let count = 0; count < 20; count++) {
          const value = random.value(written)
          if (!schema.accepts(value)) continue
          for (const [path, member] of members(value)) {
            const type = schema.typeOf(path)
            if (type !== undefined) typed++
            const emptyList = Array.isArray(member) && member.length === 0
            if (type !== undefined && !emptyList)
              expect({ path, type: factTypeOf(member) }).toEqual({ path, type })
            if (emptyList && type !== undefined) expect(type).toMatch(/^list/)
            expect(schema.presence(path)).not.toBe('never')
            const { length, items, keys } = schema.bounds(path)
            if (typeof member === 'string')
              expect(Array.from(member).length).toBeLessThanOrEqual(length ?? Infinity)
            else if (Array.isArray(member)) expect(member.length).toBeLessThanOrEqual(items ?? Infinity)
            else if (typeof member === 'object' && member !== null) {
              expect(Object.keys(member).length).toBeLessThanOrEqual(keys ?? Infinity)
            }
          }
          for (const name of schema.names([])) {
            if (schema.presence([name]) === 'always') expect(Object.hasOwn(value as object, name)).toBe(true)
          }
        }
      }),
      { seed: 7, numRuns: 500 },
    )
    expect(typed).toBeGreaterThan(500)
  })

  test.each([
    [{ type: 'number' }, 'number'],
    [{ type: 'integer', minimum: 1 }, 'number'],
    [{ type: 'string' }, 'string'],
    [{ type: 'boolean' }, 'bool'],
    [{ enum: ['a', 'b'] }, 'string'],
    [{ enum: ['a', 1] }, undefined],
    [{ const: true }, 'bool'],
    [{ type: ['number', 'null'] }, undefined],
    [{ anyOf: [{ type: 'number' }, { type: 'null' }] }, undefined],
    [{ anyOf: [{ type: 'number' }, { type: 'integer' }] }, 'number'],
    [{ allOf: [{ type: ['string', 'null'] }, { type: ['string', 'number'] }] }, 'string'],
    [{ type: 'array', items: { type: 'string' } }, 'list<string>'],
    [{ type: 'array', items: { type: 'integer' } }, 'list<number>'],
    [{ type: 'array' }, undefined],
    [{ type: 'array', prefixItems: [{ type: 'string' }], items: { type: 'number' } }, undefined],
    [{ type: 'object' }, undefined],
    [true, undefined],
  ])('%j has the type %s', (written, type) => {
    expect(ofValue(written).typeOf(['value'])).toBe(type)
  })

  test('reaches through maps, references and the rest of the members', () => {
    const schema = compiled({
      $defs: { address: { type: 'object', properties: { zip: { type: 'string', maxLength: 10 } } } },
      type: 'object',
      required: ['to'],
      properties: { to: { $ref: '#/$defs/address' } },
      additionalProperties: { type: 'number' },
    })
    expect(schema.typeOf(['to', 'zip'])).toBe('string')
    expect(schema.bounds(['to', 'zip'])).toEqual({ length: 10 })
    expect(schema.typeOf(['to', 'city'])).toBeUndefined()
    expect(schema.typeOf(['anything'])).toBe('number')
    expect(schema.presence(['to'])).toBe('always')
    expect(schema.presence(['to', 'zip'])).toBe('sometimes')
    expect(schema.names(['to'])).toEqual(['zip'])
  })

  test('a member that is forbidden is never there', () => {
    const closed = compiled({ type: 'object', properties: { a: true }, additionalProperties: false })
    expect(closed.presence(['b'])).toBe('never')
    expect(closed.presence(['b', 'c'])).toBe('never')
    expect(closed.presence(['a'])).toBe('sometimes')
  })

  test('bounds follow from what limits the size', () => {
    expect(ofValue({ enum: ['a', 'abc'] }).bounds(['value'])).toEqual({ length: 3 })
    expect(ofValue({ type: 'string', format: 'uuid' }).bounds(['value'])).toEqual({ length: 36 })
    expect(ofValue({ type: 'array', maxItems: 5 }).bounds(['value'])).toEqual({ items: 5 })
    const closed = { type: 'object', properties: { a: true }, additionalProperties: false }
    expect(ofValue(closed).bounds(['value'])).toEqual({ keys: 1 })
    expect(ofValue({ type: 'string' }).bounds(['value'])).toEqual({})
  })
})
