import { isPlainObject } from './kinds.ts'
import { typePhrase } from './types.ts'
import type { CelType, RecordType } from './types.ts'
import { CelDuration, CelFailure, CelOptional, CelTimestamp, CelUint } from './value.ts'
import type { CelMapKey, CelValue } from './value.ts'

const nanosPerMs = 1_000_000n

/**
 * The value of a name, checked against its type, as expressions hold it. JSON stays as it is: it is not copied unless
 * a part of it must change its form. A failure is a whole sentence.
 */
export function admit(path: string, value: unknown, type: CelType): CelValue | CelFailure {
  if (value === undefined) return new CelFailure(`${path} is missing`)
  if (typeof type === 'object') return admitContainer(path, value, type)
  if (type === 'dyn') {
    const json = jsonValue(value)
    return json === undefined ? new CelFailure(`${path} ${whyNotJson(value)}`) : json
  }
  const scalar = scalarOf(value, type)
  return scalar === undefined ? unlike(path, value, type) : scalar
}

function admitContainer(path: string, value: unknown, type: Extract<CelType, object>): CelValue | CelFailure {
  if ('list' in type) {
    return Array.isArray(value) ? admitList(path, value, type.list) : unlike(path, value, type)
  }
  if ('optional' in type) {
    if (value === undefined) return new CelOptional(undefined)
    const held = admit(path, value, type.optional)
    return held instanceof CelFailure ? held : new CelOptional(held)
  }
  if (!isPlainObject(value)) return unlike(path, value, type)
  return 'record' in type || type.map === 'dyn' ? value : admitMap(path, value, type.map)
}

/** The list itself where all items are as they should be; a copy where items must change their form. */
function admitList(path: string, list: readonly unknown[], type: CelType): CelValue | CelFailure {
  let copy: CelValue[] | undefined
  for (let index = 0; index < list.length; index++) {
    const item = list[index]
    const admitted = isItself(item, type) ? item : admit(`${path}[${index}]`, item, type)
    if (admitted instanceof CelFailure) return admitted
    if (admitted !== item) copy ??= list.slice(0, index) as CelValue[]
    copy?.push(admitted)
  }
  return copy ?? (list as readonly CelValue[])
}

function admitMap(
  path: string,
  object: Readonly<Record<string, unknown>>,
  type: CelType,
): CelValue | CelFailure {
  const entries: (readonly [CelMapKey, CelValue])[] = []
  let changed = false
  for (const key of Object.keys(object)) {
    // A key may be personal data, so the path stops here.
    const admitted = admit(`a value of ${path}`, object[key], type)
    if (admitted instanceof CelFailure) return admitted
    if (admitted !== object[key]) changed = true
    entries.push([key, admitted])
  }
  return changed ? new Map(entries) : (object as Readonly<Record<string, CelValue>>)
}

/** Whether the item is of the type and needs no other form; the common types, without making a path for them. */
function isItself(item: unknown, type: CelType): item is CelValue {
  if (type === 'string') return typeof item === 'string'
  if (type === 'number') return typeof item === 'number' && Number.isFinite(item)
  return type === 'bool' && typeof item === 'boolean'
}

type Scalar = Exclude<CelType, object | 'dyn'>

/** The value as expressions hold a value of this type, or undefined. */
function scalarOf(value: unknown, type: Scalar): CelValue | undefined {
  switch (type) {
    case 'number':
    case 'double':
      return typeof value === 'number' && Number.isFinite(value) ? value : undefined
    case 'int':
      if (typeof value === 'bigint') return BigInt.asIntN(64, value) === value ? value : undefined
      return Number.isSafeInteger(value) ? BigInt(Number(value)) : undefined
    case 'uint':
      if (value instanceof CelUint) return value
      return Number.isSafeInteger(value) && Number(value) >= 0
        ? new CelUint(BigInt(Number(value)))
        : undefined
    case 'bool':
      return typeof value === 'boolean' ? value : undefined
    case 'string':
      return typeof value === 'string' ? value : undefined
    case 'bytes':
      return value instanceof Uint8Array ? value : undefined
    case 'null':
      return value === null ? value : undefined
    case 'timestamp':
      if (value instanceof CelTimestamp) return value
      if (!(value instanceof Date) || Number.isNaN(value.getTime())) return undefined
      return new CelTimestamp(BigInt(value.getTime()) * nanosPerMs)
    case 'duration':
      if (value instanceof CelDuration) return value
      return Number.isSafeInteger(value) ? new CelDuration(BigInt(Number(value)) * nanosPerMs) : undefined
    case 'type':
      return undefined
    default:
      return type
  }
}

function unlike(path: string, value: unknown, type: CelType): CelFailure {
  return new CelFailure(`${path} is ${valuePhrase(value)}, not ${typePhrase(type)}`)
}

function valuePhrase(value: unknown): string {
  if (value === null) return 'null'
  if (typeof value === 'number') return Number.isFinite(value) ? 'a number' : 'not a finite number'
  if (typeof value === 'boolean') return 'a bool'
  if (typeof value === 'string') return 'a string'
  if (Array.isArray(value)) return 'a list'
  return isPlainObject(value) ? 'a map' : 'not a JSON value'
}

/** The value itself where JSON can carry it, looking no deeper; else undefined. */
export function jsonValue(value: unknown): CelValue | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      return Number.isFinite(value) ? value : undefined
    case 'object':
      if (value === null) return value
      return Array.isArray(value) || isPlainObject(value) ? (value as CelValue) : undefined
    default:
      return undefined
  }
}

/** Why JSON cannot carry the value, as a predicate. */
export function whyNotJson(value: unknown): string {
  return typeof value === 'number' ? 'is not a finite number' : 'is not a JSON value'
}

/** The type of a record's field; undefined where it has no such field. */
export function fieldType(type: RecordType, field: string): CelType | undefined {
  if (Object.hasOwn(type.record, field)) return type.record[field]
  return type.open === true ? 'dyn' : undefined
}
