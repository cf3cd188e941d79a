import type { LibraryType } from './library/entry.ts'
import { isList, isMap, keysOf, kindOf, memberOf } from './kinds.ts'
import { CelOptional, CelUint } from './value.ts'
import type { CelMapKey, CelValue } from './value.ts'

/** The value as a parameter takes it; undefined where it does not. */
export type Accept = (value: CelValue) => CelValue | undefined

/**
 * How a parameter of a type takes values. In policies, a JSON number that is whole is an `int` too, and `loosely` a
 * whole number is a number.
 */
export function acceptOf(type: LibraryType, policy: boolean, loosely: boolean): Accept {
  if (typeof type === 'object') return acceptContainer(type, policy, loosely)
  switch (type) {
    case 'dyn':
    case 'T':
      return (value) => value
    case 'int':
      return policy ? wholeNumber : (value) => (typeof value === 'bigint' ? value : undefined)
    case 'double':
    case 'number':
      if (policy && loosely) return anyNumber
      return (value) => (typeof value === 'number' ? value : undefined)
    case 'uint':
      return (value) => (value instanceof CelUint ? value : undefined)
    case 'string':
      return (value) => (typeof value === 'string' ? value : undefined)
    default:
      return (value) => (kindOf(value) === type ? value : undefined)
  }
}

function wholeNumber(value: CelValue): CelValue | undefined {
  if (typeof value === 'bigint') return value
  return typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : undefined
}

function anyNumber(value: CelValue): CelValue | undefined {
  if (typeof value === 'bigint') return Number(value)
  return typeof value === 'number' ? value : undefined
}

function acceptContainer(type: Extract<LibraryType, object>, policy: boolean, loosely: boolean): Accept {
  if ('list' in type) {
    if (isAnything(type.list)) return (value) => (isList(value) ? value : undefined)
    const accept = acceptOf(type.list, policy, loosely)
    return (value) => (isList(value) ? acceptedList(value, accept) : undefined)
  }
  if ('optional' in type) return (value) => (value instanceof CelOptional ? value : undefined)
  const [, of] = type.map
  if (isAnything(of)) return (value) => (isMap(value) ? value : undefined)
  const accept = acceptOf(of, policy, loosely)
  return (value) => {
    if (!isMap(value)) return undefined
    const entries: (readonly [CelMapKey, CelValue])[] = []
    for (const key of keysOf(value)) {
      const member = accept(memberOf(value, key) ?? null)
      if (member === undefined) return undefined
      entries.push([key, member])
    }
    return new Map(entries)
  }
}

function acceptedList(list: readonly CelValue[], accept: Accept): CelValue | undefined {
  let copy: CelValue[] | undefined
  for (let index = 0; index < list.length; index++) {
    const item = list[index]
    const accepted = item === undefined ? undefined : accept(item)
    if (accepted === undefined) return undefined
    if (accepted !== item) copy ??= list.slice(0, index)
    copy?.push(accepted)
  }
  return copy ?? list
}

function isAnything(type: LibraryType): boolean {
  return type === 'dyn' || type === 'T'
}
