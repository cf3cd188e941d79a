import { isList, isMap, sizeOf } from './kinds.ts'
import type { CelValue } from './value.ts'

/** The size of a value as cost functions take it: units of text, bytes, items, entries; 1 for everything else. */
export function measure(value: CelValue): number {
  if (typeof value === 'string') return value.length
  if (typeof value !== 'object' || value === null) return 1
  if (isList(value) || value instanceof Uint8Array) return value.length
  return isMap(value) ? sizeOf(value) : 1
}
