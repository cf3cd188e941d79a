import { nearest } from '@bailiwick/cel'
import { typeBits } from './schema-node.ts'

/** Keywords that say something about values of some types only, and nothing about others. */
export const keywordTypes: ReadonlyMap<string, { readonly bits: number; readonly type: string }> = new Map(
  (
    [
      ['number', ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf']],
      ['string', ['minLength', 'maxLength', 'pattern', 'format']],
      ['array', ['items', 'prefixItems', 'minItems', 'maxItems', 'uniqueItems']],
      [
        'object',
        ['properties', 'required', 'additionalProperties', 'minProperties', 'maxProperties', 'propertyNames'],
      ],
    ] as const
  ).flatMap(([type, keywords]) =>
    keywords.map((keyword) => [keyword, { bits: typeBits[type], type }] as const),
  ),
)

/** Keywords for people and tools; they decide nothing. */
export const annotations: ReadonlySet<string> = new Set([
  'title',
  'description',
  'default',
  'examples',
  '$schema',
])

/** Every keyword that a parameter schema may have. */
export const keywords: ReadonlySet<string> = new Set([
  'type',
  'enum',
  'const',
  'allOf',
  'anyOf',
  'oneOf',
  'not',
  '$ref',
  '$defs',
  ...keywordTypes.keys(),
  ...annotations,
])

// What JSON Schema and its relatives know and this subset does not, with the way to say it here.
const others: ReadonlyMap<string, string> = new Map([
  ['definitions', 'write `$defs`, and refer to it as `#/$defs/NAME`'],
  ['nullable', 'write `type: [string, "null"]` with the type that is meant'],
  ['if', 'write the cases under `oneOf` or `anyOf`'],
  ['then', 'write the cases under `oneOf` or `anyOf`'],
  ['else', 'write the cases under `oneOf` or `anyOf`'],
  ['patternProperties', 'use `propertyNames` with a `pattern`, and `additionalProperties` for the values'],
  ['additionalItems', 'write `prefixItems` for the first items and `items` for the rest'],
  ['unevaluatedProperties', 'list all properties in one place with `additionalProperties: false`'],
  ['unevaluatedItems', 'write `prefixItems` for the first items and `items: false` for the rest'],
  ['dependentRequired', 'write the cases under `anyOf`, each with its `required`'],
  ['dependentSchemas', 'write the cases under `anyOf`'],
  ['dependencies', 'write the cases under `anyOf`, each with its `required`'],
  ['contains', 'say what every item must be with `items`, or write a rule with `exists`'],
  ['divisibleBy', 'write `multipleOf`'],
])

const plainlyRemoved: ReadonlySet<string> = new Set([
  '$id',
  'id',
  '$anchor',
  '$comment',
  '$vocabulary',
  'deprecated',
  'readOnly',
  'writeOnly',
])

/** What to do about a keyword that is not in the subset. */
export function keywordFix(keyword: string): string {
  const known = others.get(keyword)
  if (known !== undefined) return known
  if (plainlyRemoved.has(keyword)) return 'remove it: it decides nothing here'
  const near = nearest(keyword, keywords)
  return near === undefined
    ? 'remove it: a keyword that nothing enforces must not stand in a policy'
    : `did you mean \`${near}\`?`
}
