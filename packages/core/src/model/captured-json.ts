import { canonicalJson, hasEscapedSurrogate, recordedJsonProblem } from './canonical-json.ts'
import type { Json, JsonObject } from './json.ts'

/** Where JSON values come from: from whoever they belong to, or straight from `JSON.parse`. */
export type JsonSource = 'handed' | 'parsed'

/** What a caller hands over beside names. */
interface Handed {
  readonly context: JsonObject
  readonly params: JsonObject
}

/** Values that were taken from their owner: nobody changes them any more, and their canonical text is known. */
export type CapturedJson =
  | {
      readonly kind: 'captured'
      readonly context: JsonObject
      readonly params: JsonObject
      /** Of `{context, params}`. */
      readonly text: string
    }
  | { readonly kind: 'malformed'; readonly problem: string }

/**
 * Frozen deep copies of plain JSON objects and the canonical JSON (RFC 8785) of both, or why there is none: as
 * `recordedJsonProblem`, `frozenCopy` and `canonicalJson` would say one after the other. Every property is read once,
 * so what is judged here is what the copies hold. Problems name the way to a value, such as `params.amount is NaN`.
 *
 * @param depthMax how deep each of the two may nest
 * @param source `parsed`: both came of `JSON.parse` a moment ago, and nobody else holds them; then they hold nothing but data,
 *   and are taken themselves in the place of copies
 */
export function captureJson(handed: Handed, depthMax: number, source: JsonSource = 'handed'): CapturedJson {
  const capture: Capture = { left: valuesMax, sortable: true }
  const copy = source === 'parsed' ? takenMembers : copyOfMembers
  const context = copy(handed.context, depthMax, capture)
  const params = context && copy(handed.params, depthMax, capture)
  if (context === undefined || params === undefined)
    return { kind: 'malformed', problem: problemOf(handed, depthMax) }
  const both = { context, params }
  const text = capture.sortable ? JSON.stringify(both) : undefined
  if (text !== undefined && !hasEscapedSurrogate(text)) return { kind: 'captured', context, params, text }
  // Half of a surrogate pair, or only the look of one; or names that objects do not keep in order.
  const problem = firstProblem(both, depthMax)
  if (problem !== undefined) return { kind: 'malformed', problem }
  return { kind: 'captured', context, params, text: canonicalJson(both) }
}

function problemOf(handed: Handed, depthMax: number): string {
  // Otherwise a getter or a proxy answers differently each time it is asked.
  return firstProblem(handed, depthMax) ?? 'a value changes while it is read'
}

function firstProblem({ context, params }: Handed, depthMax: number): string | undefined {
  return recordedJsonProblem(context, 'context', depthMax) ?? recordedJsonProblem(params, 'params', depthMax)
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
    setMember(copy, name, member)
  }
  return Object.freeze(copy)
}

// As `copyOfMembers`, of an object of `JSON.parse`: its properties are data, enumerable and its own, and so is what is in it.
// It stays where it is, for nobody else holds it, unless its names are not in order.
function takenMembers(value: object, depthLeft: number, capture: Capture): JsonObject | undefined {
  if (depthLeft <= 0) return undefined
  const names = Object.keys(value)
  capture.left -= names.length
  if (capture.left < 0) return undefined
  const members = value as Record<string, unknown>
  let before = ''
  let isInOrder = true
  for (const name of names) {
    const member = members[name]
    const taken = takenValue(member, depthLeft - 1, capture)
    if (taken === undefined) return undefined
    if (taken !== member || taken === 0) setMember(members, name, taken)
    if (mayMove(name)) capture.sortable = false
    isInOrder &&= before <= name
    before = name
  }
  if (isInOrder) return members as JsonObject
  const sorted: Record<string, Json> = {}
  for (const name of names.sort()) setMember(sorted, name, members[name] as Json)
  return sorted
}

function takenValue(value: unknown, depthLeft: number, capture: Capture): Json | undefined {
  if (typeof value !== 'object' || value === null) return copyOf(value, depthLeft, capture)
  if (!Array.isArray(value)) return takenMembers(value, depthLeft, capture)
  const items = value as unknown[]
  capture.left -= items.length
  if (depthLeft <= 0 || capture.left < 0) return undefined
  for (let at = 0; at < items.length; at++) {
    const item = takenValue(items[at], depthLeft - 1, capture)
    if (item === undefined) return undefined
    items[at] = item
  }
  return items as Json[]
}

function setMember(object: Record<string, unknown>, name: string, member: Json): void {
  // Assigning would set the prototype instead.
  if (name === '__proto__') Object.defineProperty(object, name, { value: member, enumerable: true })
  else object[name] = member
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
  return Object.getOwnPropertySymbols(value).length > 0 ? undefined : inOrder(names)
}

/** The names by UTF-16 code units, in place. */
function inOrder(names: string[]): readonly string[] {
  for (let at = 1; at < names.length; at++) {
    if ((names[at] ?? '') < (names[at - 1] ?? '')) return names.sort()
  }
  return names
}
