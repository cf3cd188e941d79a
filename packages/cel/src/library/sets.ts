import { itemsPerStep } from '../limits.ts'
import { CelDuration, CelFailure, CelTimestamp, CelTypeValue, CelUint } from '../value.ts'
import type { CelValue } from '../value.ts'
import { hexadecimal } from './bytes-text.ts'
import type { LibraryFunction, LibraryType } from './entry.ts'
import { free, method } from './forms.ts'

type Items = readonly CelValue[]

const list: LibraryType = { list: 'T' }
const details = {
  cost: (left = 0, right = 0) => 2 + Math.ceil(left / itemsPerStep) + Math.ceil(right / itemsPerStep),
  resultSize: () => 1,
}

/**
 * Lists taken as sets: order and repetition do not matter.
 *
 * The answer of unlike items is an error and not false, unless it is yes anyway: what a list of another kind than was
 * expected holds must not pass for "nothing of that". Items are simple values; lists and maps in them are refused.
 */
export const setFunctions: readonly LibraryFunction[] = [
  free(
    'sets.contains',
    [list, list],
    'bool',
    (all: Items, some: Items) => compared(all, some, isWithin),
    details,
  ),
  free(
    'sets.equivalent',
    [list, list],
    'bool',
    (left: Items, right: Items) => compared(left, right, isSame),
    details,
  ),
  free(
    'sets.intersects',
    [list, list],
    'bool',
    (left: Items, right: Items) => compared(left, right, meets),
    details,
  ),
  method(
    list,
    'intersects',
    [list],
    'bool',
    (left: Items, right: Items) => compared(left, right, meets),
    details,
  ),
  method(
    list,
    'subsetOf',
    [list],
    'bool',
    (some: Items, all: Items) => compared(all, some, isWithin),
    details,
  ),
]

interface Keys {
  readonly of: ReadonlySet<string>
  readonly kinds: ReadonlySet<string>
}

const isWithin = (all: Keys, some: Keys): boolean => [...some.of].every((key) => all.of.has(key))
const isSame = (left: Keys, right: Keys): boolean => left.of.size === right.of.size && isWithin(left, right)
const meets = (left: Keys, right: Keys): boolean => [...left.of].some((key) => right.of.has(key))

function compared(
  left: Items,
  right: Items,
  holds: (left: Keys, right: Keys) => boolean,
): boolean | CelFailure {
  // Most sets are of names and labels, which are their own keys.
  if (areTexts(left) && areTexts(right)) return holds(textKeys(left), textKeys(right))
  const [one, other] = [keysOf(left), keysOf(right)]
  if (one instanceof CelFailure) return one
  if (other instanceof CelFailure) return other
  if (holds(one, other)) return true
  // Where one list is empty there is nothing unlike, whatever the other one holds.
  const unlike = one.of.size > 0 && other.of.size > 0 && new Set([...one.kinds, ...other.kinds]).size > 1
  return unlike ? new CelFailure('compares items of unlike kinds') : false
}

function areTexts(items: Items): items is readonly string[] {
  return items.every((item) => typeof item === 'string')
}

function textKeys(texts: readonly string[]): Keys {
  return { of: new Set(texts), kinds: onlyTexts }
}

const onlyTexts: ReadonlySet<string> = new Set(['string'])

/** Two items are equal exactly when their keys are. */
function keysOf(items: Items): Keys | CelFailure {
  const [of, kinds] = [new Set<string>(), new Set<string>()]
  for (const item of items) {
    const key = keyOf(item)
    if (key === undefined) return new CelFailure('needs lists of simple values')
    of.add(`${key.kind} ${key.text}`)
    kinds.add(key.kind)
  }
  return { of, kinds }
}

function keyOf(item: CelValue): { readonly kind: string; readonly text: string } | undefined {
  if (item === null) return { kind: 'null', text: '' }
  if (typeof item === 'string') return { kind: 'string', text: item }
  if (typeof item === 'boolean') return { kind: 'bool', text: String(item) }
  if (typeof item === 'bigint') return { kind: 'number', text: String(item) }
  if (typeof item === 'number') return numberKey(item)
  if (item instanceof CelUint) return { kind: 'number', text: String(item.value) }
  if (item instanceof Uint8Array) return { kind: 'bytes', text: hexadecimal(item) }
  if (item instanceof CelTimestamp) return { kind: 'timestamp', text: String(item.nanos) }
  if (item instanceof CelDuration) return { kind: 'duration', text: String(item.nanos) }
  return item instanceof CelTypeValue ? { kind: 'type', text: item.name } : undefined
}

/** A whole double equals the whole number, however it prints. NaN equals nothing, and is refused. */
function numberKey(value: number): { readonly kind: 'number'; readonly text: string } | undefined {
  if (Number.isNaN(value)) return undefined
  return { kind: 'number', text: Number.isInteger(value) ? String(BigInt(value)) : String(value) }
}
