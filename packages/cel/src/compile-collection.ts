import { labelled } from './compile-context.ts'
import type { CompileContext } from './compile-context.ts'
import { exhausted } from './frame.ts'
import type { Evaluate, Outcome } from './frame.ts'
import { keyOf, phraseOf } from './kinds.ts'
import { labelOf } from './label.ts'
import type { ListItem, MapEntry, Node } from './syntax.ts'
import { CelFailure, CelOptional } from './value.ts'
import type { CelMapKey, CelValue } from './value.ts'

/** `[a, b]`. An item written with `?` is left out where it is absent. */
export function compileList(items: readonly ListItem[], context: CompileContext): Evaluate {
  const parts = items.map((item) => ({ ...item, evaluate: context.compile(item.value) }))
  if (!context.observed && items.every((item) => item.value.kind === 'literal' && !item.optional)) {
    const list = items.map((item) => (item.value.kind === 'literal' ? item.value.value : null))
    return () => list
  }
  return (frame) => {
    if (!frame.chargeItems(parts.length)) return exhausted
    const list: CelValue[] = []
    for (const { evaluate, optional, value: node } of parts) {
      const value = evaluate(frame)
      if (value instanceof CelFailure) return value
      const held = optional ? heldBy(value, node) : value
      if (held instanceof CelFailure) return held
      if (held !== undefined) list.push(held)
    }
    return list
  }
}

/** `{key: value}`. */
export function compileMap(node: Node, entries: readonly MapEntry[], context: CompileContext): Evaluate {
  const parts = entries.map(({ key, value, optional }) => ({
    key: compileKey(key, context),
    value: context.compile(value),
    node: value,
    optional,
  }))
  const twice = new CelFailure('has a key twice')
  return (frame) => {
    if (!frame.chargeItems(parts.length)) return exhausted
    const map = new Map<CelMapKey, CelValue>()
    for (const part of parts) {
      const key = part.key(frame)
      if (key instanceof CelFailure) return key
      const value = part.value(frame)
      if (value instanceof CelFailure) return value
      const held = part.optional ? heldBy(value, part.node) : value
      if (held instanceof CelFailure) return held
      const name = keyOf(key)
      if (name === undefined || map.has(name)) return labelled(node, twice)
      if (held !== undefined) map.set(name, held)
    }
    return map
  }
}

/** Keys are strings in policies; in CEL, strings, whole numbers and bools. */
function compileKey(node: Node, context: CompileContext): Evaluate {
  const evaluate = context.compile(node)
  const { policy } = context.dialect
  return (frame): Outcome => {
    const key = evaluate(frame)
    if (typeof key === 'string' || key instanceof CelFailure) return key
    if (policy) return new CelFailure(`${labelOf(node)} is ${phraseOf(key)}, not a string`)
    if (typeof key === 'number' || keyOf(key) === undefined)
      return new CelFailure(`${labelOf(node)} is ${phraseOf(key)}, which is no key of a map`)
    return key
  }
}

function heldBy(value: CelValue, node: Node): CelValue | undefined | CelFailure {
  if (value instanceof CelOptional) return value.value
  return new CelFailure(`${labelOf(node)} is ${phraseOf(value)}, not an optional`)
}
