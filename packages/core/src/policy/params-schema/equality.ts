/** Whether two JSON values are equal as JSON Schema compares them: members in any order, 1 and 1.0 alike. */
export function jsonEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false
    return a.every((item, at) => jsonEqual(item, b[at]))
  }
  const left = a as Readonly<Record<string, unknown>>
  const right = b as Readonly<Record<string, unknown>>
  const names = Object.keys(left)
  if (names.length !== Object.keys(right).length) return false
  return names.every((name) => Object.hasOwn(right, name) && jsonEqual(left[name], right[name]))
}

/** Up to here comparing each with each is faster, and needs no memory. */
const pairwiseMax = 8

/** Whether no two items are equal. Takes time in proportion to the size of the items. */
export function allDifferent(items: readonly unknown[]): boolean {
  if (items.length > pairwiseMax) return new Set(items.map(equalityKey)).size === items.length
  for (let at = 1; at < items.length; at++) {
    for (let before = 0; before < at; before++) {
      if (jsonEqual(items[at], items[before])) return false
    }
  }
  return true
}

/** A text that is the same for equal values and for no others. Lone surrogates are told apart, too. */
function equalityKey(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(equalityKey).join(',')}]`
  const members = value as Readonly<Record<string, unknown>>
  const names = Object.keys(members).sort()
  return `{${names.map((name) => `${JSON.stringify(name)}:${equalityKey(members[name])}`).join(',')}}`
}
