import { canonicalJson, hasEscapedSurrogate, recordedJsonProblem } from './canonical-json.ts'
import type { Json, JsonObject } from './json.ts'

/** A value that was taken from its owner: nobody can change it any more, and its canonical text is known. */
export type CapturedJson =
  | { readonly kind: 'captured'; readonly value: JsonObject; readonly text: string }
  | { readonly kind: 'malformed'; readonly problem: string }

/**
 * A frozen deep copy of plain JSON objects and its canonical JSON (RFC 8785), or why there is none: as
 * `recordedJsonProblem`, `frozenCopy` and `canonicalJson` would say one after the other. Every property is read once,
 * so what is judged here is what the copy holds.
 *
 * @param value its members are named in problems, such as `params.amount is NaN`
 * @param depthMax how deep each member may nest
 */
export function captureJson(value: Readonly<Record<string, JsonObject>>, depthMax: number): CapturedJson {
  const capture: Capture = { left: valuesMax, sortable: true }
  const copy = copyOfMembers(value, depthMax + 1, capture)
  if (copy === undefined) return { kind: 'malformed', problem: problemOf(value, depthMax) }
  const text = capture.sortable ? JSON.stringify(copy) : undefined
  if (text !== undefined && !hasEscapedSurrogate(text)) return { kind: 'captured', value: copy, text }
  // Half of a surrogate pair, or only the look of one; or names that objects do not keep in order.
  return carefully(value, copy, depthMax)
}

function carefully(
  value: Readonly<Record<string, JsonObject>>,
  copy: JsonObject,
  depthMax: number,
): CapturedJson {
  for (const [name, member] of Object.entries(copy)) {
    const problem = recordedJsonProblem(member, name, depthMax)
    if (problem !== undefined) return { kind: 'malformed', problem }
  }
  return { kind: 'captured', value: copy, text: canonicalJson(copy) }
}

function problemOf(value: Readonly<Record<string, unknown>>, depthMax: number): string {
  for (const [name, member] of Object.entries(value)) {
    const problem = recordedJsonProblem(member, name, depthMax)
    if (problem !== undefined) return problem
  }
  // A getter or a proxy that answers differently each time it is asked.
  return 'a value changes while it is read'
}

const valuesMax = 1_000_000

interface Capture {
  /** How many more values may be visited: an object graph with shared parts can unfold without end. */
  left: number
  /** Whether the names of all objects stay in the order in which they are set: those that look like numbers do not. */
  sortable: boolean
}

/** Undefined where the value is not plain JSON. */
function copyOf(value: unknown, depthLeft: number, capture: Capture): Json | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      if (!Number.isFinite(value)) return undefined
      // -0 becomes the 0 that its record will show.
      return value === 0 ? 0 : value
    case 'object':
      if (value === null) return null
      if (depthLeft <= 0) return undefined
      if (Array.isArray(value)) return copyOfItems(value, depthLeft - 1, capture)
      return copyOfMembers(value, depthLeft, capture)
    default:
      return undefined
  }
}

function copyOfItems(items: readonly unknown[], depthLeft: number, capture: Capture): Json | undefined {
  if (Object.getPrototypeOf(items) !== Array.prototype) return undefined
  const names = Reflect.ownKeys(items)
  // Every index is there, and `length`: one more is a property that JSON would drop.
  if (names.length !== items.length + 1) return undefined
  capture.left -= items.length
  if (capture.left < 0) return undefined
  const copy: Json[] = []
  for (let at = 0; at < items.length; at++) {
    const property = Object.getOwnPropertyDescriptor(items, at)
    if (property === undefined || !('value' in property) || property.enumerable !== true) return undefined
    const item = copyOf(property.value, depthLeft, capture)
    if (item === undefined) return undefined
    copy.push(item)
  }
  return Object.freeze(copy)
}

function copyOfMembers(value: object, depthLeft: number, capture: Capture): JsonObject | undefined {
  if (depthLeft <= 0) return undefined
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return undefined
  const names = sortedNames(value)
  if (names === undefined) return undefined
  capture.left -= names.length
  if (capture.left < 0) return undefined
  const copy: Record<string, Json> = {}
  for (const name of names) {
    const property = Object.getOwnPropertyDescriptor(value, name)
    if (property === undefined || !('value' in property) || property.enumerable !== true) return undefined
    const member = copyOf(property.value, depthLeft - 1, capture)
    if (member === undefined) return undefined
    if (mayMove(name)) capture.sortable = false
    // Assigning would set the prototype instead.
    if (name === '__proto__') Object.defineProperty(copy, name, { value: member, enumerable: true })
    else copy[name] = member
  }
  return Object.freeze(copy)
}

// JavaScript keeps names that look like indices before all others.
function mayMove(name: string): boolean {
  const first = name.charCodeAt(0)
  return first >= 48 && first <= 57
}

/** The names by UTF-16 code units; undefined where one is a symbol. Mostly they are sorted already. */
function sortedNames(value: object): readonly string[] | undefined {
  // Two questions cost half of what `Reflect.ownKeys` does, which takes no account of an object's shape.
  const names = Object.getOwnPropertyNames(value)
  if (Object.getOwnPropertySymbols(value).length > 0) return undefined
  for (let at = 1; at < names.length; at++) {
    if ((names[at] ?? '') < (names[at - 1] ?? '')) return names.sort()
  }
  return names
}
