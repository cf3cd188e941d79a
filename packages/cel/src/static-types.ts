import type { LibraryType } from './library/entry.ts'
import type { CelType } from './types.ts'

/** A type while it is being told: as CelType, or a variable that may yet become one. */
export type StaticType =
  | Exclude<CelType, object>
  | { readonly list: StaticType }
  | { readonly map: StaticType; readonly key: StaticType }
  | { readonly optional: StaticType }
  | TypeVariable

/** A type that is not known yet. */
export class TypeVariable {
  bound: StaticType | undefined = undefined
}

/** Types that are made equal, with a way back where a trial fails. */
export class Unifier {
  #trail: TypeVariable[] = []

  /** The type as far as it is known. */
  resolve(type: StaticType): StaticType {
    let known = type
    while (known instanceof TypeVariable && known.bound !== undefined) known = known.bound
    return known
  }

  /** Makes two types one, or leaves both as they were. @returns whether they can be one */
  unify(a: StaticType, b: StaticType): boolean {
    const mark = this.#trail.length
    if (this.#unify(a, b)) return true
    this.#undo(mark)
    return false
  }

  /** Makes several pairs one, or leaves all as they were. */
  unifyAll(pairs: readonly (readonly [StaticType, StaticType])[]): boolean {
    const mark = this.#trail.length
    if (pairs.every(([a, b]) => this.#unify(a, b))) return true
    this.#undo(mark)
    return false
  }

  /** Whether several pairs can be made one; leaves all as they were. */
  wouldUnify(pairs: readonly (readonly [StaticType, StaticType])[]): boolean {
    const mark = this.#trail.length
    const possible = pairs.every(([a, b]) => this.#unify(a, b))
    this.#undo(mark)
    return possible
  }

  /** The type that both fit: one of them where they unify, `dyn` inside where only that keeps them apart. */
  join(a: StaticType, b: StaticType): StaticType {
    const [x, y] = [this.resolve(a), this.resolve(b)]
    if (x === 'dyn' || y === 'dyn') return 'dyn'
    if (typeof x === 'object' && typeof y === 'object') {
      if ('optional' in x && 'optional' in y) return { optional: this.join(x.optional, y.optional) }
      if ('list' in x && 'list' in y) return { list: this.join(x.list, y.list) }
      if ('map' in x && 'map' in y) return { map: this.join(x.map, y.map), key: this.join(x.key, y.key) }
    }
    if (!this.unify(x, y)) return 'dyn'
    return x === 'null' ? y : x
  }

  /** The type once all is known; what nothing tells is `dyn`. */
  settle(type: StaticType): CelType {
    const known = this.resolve(type)
    if (known instanceof TypeVariable) return 'dyn'
    if (typeof known !== 'object') return known
    if ('list' in known) return { list: this.settle(known.list) }
    if ('optional' in known) return { optional: this.settle(known.optional) }
    return { map: this.settle(known.map), key: this.settle(known.key) }
  }

  #undo(mark: number): void {
    for (const variable of this.#trail.splice(mark)) variable.bound = undefined
  }

  #unify(a: StaticType, b: StaticType): boolean {
    const [x, y] = [this.resolve(a), this.resolve(b)]
    if (x === y) return true
    if (x instanceof TypeVariable) return this.#bind(x, y)
    if (y instanceof TypeVariable) return this.#bind(y, x)
    if (x === 'dyn' || y === 'dyn') return true
    if (x === 'null' || y === 'null') return isNullable(x === 'null' ? y : x)
    if (typeof x !== 'object' || typeof y !== 'object') return false
    if ('list' in x && 'list' in y) return this.#unify(x.list, y.list)
    if ('optional' in x && 'optional' in y) return this.#unify(x.optional, y.optional)
    if ('map' in x && 'map' in y) return this.#unify(x.key, y.key) && this.#unify(x.map, y.map)
    return false
  }

  #bind(variable: TypeVariable, type: StaticType): boolean {
    if (this.#contains(type, variable)) return false
    variable.bound = type
    this.#trail.push(variable)
    return true
  }

  #contains(type: StaticType, variable: TypeVariable): boolean {
    const known = this.resolve(type)
    if (known === variable) return true
    if (typeof known !== 'object' || known instanceof TypeVariable) return false
    if ('list' in known) return this.#contains(known.list, variable)
    if ('optional' in known) return this.#contains(known.optional, variable)
    return this.#contains(known.key, variable) || this.#contains(known.map, variable)
  }
}

/** Null stands for an absent message; times and optionals are messages. */
function isNullable(type: StaticType): boolean {
  return type === 'timestamp' || type === 'duration' || (typeof type === 'object' && 'optional' in type)
}

/** A declared type. The keys of a map that names none are strings, and a record is a map. */
export function staticTypeOf(type: CelType): StaticType {
  if (typeof type !== 'object') return type === 'number' ? 'double' : type
  if ('list' in type) return { list: staticTypeOf(type.list) }
  if ('optional' in type) return { optional: staticTypeOf(type.optional) }
  if ('record' in type) return { map: 'dyn', key: 'string' }
  return { map: staticTypeOf(type.map), key: staticTypeOf(type.key ?? 'string') }
}

/** The type of a parameter or a result, with `T` as the variable of one call. */
export function parameterType(type: LibraryType, variable: TypeVariable): StaticType {
  if (type === 'T') return variable
  if (type === 'number') return 'double'
  if (typeof type === 'string') return type
  if ('list' in type) return { list: parameterType(type.list, variable) }
  if ('optional' in type) return { optional: parameterType(type.optional, variable) }
  return { map: parameterType(type.map[1], variable), key: parameterType(type.map[0], variable) }
}

/** A type in CEL's own notation, such as `map(string, int)`, for messages. */
export function typeText(type: CelType): string {
  if (typeof type !== 'object') return type === 'null' ? 'null_type' : type
  if ('list' in type) return `list(${typeText(type.list)})`
  if ('optional' in type) return `optional_type(${typeText(type.optional)})`
  if ('record' in type) return 'map(string, dyn)'
  return `map(${typeText(type.key ?? 'string')}, ${typeText(type.map)})`
}
