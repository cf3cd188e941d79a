import { CelDuration, CelOptional, CelTimestamp, CelTypeValue, CelUint } from './value.ts'
import type { CelMap, CelMapKey, CelValue } from './value.ts'

/** What a value is at run time. JSON numbers and doubles are one kind. */
export type Kind =
  | 'number'
  | 'int'
  | 'uint'
  | 'bool'
  | 'string'
  | 'bytes'
  | 'null'
  | 'list'
  | 'map'
  | 'timestamp'
  | 'duration'
  | 'type'
  | 'optional'
  | 'other'

/** Tells a value apart by what it is at run time. `other`: nothing that an expression can hold. */
export function kindOf(value: unknown): Kind {
  switch (typeof value) {
    case 'number':
      return 'number'
    case 'bigint':
      return 'int'
    case 'boolean':
      return 'bool'
    case 'string':
      return 'string'
    case 'object':
      return kindOfObject(value)
    default:
      return 'other'
  }
}

function kindOfObject(value: object | null): Kind {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'list'
  if (isPlainObject(value) || value instanceof Map) return 'map'
  if (value instanceof Uint8Array) return 'bytes'
  if (value instanceof CelUint) return 'uint'
  if (value instanceof CelTimestamp) return 'timestamp'
  if (value instanceof CelDuration) return 'duration'
  if (value instanceof CelTypeValue) return 'type'
  return value instanceof CelOptional ? 'optional' : 'other'
}

/** Whether the value is a plain object, of this realm or another. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, CelValue>> {
  if (typeof value !== 'object' || value === null) return false
  // Almost always so, and far faster than to ask for the prototype. What JSON carries cannot pretend it.
  if (value.constructor === Object) return true
  if (Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === null) return true
  return Object.getPrototypeOf(prototype) === null
}

/** Whether the value is a list. */
export function isList(value: unknown): value is readonly CelValue[] {
  return Array.isArray(value)
}

/** Whether the value is a map, built by an expression or from JSON. */
export function isMap(value: unknown): value is CelMap {
  return value instanceof Map || isPlainObject(value)
}

/** Whether the map was built by an expression, and so holds what expressions hold. */
export function isBuilt(map: CelMap): map is ReadonlyMap<CelMapKey, CelValue> {
  return map instanceof Map
}

/** The kind in words with its article, such as `a whole number`, for messages. */
function kindPhrase(kind: Kind): string {
  switch (kind) {
    case 'int':
      return 'a whole number'
    case 'uint':
      return 'an unsigned whole number'
    case 'optional':
      return 'an optional'
    case 'null':
    case 'bytes':
      return kind
    case 'other':
      return 'something else'
    default:
      return `a ${kind}`
  }
}

/** The kind of a value in words with its article. */
export function phraseOf(value: unknown): string {
  return kindPhrase(kindOf(value))
}

/** The key under which a map holds a value for this one; undefined where it can't be a key. */
export function keyOf(value: CelValue): CelMapKey | undefined {
  if (typeof value === 'string' || typeof value === 'bigint' || typeof value === 'boolean') return value
  if (value instanceof CelUint) return value.value
  return typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : undefined
}

/** The value under a key, own members only; undefined where there is none. */
export function memberOf(map: CelMap, key: CelMapKey): CelValue | undefined {
  if (isBuilt(map)) return map.get(key)
  return typeof key === 'string' && Object.hasOwn(map, key) ? map[key] : undefined
}

/** Whether the map has the key. */
export function hasMember(map: CelMap, key: CelMapKey): boolean {
  if (isBuilt(map)) return map.has(key)
  return typeof key === 'string' && Object.hasOwn(map, key)
}

/** The keys of a map, in its order. */
export function keysOf(map: CelMap): readonly CelMapKey[] {
  return isBuilt(map) ? [...map.keys()] : Object.keys(map)
}

/** How many entries a map has. */
export function sizeOf(map: CelMap): number {
  return isBuilt(map) ? map.size : Object.keys(map).length
}
