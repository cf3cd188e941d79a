import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { LibraryFunction, LibraryType } from '../../src/library/entry.ts'
import { library as common, standardOnly } from '../../src/library/index.ts'
import { CelDuration, CelFailure, CelTimestamp, CelUint } from '../../src/value.ts'
import type { CelValue } from '../../src/value.ts'

const library: readonly LibraryFunction[] = [...common, ...standardOnly]

/** Texts that mean something to some function, and texts that are meant to break one. */
const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.string({
    unit: fc.constantFrom('a', '.', '-', '1', '@', '/', ':', '%', '\\', ' ', '\u{1F600}', '\uD83D'),
    maxLength: 30,
  }),
  fc.constantFrom(
    'https://example.com/a?b=c',
    '10.0.0.1',
    '::1',
    '1.2.3-rc.1',
    'ann@example.com',
    'YWJj',
    '1h',
    '+02:00',
  ),
)
const number = fc.oneof(fc.double(), fc.constantFrom(0, -0, NaN, Infinity, -Infinity, 2 ** 53, 1e21, 5e-324))
const int = fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.bigInt({ min: -3n, max: 30n }))
const timestamp = fc
  .bigInt({ min: -62_135_596_800_000_000_000n, max: 253_402_300_799_999_999_999n })
  .map((nanos) => new CelTimestamp(nanos))
const duration = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((nanos) => new CelDuration(nanos))
const uint = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((value) => new CelUint(value))
const bytes = fc.uint8Array({ maxLength: 20 })

const scalars: Readonly<Record<Exclude<LibraryType, object | 'dyn' | 'T'>, fc.Arbitrary<CelValue>>> = {
  bool: fc.boolean(),
  int,
  uint,
  double: number,
  number: fc.double({ noNaN: true, noDefaultInfinity: true }),
  string: text,
  bytes,
  timestamp,
  duration,
  null: fc.constant(null),
}
const anything: fc.Arbitrary<CelValue> = fc.letrec<{ any: CelValue }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 2 },
    fc.oneof(...Object.values(scalars)),
    fc.array(tie('any'), { maxLength: 4 }),
    fc.dictionary(text, tie('any'), { maxKeys: 3 }),
  ),
})).any

function valuesOf(type: LibraryType): fc.Arbitrary<CelValue> {
  if (type === 'dyn' || type === 'T') return anything
  if (typeof type !== 'object') return scalars[type]
  if ('list' in type) return fc.array(valuesOf(type.list), { maxLength: 5 })
  throw new Error('no function takes this type')
}

function sizeOf(value: unknown): number {
  if (typeof value === 'string' || value instanceof Uint8Array || Array.isArray(value)) return value.length
  return 1
}

function isOf(type: LibraryType, value: CelValue): boolean {
  if (type === 'dyn' || type === 'T') return true
  if (typeof type === 'object')
    return 'list' in type && Array.isArray(value) && value.every((item) => isOf(type.list, item))
  switch (type) {
    case 'int':
      return typeof value === 'bigint'
    case 'double':
    case 'number':
      return typeof value === 'number'
    case 'bool':
      return typeof value === 'boolean'
    case 'uint':
      return value instanceof CelUint
    case 'bytes':
      return value instanceof Uint8Array
    case 'timestamp':
      return value instanceof CelTimestamp
    case 'duration':
      return value instanceof CelDuration
    case 'null':
      return value === null
    case 'string':
      return typeof value === 'string'
  }
}

/** The answer to any values of the declared types, and the values themselves. */
function answer(form: LibraryFunction, values: readonly CelValue[]): CelValue | CelFailure {
  const passed: unknown[] = [...values]
  if (form.literal !== undefined) {
    const at = form.literal.arg + (form.target === undefined ? 0 : 1)
    passed[at] = form.prepare?.(values[at] ?? null)
    if (passed[at] instanceof CelFailure) return passed[at]
  }
  return (form.call as (...all: readonly unknown[]) => CelValue | CelFailure)(...passed)
}

const spelling = ({ name, target, args }: LibraryFunction): string =>
  `${target === undefined ? '' : `${JSON.stringify(target)}.`}${name}(${args.map((arg) => JSON.stringify(arg)).join(', ')})`

describe('every form', () => {
  test.each(library.map((form) => [spelling(form), form] as const))(
    '%s gives a value of its type and size, or says in words why not, and never throws',
    (_, form) => {
      const types = form.target === undefined ? form.args : [form.target, ...form.args]
      fc.assert(
        fc.property(fc.tuple(...types.map(valuesOf)), (values) => {
          const sizes = values.map(sizeOf)
          const cost = form.cost?.(...sizes) ?? 1
          expect(Number.isInteger(cost) && cost >= 1).toBe(true)

          const result = answer(form, values)
          if (result instanceof CelFailure) {
            // A predicate: it stands after the text of the call, and holds nothing that the call brought.
            expect(result.message).toMatch(
              /^(?:is|has|needs|makes|joins|compares|cannot) [\w ,.:/^%<>=@*+()[\]-]+$/,
            )
            return
          }
          expect(isOf(form.result, result)).toBe(true)
          const sizeMax = form.resultSize?.(...sizes) ?? Math.max(...sizes)
          expect(sizeOf(result)).toBeLessThanOrEqual(sizeMax)
        }),
        { numRuns: 100 },
      )
    },
  )

  test('costs more, and gives no less, for larger values', () => {
    for (const form of library) {
      const count = form.args.length + (form.target === undefined ? 0 : 1)
      const small = Array.from({ length: count }, () => 10)
      const large = Array.from({ length: count }, () => 1000)
      expect(form.cost?.(...large) ?? 1).toBeGreaterThanOrEqual(form.cost?.(...small) ?? 1)
      expect(form.resultSize?.(...large) ?? 1000).toBeGreaterThanOrEqual(form.resultSize?.(...small) ?? 10)
    }
  })

  test('stands once in the table', () => {
    const spellings = library.map(spelling)
    expect(spellings.filter((each, at) => spellings.indexOf(each) !== at)).toEqual([])
  })
})
