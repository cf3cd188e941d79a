import { admit } from './admit.ts'
import type { Evaluate } from './frame.ts'
import { isPlainObject } from './kinds.ts'
import type { CelType } from './types.ts'
import { CelFailure } from './value.ts'

/** Reads a name from the input of an evaluation. Undefined: it is missing. */
export type RawReader = (input: unknown) => unknown

/**
 * What reads a name of a declared type in a condition. Scalars and JSON are checked where they are read; a list or map
 * with declared items is gone through once in an evaluation, and its slot keeps it.
 */
export function nameReader(
  name: string,
  type: CelType,
  raw: RawReader | undefined,
  newSlot: () => number,
): Evaluate {
  if (raw === undefined) {
    const failure = new CelFailure(`${name} is missing`)
    return () => failure
  }
  switch (type) {
    case 'number':
      return (frame) => {
        const value = raw(frame.input)
        return typeof value === 'number' && Number.isFinite(value) ? value : admit(name, value, type)
      }
    case 'bool':
      return (frame) => {
        const value = raw(frame.input)
        return typeof value === 'boolean' ? value : admit(name, value, type)
      }
    case 'string':
      return (frame) => {
        const value = raw(frame.input)
        return typeof value === 'string' ? value : admit(name, value, type)
      }
    case 'int':
      return (frame) => {
        const value = raw(frame.input)
        return Number.isSafeInteger(value) ? BigInt(Number(value)) : admit(name, value, type)
      }
    default:
      return isShallow(type) ? shallowReader(name, type, raw) : slotReader(name, type, raw, newSlot())
  }
}

/** Whether a value of the type is taken as it is, without looking into it. */
function isShallow(type: CelType): boolean {
  if (typeof type !== 'object') return type === 'dyn' || type === 'null' || type === 'bytes'
  return 'record' in type || ('map' in type && type.map === 'dyn')
}

function shallowReader(name: string, type: CelType, raw: RawReader): Evaluate {
  const wantsObject = typeof type === 'object'
  return (frame) => {
    const value = raw(frame.input)
    return wantsObject && isPlainObject(value) ? value : admit(name, value, type)
  }
}

function slotReader(name: string, type: CelType, raw: RawReader, slot: number): Evaluate {
  return (frame) => {
    const known = frame.slots[slot]
    if (known !== undefined) return known
    const value = admit(name, raw(frame.input), type)
    frame.slots[slot] = value
    return value
  }
}

/** What an evaluation reads from a map of values. */
export function readFromMap(name: string): RawReader {
  // Whoever evaluates hands in a map; anything else throws here, and the evaluation is an error.
  return (input) => (input as ReadonlyMap<string, unknown>).get(name)
}
