/** Turns outside data into a typed value, or throws `ShapeMismatch` naming the place. */
export type Shape<T> = (value: unknown, path: string) => T

/** The type that a shape yields. */
export type Shaped<S> = S extends Shape<infer T> ? T : never

/** The service answered with something that this console does not understand. */
export class ShapeMismatch extends Error {
  override readonly name = 'ShapeMismatch'

  constructor(path: string, expected: string) {
    super(`expected ${expected} at \`${path}\``)
  }
}

/** Any string. */
export const text: Shape<string> = (value, path) => {
  if (typeof value !== 'string') throw new ShapeMismatch(path, 'text')
  return value
}

/** Any finite number. */
export const number: Shape<number> = (value, path) => {
  if (typeof value !== 'number') throw new ShapeMismatch(path, 'a number')
  return value
}

/** True or false. */
export const flag: Shape<boolean> = (value, path) => {
  if (typeof value !== 'boolean') throw new ShapeMismatch(path, 'true or false')
  return value
}

/** An object whose members nobody promised anything about. */
export const anyObject: Shape<Readonly<Record<string, unknown>>> = (value, path) => {
  if (!isObject(value)) throw new ShapeMismatch(path, 'an object')
  return value
}

/** An object of which every member is text. */
export const textByName: Shape<Readonly<Record<string, string>>> = (value, path) =>
  Object.fromEntries(
    Object.entries(anyObject(value, path)).map(([name, member]) => [name, text(member, `${path}.${name}`)]),
  )

/** An id such as `dec_12`; its prefix keeps ids of different kinds apart in the type system. */
export function id<Prefix extends string>(prefix: Prefix): Shape<`${Prefix}_${string}`> {
  const isId = (value: unknown): value is `${Prefix}_${string}` =>
    typeof value === 'string' && value.startsWith(`${prefix}_`)
  return (value, path) => {
    if (!isId(value)) throw new ShapeMismatch(path, `an id that starts with ${prefix}_`)
    return value
  }
}

/** One of the given words. */
export function oneOf<const Word extends string>(...words: readonly Word[]): Shape<Word> {
  return (value, path) => {
    const found = words.find((word) => word === value)
    if (found === undefined) throw new ShapeMismatch(path, `one of ${words.join(', ')}`)
    return found
  }
}

/** A list of `item`. */
export function listOf<T>(item: Shape<T>): Shape<readonly T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) throw new ShapeMismatch(path, 'a list')
    return value.map((entry, index) => item(entry, `${path}[${index}]`))
  }
}

/** `inner`, or null; a member that is absent counts as null. */
export function orNull<T>(inner: Shape<T>): Shape<T | null> {
  return (value, path) => (value === null || value === undefined ? null : inner(value, path))
}

/** An object with the given members; members that nobody named are ignored, so the service may add some. */
export function object<Members extends Readonly<Record<string, Shape<unknown>>>>(
  members: Members,
): Shape<{ readonly [Name in keyof Members]: Shaped<Members[Name]> }> {
  return (value, path) => {
    if (!isObject(value)) throw new ShapeMismatch(path, 'an object')
    const entries = Object.entries(members).map(([name, shape]): [string, unknown] => [
      name,
      shape(value[name], path === '' ? name : `${path}.${name}`),
    ])
    // Every member was checked by its own shape just above.
    return Object.fromEntries(entries) as { readonly [Name in keyof Members]: Shaped<Members[Name]> }
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
