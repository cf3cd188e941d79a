import type { LinearPattern } from './linear-pattern.ts'
import type { FormatName } from './formats.ts'

/** JSON's types as bits, so that a list of types is one number. `integer` is a number without a fraction. */
export const typeBits = {
  null: 1,
  boolean: 2,
  string: 4,
  integer: 8,
  // Every integer is a number, so that whoever admits numbers admits both.
  number: 8 | 16,
  array: 32,
  object: 64,
} as const

/** A name that `type` may give. */
export type TypeName = keyof typeof typeBits
/** Any type. */
export const anyType = 127

/** Whether `name` is one that `type` may give. */
export function isTypeName(name: string): name is TypeName {
  return Object.hasOwn(typeBits, name)
}

/**
 * A schema that has been read and checked. References are resolved: nodes may be shared, and there are no cycles.
 * What is undefined is not asked for.
 */
export interface SchemaNode {
  /** `false`: nothing is valid here. */
  readonly never: boolean
  /** The types that `type` admits; undefined: it does not say. */
  readonly types: number | undefined
  readonly constant: { readonly value: unknown } | undefined
  readonly values: readonly unknown[] | undefined

  readonly minimum: number | undefined
  readonly maximum: number | undefined
  readonly exclusiveMinimum: number | undefined
  readonly exclusiveMaximum: number | undefined
  readonly multipleOf: number | undefined

  readonly minLength: number | undefined
  readonly maxLength: number | undefined
  readonly pattern: LinearPattern | undefined
  readonly format: FormatName | undefined

  readonly prefixItems: readonly SchemaNode[]
  readonly items: SchemaNode | undefined
  readonly minItems: number | undefined
  readonly maxItems: number | undefined
  readonly uniqueItems: boolean

  readonly properties: ReadonlyMap<string, SchemaNode>
  readonly required: readonly string[]
  readonly additionalProperties: SchemaNode | undefined
  readonly propertyNames: SchemaNode | undefined
  readonly minProperties: number | undefined
  readonly maxProperties: number | undefined

  /** Of `allOf` and `$ref`: each of them holds as well. */
  readonly allOf: readonly SchemaNode[]
  readonly anyOf: readonly SchemaNode[] | undefined
  readonly oneOf: readonly SchemaNode[] | undefined
  readonly not: SchemaNode | undefined

  /** How many schemas looking at one value here may take, references counted each time. */
  readonly size: number
  /** How many schemas stand inside one another, this one included, references followed. */
  readonly depth: number
}

/** A place in a schema or in a value: names and indices from its root. */
export type SchemaPath = readonly (string | number)[]

/** The schema that everything satisfies that is JSON. */
export const anything: SchemaNode = {
  never: false,
  types: undefined,
  constant: undefined,
  values: undefined,
  minimum: undefined,
  maximum: undefined,
  exclusiveMinimum: undefined,
  exclusiveMaximum: undefined,
  multipleOf: undefined,
  minLength: undefined,
  maxLength: undefined,
  pattern: undefined,
  format: undefined,
  prefixItems: [],
  items: undefined,
  minItems: undefined,
  maxItems: undefined,
  uniqueItems: false,
  properties: new Map(),
  required: [],
  additionalProperties: undefined,
  propertyNames: undefined,
  minProperties: undefined,
  maxProperties: undefined,
  allOf: [],
  anyOf: undefined,
  oneOf: undefined,
  not: undefined,
  size: 1,
  depth: 1,
}

/** The schema that nothing satisfies. */
export const nothing: SchemaNode = { ...anything, never: true }

/** Whether the schema asks for nothing at all. */
export function isAnything(node: SchemaNode): boolean {
  return node === anything
}
