import type { Json, JsonObject } from '../model/json.ts'
import { pointerBelow } from '../model/json-pointer.ts'
import type { CompiledPolicy } from '../model/policy.ts'

/** What stands where people may not look. */
export const maskText = '•••'

/**
 * The params or context of a call as people and webhooks may see them: what the policy calls sensitive for the
 * action is masked, in lists at every item, and what stands where the path leads through something else. Not for deciding, and not for running.
 */
export function masked(
  policy: Pick<CompiledPolicy, 'actions'>,
  action: string,
  root: 'params' | 'context',
  value: JsonObject,
): JsonObject {
  let shown: Json = value
  for (const { pattern, sensitive } of policy.actions) {
    if (!pattern.matches(action)) continue
    for (const [first, ...path] of sensitive) if (first === root) shown = maskedAt(shown, path)
  }
  return shown as JsonObject
}

/**
 * Where `shown`, which `masked` made of `value`, hides something: JSON Pointers below `pointer`, in the order of the
 * members.
 */
export function hiddenPointers(value: Json, shown: Json, pointer: string): readonly string[] {
  // What is not masked is the same value, not a copy of it.
  if (value === shown) return []
  if (typeof value !== 'object' || value === null || typeof shown !== 'object' || shown === null)
    return [pointer]
  const members = shown as Readonly<Record<string, Json>>
  return Object.entries(value).flatMap(([name, member]) =>
    hiddenPointers(member, members[name] ?? null, pointerBelow(pointer, name)),
  )
}

function maskedAt(value: Json, path: readonly string[]): Json {
  const [name, ...rest] = path
  if (name === undefined) return maskText
  // A text in place of the map that the path leads through may be what the map was to hold.
  if (typeof value !== 'object') return maskText
  if (value === null) return value
  if (isList(value)) return value.map((item) => maskedAt(item, path))
  const member = Object.hasOwn(value, name) ? value[name] : undefined
  if (member === undefined) return value
  const copy = Object.fromEntries(Object.entries(value))
  copy[name] = maskedAt(member, rest)
  return copy
}

/** `Array.isArray` does not narrow readonly arrays. */
function isList(value: object): value is readonly Json[] {
  return Array.isArray(value)
}
