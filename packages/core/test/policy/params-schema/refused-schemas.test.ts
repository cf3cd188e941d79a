import { describe, expect, test } from 'vitest'
import { compileParamsSchema } from '../../../src/policy/params-schema/compile.ts'
import { compiled } from './compiled.ts'

function problemsOf(written: unknown) {
  const result = compileParamsSchema(written)
  return result.kind === 'invalid' ? result.problems : []
}

const inValue = (schema: unknown) => ({ type: 'object', properties: { value: schema } })

describe('a schema that would not do what it says is refused, with the place and what to do', () => {
  test.each<[schema: unknown, path: (string | number)[], message: string, fix: string]>([
    [{ requird: ['a'] }, ['requird'], 'unknown keyword `requird`', 'did you mean `required`?'],
    [{ if: {} }, ['if'], 'unknown keyword `if`', '`oneOf`'],
    [{ definitions: {} }, ['definitions'], 'unknown keyword `definitions`', '`$defs`'],
    [
      { patternProperties: {} },
      ['patternProperties'],
      'unknown keyword `patternProperties`',
      '`propertyNames`',
    ],
    [{ $id: 'x' }, ['$id'], 'unknown keyword `$id`', 'remove it'],
    [{ 'x-widget': 1 }, ['x-widget'], 'unknown keyword `x-widget`', 'remove it'],
    [inValue({ type: 'strng' }), ['properties', 'value', 'type'], 'unknown type `strng`', '`string`'],
    [inValue({ type: [] }), ['properties', 'value', 'type'], 'at least one type', 'correct'],
    [
      inValue({ type: 'string', format: 'emial' }),
      ['properties', 'value', 'format'],
      'unknown format',
      '`email`',
    ],
    [
      inValue({ type: 'string', format: 'regex' }),
      ['properties', 'value', 'format'],
      'unknown format',
      'one of',
    ],
    [
      inValue({ type: 'string', pattern: '(?=a)' }),
      ['properties', 'value', 'pattern'],
      'is not a pattern of RE2',
      'RE2',
    ],
    [
      inValue({ type: 'string', pattern: '(a)\\1' }),
      ['properties', 'value', 'pattern'],
      'is not a pattern of RE2',
      'RE2',
    ],
    [
      inValue({ minimum: 0 }),
      ['properties', 'value', 'minimum'],
      'anything else would pass',
      '`type: number`',
    ],
    [inValue({ maxLength: 9 }), ['properties', 'value', 'maxLength'], 'anything else', '`type: string`'],
    [
      inValue({ type: 'string', minimum: 0 }),
      ['properties', 'value', 'minimum'],
      'does not admit',
      'correct `type`',
    ],
    [
      inValue({ type: 'number', minimum: Number.NaN }),
      ['properties', 'value', 'minimum'],
      'finite number',
      'correct',
    ],
    [
      inValue({ type: 'number', minimum: '0' }),
      ['properties', 'value', 'minimum'],
      'finite number',
      'correct',
    ],
    [inValue({ type: 'number', multipleOf: 0 }), ['properties', 'value', 'multipleOf'], 'above 0', 'correct'],
    [
      inValue({ type: 'string', maxLength: -1 }),
      ['properties', 'value', 'maxLength'],
      'whole number',
      'correct',
    ],
    [
      inValue({ type: 'array', items: 'string' }),
      ['properties', 'value', 'items'],
      'map of keywords',
      'correct',
    ],
    [inValue({ enum: [] }), ['properties', 'value', 'enum'], 'at least one', 'correct'],
    [inValue({ enum: [Number.NaN] }), ['properties', 'value', 'enum'], 'JSON', 'correct'],
    [inValue({ const: Number.POSITIVE_INFINITY }), ['properties', 'value', 'const'], 'JSON', 'correct'],
    [inValue({ anyOf: [] }), ['properties', 'value', 'anyOf'], 'at least one schema', 'correct'],
    [{ required: 'a' }, ['required'], 'list of names', 'correct'],
    [{ required: ['a', 'a'] }, ['required', 1], 'stands twice', 'correct'],
    [
      { properties: { amount: true }, required: ['amout'], additionalProperties: false },
      ['required', 0],
      'is required, and `additionalProperties: false` forbids it',
      'did you mean `amount`?',
    ],
    [
      inValue({ type: 'number', minimum: 2, maximum: 1 }),
      ['properties', 'value', 'minimum'],
      'no value is valid',
      'correct one',
    ],
    [{ type: 'string' }, ['type'], 'leaves no type', '`type: object`'],
    [
      inValue({ $ref: 'https://example.com/a.json' }),
      ['properties', 'value', '$ref'],
      'no reference',
      '#/$defs/',
    ],
    [inValue({ $ref: '#/properties/value' }), ['properties', 'value', '$ref'], 'no reference', '#/$defs/'],
    [
      { ...inValue({ $ref: '#/$defs/adress' }), $defs: { address: true } },
      ['properties', 'value', '$ref'],
      'no definition',
      '`#/$defs/address`',
    ],
    [
      inValue({ type: 'object', $defs: {} }),
      ['properties', 'value', '$defs'],
      'root of the schema only',
      'correct',
    ],
    ['text', [], 'a schema must be a map', 'correct'],
    [null, [], 'a schema must be a map', 'correct'],
    [[], [], 'a schema must be a map', 'correct'],
  ])('%j', (schema, path, message, fix) => {
    const problems = problemsOf(schema)
    expect(problems.map((problem) => problem.path)).toEqual([path])
    expect(problems[0]?.message).toContain(message)
    expect(problems[0]?.fix).toContain(fix)
    expect(problems[0]?.code).toMatch(/^params-schema-[a-z-]+$/)
  })

  test('every problem is told at once', () => {
    const paths = problemsOf({ foo: 1, properties: { a: { type: 'x' }, b: { bar: 1 } } }).map(
      ({ path }) => path,
    )
    expect(paths).toEqual([['foo'], ['properties', 'a', 'type'], ['properties', 'b', 'bar']])
  })

  test('a mistake in a definition that nothing refers to is one', () => {
    expect(problemsOf({ $defs: { a: { tpye: 'string' } } })).toMatchObject([{ path: ['$defs', 'a', 'tpye'] }])
  })

  test.each([
    ['itself', { a: { type: 'object', properties: { next: { $ref: '#/$defs/a' } } } }],
    [
      'another that refers back',
      {
        a: { type: 'array', items: { $ref: '#/$defs/b' } },
        b: { type: 'array', items: { $ref: '#/$defs/a' } },
      },
    ],
  ])('a definition that refers to %s', (_, $defs) => {
    const problems = problemsOf({ $defs, ...inValue({ $ref: '#/$defs/a' }) })
    expect(problems).toHaveLength(1)
    expect(problems[0]?.message).toContain('refers to itself')
  })

  test('definitions that unfold into more than anybody can look at', () => {
    const $defs: Record<string, unknown> = { d0: { type: 'object' } }
    for (let at = 1; at <= 20; at++) {
      const below = { $ref: `#/$defs/d${at - 1}` }
      $defs[`d${at}`] = { allOf: [below, below] }
    }
    expect(problemsOf({ $defs, ...inValue({ $ref: '#/$defs/d20' }) })).toMatchObject([
      { code: 'params-schema-too-large', message: 'the schema unfolds into more than 10000 schemas' },
    ])
    expect(
      compiled({ $defs: { d0: $defs['d0'], d1: $defs['d1'] }, ...inValue({ $ref: '#/$defs/d1' }) }),
    ).toBeDefined()
  })

  test('a chain of a thousand definitions, read from its end', () => {
    const $defs: Record<string, unknown> = { d0: true }
    for (let at = 1; at <= 1000; at++) $defs[`d${at}`] = { allOf: [{ $ref: `#/$defs/d${at - 1}` }] }
    const allOf = Array.from({ length: 1001 }, (_, at) => ({ $ref: `#/$defs/d${at}` }))
    expect(problemsOf({ $defs, allOf })).toMatchObject([{ code: 'params-schema-too-large' }])
  })

  test('nesting without end', () => {
    let deep: unknown = { type: 'string' }
    for (let level = 0; level < 5000; level++) deep = { type: 'array', items: deep }
    expect(problemsOf(inValue(deep))).toMatchObject([{ code: 'params-schema-too-large' }])
  })
})

test('annotations decide nothing, whatever they say', () => {
  const schema = compiled({
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'x',
    description: 'x',
    ...inValue({ type: 'number', default: 'not a number', examples: [null] }),
  })
  expect(schema.accepts({})).toBe(true)
  expect(schema.accepts({ value: 'not a number' })).toBe(false)
})
