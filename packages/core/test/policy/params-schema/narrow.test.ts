import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compileParamsSchema } from '../../../src/policy/params-schema/compile.ts'
import { exampleParams } from '../../../src/policy/params-schema/example.ts'
import { narrowParamsSchema } from '../../../src/policy/params-schema/narrow.ts'
import { compiled } from './compiled.ts'
import { drawFrom, RandomSchemas } from './random-schema.ts'

describe("a tool's schema", () => {
  test.each<[name: string, written: unknown, schema: unknown, notes: RegExp[]]>([
    [
      'that is in the subset keeps everything but what only describes',
      {
        type: 'object',
        title: 'T',
        properties: { a: { type: 'string', description: 'x', default: '' } },
        required: ['a'],
      },
      { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] },
      [],
    ],
    [
      'keeps properties that are named like annotations',
      { type: 'object', properties: { title: { type: 'string' }, default: { type: 'number' } } },
      { type: 'object', properties: { title: { type: 'string' }, default: { type: 'number' } } },
      [],
    ],
    [
      'of draft 7 is respelt',
      {
        definitions: { m: { type: 'number', minimum: 0, exclusiveMinimum: true } },
        properties: {
          a: { $ref: '#/definitions/m' },
          b: { type: 'array', items: [{ type: 'string' }], additionalItems: false },
        },
      },
      {
        type: 'object',
        $defs: { m: { type: 'number', exclusiveMinimum: 0 } },
        properties: {
          a: { $ref: '#/$defs/m' },
          b: { type: 'array', prefixItems: [{ type: 'string' }], items: false },
        },
      },
      [],
    ],
    [
      'of OpenAPI says null in our way',
      { type: 'object', properties: { a: { type: 'string', nullable: true } } },
      { type: 'object', properties: { a: { type: ['string', 'null'] } } },
      [],
    ],
    [
      'with keywords that are not known loses those, with a note each',
      {
        type: 'object',
        properties: { a: { type: 'string', format: 'uint64' } },
        if: {},
        patternProperties: { x: {} },
      },
      { type: 'object', properties: { a: { type: 'string' } } },
      [/properties\.a\.format .*uint64/, /patternProperties/, /if/],
    ],
    [
      'that forgets a type gets it, with a note',
      { properties: { a: { minimum: 1 } } },
      { type: 'object', properties: { a: { minimum: 1, type: 'number' } } },
      [/added: properties\.a\.type is number/],
    ],
    [
      'with a pattern that RE2 cannot read loses the pattern',
      { type: 'object', properties: { a: { type: 'string', pattern: '(?!x)' } } },
      { type: 'object', properties: { a: { type: 'string' } } },
      [/properties\.a\.pattern/],
    ],
    [
      'that refers to itself is cut there',
      {
        type: 'object',
        properties: { a: { $ref: '#/$defs/n' } },
        $defs: { n: { type: 'object', properties: { next: { $ref: '#/$defs/n' } } } },
      },
      {
        type: 'object',
        properties: { a: { $ref: '#/$defs/n' } },
        $defs: { n: { type: 'object', properties: { next: {} } } },
      },
      [/refers to itself/],
    ],
    ['that is none becomes any map', 'text', { type: 'object' }, [/whole schema/]],
    [
      'for something else than a map becomes any map',
      { type: 'string' },
      { type: 'object' },
      [/type is object/],
    ],
  ])('%s', (_, written, schema, notes) => {
    const narrowed = narrowParamsSchema(written)
    expect(compileParamsSchema(narrowed.schema).kind).toBe('compiled')
    expect(narrowed.schema).toEqual(schema)
    expect(narrowed.notes).toHaveLength(notes.length)
    for (const note of notes) expect(narrowed.notes.join('\n')).toMatch(note)
  })

  test('always becomes one that compiles, and of the subset it stays what it is', () => {
    const noise = fc.jsonValue()
    fc.assert(
      fc.property(
        fc.integer(),
        noise,
        fc.constantFrom('foo', 'type', 'items', 'required', 'anyOf', '$ref'),
        (seed, json, keyword) => {
          const random = new RandomSchemas(drawFrom(seed))
          const written = random.root()
          const narrowed = narrowParamsSchema(written)
          expect(narrowed.notes).toEqual([])
          const [before, after] = [compiled(written), compiled(narrowed.schema)]
          for (let count = 0; count < 5; count++) {
            const value = random.value(written)
            expect(after.accepts(value)).toBe(before.accepts(value))
          }
          const properties = { ...(written['properties'] as object | undefined), extra: { [keyword]: json } }
          expect(compileParamsSchema(narrowParamsSchema({ ...written, properties }).schema).kind).toBe(
            'compiled',
          )
          expect(compileParamsSchema(narrowParamsSchema(json).schema).kind).toBe('compiled')
        },
      ),
      { seed: 13, numRuns: 300 },
    )
  })
})

describe('examples', () => {
  test.each<[schema: unknown, example: unknown]>([
    [{ type: 'object' }, {}],
    [
      {
        type: 'object',
        required: ['a', 'b', 'c', 'd', 'e'],
        properties: {
          a: { type: 'string', minLength: 10 },
          b: { type: 'number', exclusiveMinimum: 0, multipleOf: 0.5 },
          c: { anyOf: [{ type: 'null' }, { type: 'string' }] },
          d: { type: 'array', items: { type: 'string', format: 'email' }, minItems: 1 },
          e: { $ref: '#/$defs/e' },
        },
        $defs: { e: { enum: ['x', 'y'] } },
      },
      { a: 'examplexxx', b: 0.5, c: null, d: ['ada@example.com'], e: 'x' },
    ],
    [
      { type: 'object', required: ['a'], properties: { a: { type: 'string', pattern: '^[0-9]$' } } },
      undefined,
    ],
    [{ type: 'nothing' }, undefined],
  ])('of %j', (schema, example) => {
    expect(exampleParams(schema)).toEqual(example)
  })

  test('are accepted by the schema, or there is none', () => {
    let found = 0
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const schema = new RandomSchemas(drawFrom(seed)).root()
        const example = exampleParams(schema)
        if (example === undefined) return
        found++
        expect(compiled(schema).accepts(example)).toBe(true)
      }),
      { seed: 17, numRuns: 300 },
    )
    expect(found).toBeGreaterThan(100)
  })
})
