import { conversions, sizes } from './conversions.ts'
import type { LibraryFunction, LibraryType } from './library/entry.ts'
import { library, standardOnly } from './library/index.ts'
import { optionalFunctions } from './optionals.ts'

/** The functions of a dialect. */
export interface FunctionTable {
  /** The forms of a function or method; undefined where there is none of that name. */
  formsOf(name: string): readonly LibraryFunction[] | undefined
  readonly names: readonly string[]
}

/** The functions that conditions may call: no unsigned numbers, no types as values, no optionals. */
export const policyFunctions: FunctionTable = tableOf(
  [...conversions(true), ...library, ...sizes].filter(
    (one) =>
      one.name !== 'type' &&
      [one.target, ...one.args, one.result].every((type) => type === undefined || isPlain(type)),
  ),
)

/** The functions of the standard dialect. */
export const standardFunctions: FunctionTable = tableOf([
  ...conversions(false),
  ...library,
  ...standardOnly,
  ...sizes,
  ...optionalFunctions,
])

function tableOf(forms: readonly LibraryFunction[]): FunctionTable {
  const table = new Map<string, LibraryFunction[]>()
  for (const form of forms) {
    const known = table.get(form.name)
    if (known === undefined) table.set(form.name, [form])
    else known.push(form)
  }
  return { formsOf: (name) => table.get(name), names: [...table.keys()] }
}

function isPlain(type: LibraryType): boolean {
  if (typeof type === 'string') return type !== 'uint'
  if ('list' in type) return isPlain(type.list)
  return 'map' in type && type.map.every(isPlain)
}

/** What to write instead of functions that other languages have. */
export const functionHints: Readonly<Record<string, string | undefined>> = {
  not: 'CEL writes `!` for not',
  len: 'use size(x)',
  length: 'use size(x)',
  count: 'use size(x), with filter() before it to count some',
  any: 'use list.exists(x, test)',
  some: 'use list.exists(x, test)',
  every: 'use list.all(x, test)',
  includes: 'use list.exists(x, x == value), `value in list` or text.contains(part)',
  lower: 'use text.lowerAscii()',
  toLowerCase: 'use text.lowerAscii()',
  upper: 'use text.upperAscii()',
  toUpperCase: 'use text.upperAscii()',
  abs: 'use math.abs(x)',
  min: 'use math.least(x, y)',
  max: 'use math.greatest(x, y)',
  round: 'use math.round(x)',
  startswith: 'did you mean `startsWith`?',
  endswith: 'did you mean `endsWith`?',
  parseInt: 'use int(x)',
  uint: 'use int(x)',
  float: 'use double(x)',
  number: 'use double(x)',
  str: 'use string(x)',
  toString: 'use string(x)',
  now: '`now` is a name: write it without parentheses',
  has: 'has() takes one field, as in has(params.name)',
  exists: 'write it as list.exists(x, test)',
  existsOne: 'write it as list.exists_one(x, test)',
  exists_one: 'write it as list.exists_one(x, test)',
  all: 'write it as list.all(x, test)',
  filter: 'write it as list.filter(x, test)',
  map: 'write it as list.map(x, expression)',
  transformList: 'write it as list.transformList(index, item, expression)',
  transformMap: 'write it as map.transformMap(key, value, expression)',
  transformMapEntry: 'write it as map.transformMapEntry(key, value, entries)',
}
