import { celList, celMap } from '@bufbuild/cel'
import type { CelInput, CelList } from '@bufbuild/cel'
import { create } from '@bufbuild/protobuf'
import { DurationSchema, timestampFromMs } from '@bufbuild/protobuf/wkt'
import type { Run } from './run.ts'
import type { CelType } from './types.ts'
import { typePhrase } from './types.ts'

/**
 * The value of a name, checked against its type, as the evaluator takes it.
 *
 * @throws a sentence of `run` where the value is missing or not of that type
 */
export function admit(name: string, value: unknown, type: CelType, run: Run): CelInput {
  if (value === undefined) throw run.sentence(`${name} is missing`)
  return admitted(name, value, type, run)
}

function admitted(path: string, value: unknown, type: CelType, run: Run): CelInput {
  if (typeof type === 'object') {
    if ('list' in type) {
      if (!Array.isArray(value)) throw unlike(path, value, type, run)
      const items: readonly unknown[] = value
      return celList(Array.from(items, (item, index) => admitted(`${path}[${index}]`, item, type.list, run)))
    }
    if (!isJsonObject(value)) throw unlike(path, value, type, run)
    // A key may be personal data, so the path stops here.
    const entries = Object.entries(value).map(
      ([key, one]) => [key, admitted(`a value of ${path}`, one, type.map, run)] as const,
    )
    return celMap(new Map(entries))
  }
  if (type === 'dyn') return jsonValue(value, (why) => run.sentence(`${path} ${why}`), run)
  const scalar = scalarOf(value, type)
  if (scalar === undefined) throw unlike(path, value, type, run)
  return scalar
}

function scalarOf(value: unknown, type: Exclude<CelType, object | 'dyn'>): CelInput | undefined {
  switch (type) {
    case 'number':
      return typeof value === 'number' && Number.isFinite(value) ? value : undefined
    case 'int':
      return Number.isSafeInteger(value) ? BigInt(Number(value)) : undefined
    case 'bool':
      return typeof value === 'boolean' ? value : undefined
    case 'string':
      return typeof value === 'string' ? value : undefined
    case 'bytes':
      return value instanceof Uint8Array ? value : undefined
    case 'null':
      return value === null ? value : undefined
    case 'timestamp':
      return value instanceof Date && !Number.isNaN(value.getTime())
        ? timestampFromMs(value.getTime())
        : undefined
    case 'duration':
      return Number.isSafeInteger(value) ? durationFromMs(Number(value)) : undefined
    default:
      return type
  }
}

function durationFromMs(milliseconds: number): CelInput {
  const seconds = Math.trunc(milliseconds / 1000)
  return create(DurationSchema, {
    seconds: BigInt(seconds),
    nanos: (milliseconds - seconds * 1000) * 1_000_000,
  })
}

function unlike(path: string, value: unknown, type: CelType, run: Run): Error {
  return run.sentence(`${path} is ${valuePhrase(value)}, not ${typePhrase(type)}`)
}

function valuePhrase(value: unknown): string {
  if (value === null) return 'null'
  if (typeof value === 'number') return Number.isFinite(value) ? 'a number' : 'not a finite number'
  if (typeof value === 'boolean') return 'a bool'
  if (typeof value === 'string') return 'a string'
  if (Array.isArray(value)) return 'a list'
  return isJsonObject(value) ? 'a map' : 'not a JSON value'
}

/**
 * A JSON value as the evaluator takes it; objects stay as they are and are read where the condition reads them,
 * so that a rule pays for what it uses.
 */
function jsonValue(value: unknown, refuse: (why: string) => Error, run: Run): CelInput {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return value
    throw refuse('is not a finite number')
  }
  if (Array.isArray(value)) return jsonList(value, refuse, run)
  if (isJsonObject(value)) return celMap(new JsonFields(value, run))
  throw refuse('is not a JSON value')
}

function jsonList(items: readonly unknown[], refuse: (why: string) => Error, run: Run): CelList {
  run.chargeItems(items.length)
  const refuseItem = (why: string): Error => refuse(`has an item that ${why}`)
  // `Array.from` visits holes too, so that they are refused as undefined.
  return celList(Array.from(items, (item) => jsonValue(item, refuseItem, run)))
}

/** Whether the value is a plain object, of this realm or another. */
function isJsonObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** The own fields of an object as a map. What an object inherits, such as `constructor`, is not there. */
class JsonFields implements ReadonlyMap<string, CelInput> {
  readonly #fields: Readonly<Record<string, unknown>>
  readonly #run: Run

  constructor(fields: Readonly<Record<string, unknown>>, run: Run) {
    this.#fields = fields
    this.#run = run
  }

  get size(): number {
    const count = Object.keys(this.#fields).length
    this.#run.chargeItems(count)
    return count
  }

  has(key: string): boolean {
    return typeof key === 'string' && Object.hasOwn(this.#fields, key)
  }

  get(key: string): CelInput | undefined {
    if (!this.has(key)) return undefined
    return jsonValue(this.#fields[key], (why) => this.#run.failure(why), this.#run)
  }

  keys(): MapIterator<string> {
    return new Map(Object.keys(this.#fields).map((key) => [key, key] as const)).keys()
  }

  entries(): MapIterator<[string, CelInput]> {
    return this.#copy().entries()
  }

  values(): MapIterator<CelInput> {
    return this.#copy().values()
  }

  [Symbol.iterator](): MapIterator<[string, CelInput]> {
    return this.entries()
  }

  forEach(visit: (value: CelInput, key: string, map: ReadonlyMap<string, CelInput>) => void): void {
    for (const [key, value] of this.entries()) visit(value, key, this)
  }

  #copy(): Map<string, CelInput> {
    const copy = new Map<string, CelInput>()
    for (const key of Object.keys(this.#fields)) {
      copy.set(
        key,
        jsonValue(this.#fields[key], (why) => this.#run.failure(why), this.#run),
      )
    }
    return copy
  }
}
