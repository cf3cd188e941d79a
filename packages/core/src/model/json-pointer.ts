import type { Json } from './json.ts'

/** The JSON Pointer (RFC 6901) to the member of this name below `pointer`. */
export function pointerBelow(pointer: string, name: string | number): string {
  return `${pointer}/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`
}

/** What stands at a JSON Pointer; undefined where nothing does, or where it is none. */
export function valueAt(value: Json, pointer: string): Json | undefined {
  if (pointer === '') return value
  if (!pointer.startsWith('/')) return undefined
  let found: Json | undefined = value
  for (const part of pointer.slice(1).split('/')) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~')
    found = memberOf(found, name)
    if (found === undefined) return undefined
  }
  return found
}

function memberOf(value: Json | undefined, name: string): Json | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  if (Array.isArray(value) && !/^(0|[1-9][0-9]{0,6})$/.test(name)) return undefined
  if (!Object.hasOwn(value, name)) return undefined
  return (value as Readonly<Record<string, Json>>)[name]
}
