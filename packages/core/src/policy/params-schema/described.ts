import type { FactType } from '../../model/policy.ts'
import { jsonEqual } from './equality.ts'
import { formatLengths } from './formats.ts'
import { anything, anyType, nothing, typeBits, type SchemaNode } from './schema-node.ts'

/** How large a value can be that the schema admits. What is undefined is not limited. */
export interface SizeBounds {
  /** Of a text, in code points. */
  readonly length?: number
  /** Of a list. */
  readonly items?: number
  /** Of a map. */
  readonly keys?: number
}

/**
 * The type that every admitted value at `path` has, where there is a value at all; undefined where there may be
 * several, or one that facts do not know.
 */
export function typeAt(root: SchemaNode, path: readonly string[]): FactType | undefined {
  const places = nodesAt(root, path)
  switch (typesOf(places)) {
    case typeBits.string:
      return 'string'
    case typeBits.boolean:
      return 'bool'
    case typeBits.number:
    case typeBits.integer:
      return 'number'
    case typeBits.array:
      return listType(places)
    default:
      return undefined
  }
}

/** How large admitted values at `path` are at most. */
export function boundsAt(root: SchemaNode, path: readonly string[]): SizeBounds {
  const places = nodesAt(root, path)
  const length = least(places.map(lengthOf))
  const items = least(places.map(itemsOf))
  const keys = least(places.map(keysOf))
  return {
    ...(length === undefined ? {} : { length }),
    ...(items === undefined ? {} : { items }),
    ...(keys === undefined ? {} : { keys }),
  }
}

/** Which numbers and values the schema admits at a place. What is undefined is not limited. */
export interface ValueLimits {
  readonly low?: number
  readonly high?: number
  /** Whether the limit itself is not admitted. */
  readonly lowOpen: boolean
  readonly highOpen: boolean
  readonly whole: boolean
  /** The only values that are admitted. */
  readonly values?: readonly unknown[]
}

/** Between which numbers admitted values at `path` are, and which they are where the schema lists them. */
export function limitsAt(root: SchemaNode, path: readonly string[]): ValueLimits {
  const places = nodesAt(root, path)
  const low = greatest(places.flatMap((node) => [node.minimum, node.exclusiveMinimum]))
  const high = least(places.flatMap((node) => [node.maximum, node.exclusiveMaximum]))
  const listed = places.flatMap(({ constant, values }) =>
    constant === undefined ? (values === undefined ? [] : [values]) : [[constant.value]],
  )
  const [first, ...others] = listed
  const values = first?.filter((value) =>
    others.every((list) => list.some((other) => jsonEqual(value, other))),
  )
  return {
    ...(low === undefined ? {} : { low }),
    ...(high === undefined ? {} : { high }),
    lowOpen: places.some((node) => node.exclusiveMinimum === low),
    highOpen: places.some((node) => node.exclusiveMaximum === high),
    whole: typesOf(places) === typeBits.integer,
    ...(values === undefined ? {} : { values }),
  }
}

/** Whether admitted parameters always, sometimes or never have a value at `path`. */
export type Presence = 'always' | 'sometimes' | 'never'

/** Whether admitted parameters have a value at `path`. `never` is a misspelt path: no call that passes has one. */
export function presenceAt(root: SchemaNode, path: readonly string[]): Presence {
  let always = true
  for (const [at, name] of path.entries()) {
    const parents = nodesAt(root, path.slice(0, at))
    if (nodesAt(root, path.slice(0, at + 1)).some((node) => node.never)) return 'never'
    if (typesOf(parents) !== typeBits.object || !parents.some((node) => node.required.includes(name))) {
      always = false
    }
  }
  return always ? 'always' : 'sometimes'
}

/** The names of members that the schema speaks of at `path`, for suggestions. */
export function namesAt(root: SchemaNode, path: readonly string[]): readonly string[] {
  return [...new Set(nodesAt(root, path).flatMap((node) => [...node.properties.keys()]))]
}

/** The schemas that all hold for a value at `path`. Those of alternatives are left out: only one of them holds. */
function nodesAt(root: SchemaNode, path: readonly string[]): readonly SchemaNode[] {
  let places = withParts(root)
  for (const name of path) places = places.flatMap((node) => memberOf(node, name)).flatMap(withParts)
  return places
}

function memberOf(node: SchemaNode, name: string): SchemaNode {
  return node.properties.get(name) ?? node.additionalProperties ?? anything
}

function withParts(node: SchemaNode): readonly SchemaNode[] {
  return [node, ...node.allOf.flatMap(withParts)]
}

function typesOf(places: readonly SchemaNode[]): number {
  return places.reduce((bits, node) => bits & ownTypes(node), anyType)
}

function ownTypes(node: SchemaNode): number {
  const bits = node.types ?? anyType
  const alternatives = [node.anyOf, node.oneOf]
    .flatMap((parts) => (parts === undefined ? [] : [parts]))
    .map((parts) => parts.reduce((sum, part) => sum | typesOf(withParts(part)), 0))
  const values = node.constant === undefined ? node.values : [node.constant.value]
  const valueBits =
    values === undefined ? anyType : values.reduce((sum: number, value) => sum | bitsOf(value), 0)
  return alternatives.reduce((left, right) => left & right, bits & valueBits)
}

function bitsOf(value: unknown): number {
  if (value === null) return typeBits.null
  if (Array.isArray(value)) return typeBits.array
  switch (typeof value) {
    case 'string':
      return typeBits.string
    case 'boolean':
      return typeBits.boolean
    case 'number':
      return typeBits.number
    default:
      return typeBits.object
  }
}

function listType(places: readonly SchemaNode[]): FactType | undefined {
  const types = itemTypes(places)
  if (types === typeBits.string) return 'list<string>'
  if (types !== 0 && (types & ~typeBits.number) === 0) return 'list<number>'
  return undefined
}

// Items beyond the first few and those few may be of different types: then the list has no type of its own.
function itemTypes(places: readonly SchemaNode[]): number {
  return places.reduce((bits, node) => {
    const rest = node.items ?? anything
    const all = [...node.prefixItems, ...(rest === nothing ? [] : [rest])]
    return bits & all.reduce((sum, item) => sum | typesOf(withParts(item)), 0)
  }, anyType)
}

function lengthOf({ maxLength, format, constant, values }: SchemaNode): number | undefined {
  const written = constant === undefined ? values : [constant.value]
  const longest = written
    ?.filter((value) => typeof value === 'string')
    .reduce((most, text) => Math.max(most, text.length), 0)
  return least([maxLength, format === undefined ? undefined : formatLengths[format], longest])
}

function itemsOf({ maxItems, prefixItems, items }: SchemaNode): number | undefined {
  return least([maxItems, items?.never === true ? prefixItems.length : undefined])
}

function keysOf({ maxProperties, properties, additionalProperties }: SchemaNode): number | undefined {
  return least([maxProperties, additionalProperties?.never === true ? properties.size : undefined])
}

function greatest(limits: readonly (number | undefined)[]): number | undefined {
  const opposite = least(limits.map((limit) => (limit === undefined ? undefined : -limit)))
  return opposite === undefined ? undefined : -opposite
}

function least(limits: readonly (number | undefined)[]): number | undefined {
  return limits.reduce((low, limit) => (low === undefined || (limit ?? low) < low ? limit : low), undefined)
}
