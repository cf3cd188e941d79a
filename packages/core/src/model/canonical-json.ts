import { Fault } from './fault.ts'
import type { Json } from './json.ts'

/** How deep a value may nest to be written or copied. Far above every limit on outside data. */
export const canonicalDepthMax = 256
/** How many values `jsonProblem` visits: an object graph with shared parts can unfold without end. */
const valuesMax = 1_000_000

// Strings that JSON writes as they are, which is most of them.
const verbatim = /^[ !#-[\]-~]*$/
const loneSurrogate = /\p{Surrogate}/u
/** What `JSON.stringify` writes for half of a surrogate pair, and canonical JSON does not allow. */
const escapedSurrogate = /\\ud[89a-f]/

/** Whether text by `JSON.stringify` has half of a surrogate pair, or what only looks like it. */
export function hasEscapedSurrogate(text: string): boolean {
  // Mostly there is nothing like it, and looking for a fixed text takes an eighth of the time.
  return text.includes('\\ud') && escapedSurrogate.test(text)
}

/**
 * The value as canonical JSON: equal values give equal text, whoever writes it.
 *
 * @throws Fault `malformed_call` for what JSON cannot carry: NaN, infinities, undefined, functions, symbols,
 * bigints, class instances, lone surrogates, and nesting deeper than `canonicalDepthMax` (or cycles)
 * @see RFC 8785
 */
export function canonicalJson(value: Json): string {
  return textOf(value, canonicalDepthMax, 'refuse')
}

/** Like `canonicalJson`, but leaves out members that are undefined, as optional fields of a record are. */
export function canonicalJsonOfPresent(value: object): string {
  return textOf(value, canonicalDepthMax, 'omit')
}

function textOf(value: unknown, depthLeft: number, absent: 'refuse' | 'omit'): string {
  switch (typeof value) {
    case 'string':
      return quoted(value)
    case 'number':
      // ECMAScript's own number text is what RFC 8785 asks for; it writes -0 as 0.
      if (Number.isFinite(value)) return String(value)
      break
    case 'boolean':
      return value ? 'true' : 'false'
    case 'object':
      if (value === null) return 'null'
      if (depthLeft === 0) throw tooDeep()
      if (Array.isArray(value)) return arrayText(value, depthLeft - 1, absent)
      if (isPlainObject(value)) return objectText(value, depthLeft - 1, absent)
      break
    default:
      break
  }
  throw notJson(value)
}

function arrayText(items: readonly unknown[], depthLeft: number, absent: 'refuse' | 'omit'): string {
  let text = '['
  for (let at = 0; at < items.length; at++) {
    if (at > 0) text += ','
    text += textOf(items[at], depthLeft, absent)
  }
  return `${text}]`
}

function objectText(
  members: Readonly<Record<string, unknown>>,
  depthLeft: number,
  absent: 'refuse' | 'omit',
): string {
  let text = '{'
  for (const name of sortedNames(members)) {
    const member = members[name]
    if (member === undefined && absent === 'omit') continue
    if (text.length > 1) text += ','
    text += `${quoted(name)}:${textOf(member, depthLeft, absent)}`
  }
  return `${text}}`
}

/** The names by UTF-16 code units. Records are built in that order, so that sorting can mostly be skipped. */
function sortedNames(members: object): string[] {
  const names = Object.keys(members)
  for (let at = 1; at < names.length; at++) {
    if ((names[at - 1] ?? '') > (names[at] ?? '')) return names.sort()
  }
  return names
}

function quoted(text: string): string {
  if (verbatim.test(text)) return `"${text}"`
  if (loneSurrogate.test(text)) throw notJson(text)
  return JSON.stringify(text)
}

function isPlainObject(value: object): value is Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function tooDeep(): Fault {
  return new Fault(
    'malformed_call',
    `a value nests deeper than ${canonicalDepthMax} levels, or contains itself`,
    {
      fix: 'Pass a flat, plain JSON value.',
    },
  )
}

function notJson(value: unknown): Fault {
  return new Fault('malformed_call', `a value ${whatIsWrong(value) ?? 'is not plain JSON'}`, {
    fix: 'Pass plain JSON: null, booleans, finite numbers, well-formed strings, arrays and plain objects.',
  })
}

/** What keeps one value, apart from what it contains, from being JSON; undefined where nothing does. */
function whatIsWrong(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
      return loneSurrogate.test(value) ? 'contains half of a surrogate pair' : undefined
    case 'number':
      if (Number.isNaN(value)) return 'is NaN'
      return Number.isFinite(value) ? undefined : 'is infinite'
    case 'boolean':
      return undefined
    case 'object':
      if (value === null || isPlainObject(value)) return undefined
      if (Array.isArray(value))
        return Object.getPrototypeOf(value) === Array.prototype ? undefined : 'is not a plain array'
      return 'is not a plain object'
    case 'undefined':
      return 'is undefined'
    default:
      return `is a ${typeof value}`
  }
}

/** A problem and the way to it, innermost step first: written only when there is one. */
interface Found {
  readonly what: string
  readonly steps: (string | number)[]
  /** Told of the root: the way to it would be as long as the nesting is deep. */
  readonly ofRoot?: boolean
}

/**
 * One short sentence that says why a value is not plain JSON and where, such as `params.amount is NaN`;
 * undefined where it is plain.
 *
 * Plain means: canonical JSON carries all of it. So properties that are computed, hidden or named by symbols are
 * refused too, for a condition could see what the record then would not show.
 *
 * @param root what to call the value itself, such as `params`
 * @param depthMax how many arrays and objects may lie inside each other; `{}` alone counts as one
 */
export function jsonProblem(value: unknown, root: string, depthMax: number): string | undefined {
  const found = findProblem(value, depthMax, { left: valuesMax })
  if (found === undefined) return undefined
  if (found.ofRoot === true) return `${root} ${found.what}`
  return `${root}${found.steps.reverse().map(stepText).join('')} ${found.what}`
}

/**
 * The same for what is recorded for good: of the names on the way to the place it tells the first one only, and that only
 * where it looks like the name of a parameter. The others are the caller's own text, and may be anybody's data.
 */
export function recordedJsonProblem(value: unknown, root: string, depthMax: number): string | undefined {
  const found = findProblem(value, depthMax, { left: valuesMax })
  if (found === undefined) return undefined
  const [first, ...below] = found.ofRoot === true ? [] : found.steps.reverse()
  if (first === undefined) return `${root} ${found.what}`
  const isName = typeof first === 'string' && /^[A-Za-z_][A-Za-z0-9_-]{0,39}$/.test(first)
  const place = isName ? stepText(first) : '[…]'
  return `${root}${place}${below.length === 0 ? '' : '…'} ${found.what}`
}

function findProblem(value: unknown, depthLeft: number, budget: { left: number }): Found | undefined {
  const what = whatIsWrong(value)
  if (what !== undefined) return { what, steps: [] }
  if (typeof value !== 'object' || value === null) return undefined
  if (depthLeft <= 0) return { what: 'nests too deep, or contains itself', steps: [], ofRoot: true }

  if (Array.isArray(value)) return findInArray(value, depthLeft - 1, budget)
  return findInObject(value, depthLeft - 1, budget)
}

function findInArray(
  items: readonly unknown[],
  depthLeft: number,
  budget: { left: number },
): Found | undefined {
  for (let at = 0; at < items.length; at++) {
    const found = findInProperty(items, at, depthLeft, budget)
    if (found !== undefined) return found
  }
  // Every index is there, and `length`: one more is a property that JSON would drop.
  if (Reflect.ownKeys(items).length !== items.length + 1) {
    return { what: 'is an array with extra properties', steps: [] }
  }
  return undefined
}

function findInObject(members: object, depthLeft: number, budget: { left: number }): Found | undefined {
  for (const name of Reflect.ownKeys(members)) {
    if (typeof name === 'symbol') return { what: 'has a symbol as a name', steps: [] }
    if (loneSurrogate.test(name)) return { what: 'has half of a surrogate pair in a name', steps: [] }
    const found = findInProperty(members, name, depthLeft, budget)
    if (found !== undefined) return found
  }
  return undefined
}

function findInProperty(
  holder: object,
  step: string | number,
  depthLeft: number,
  budget: { left: number },
): Found | undefined {
  budget.left -= 1
  if (budget.left < 0) return { what: `holds more than ${valuesMax} values`, steps: [], ofRoot: true }

  const property = Object.getOwnPropertyDescriptor(holder, step)
  if (property === undefined) return { what: 'is missing from its array', steps: [step] }
  if (!('value' in property)) return { what: 'is computed by a getter', steps: [step] }
  if (property.enumerable !== true) return { what: 'is a hidden property', steps: [step] }

  const found = findProblem(property.value, depthLeft, budget)
  found?.steps.push(step)
  return found
}

function stepText(step: string | number): string {
  if (typeof step === 'number') return `[${step}]`
  const shown = step.length > 40 ? `${step.slice(0, 40)}…` : step
  return /^[A-Za-z_$][\w$]*$/.test(shown) ? `.${shown}` : `[${JSON.stringify(shown)}]`
}

/**
 * A deep copy that nobody can change, of plain objects and arrays only. What is decided and what is recorded
 * must be one value, so both use this copy. A `__proto__` member stays data, and -0 becomes the 0 that its
 * record will show.
 *
 * @throws Fault `malformed_call` where `canonicalJson` would
 */
export function frozenCopy<Value extends Json>(value: Value): Value {
  return copyOf(value, canonicalDepthMax) as Value
}

function copyOf(value: Json, depthLeft: number): Json {
  if (whatIsWrong(value) !== undefined) throw notJson(value)
  if (typeof value === 'number') return value === 0 ? 0 : value
  if (typeof value !== 'object' || value === null) return value
  if (depthLeft === 0) throw tooDeep()
  if (isList(value)) return Object.freeze(Array.from(value, (item) => copyOf(item, depthLeft - 1)))

  const copy: Record<string, Json> = {}
  for (const [name, member] of Object.entries(value)) {
    if (loneSurrogate.test(name)) throw notJson(name)
    const memberCopy = copyOf(member, depthLeft - 1)
    // Assigning would set the prototype instead.
    if (name === '__proto__') {
      Object.defineProperty(copy, name, { value: memberCopy, enumerable: true })
    } else {
      copy[name] = memberCopy
    }
  }
  return Object.freeze(copy)
}

/** `Array.isArray` does not narrow readonly arrays. */
function isList(value: object): value is readonly Json[] {
  return Array.isArray(value)
}
