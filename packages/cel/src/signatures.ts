import type { CelType } from './types.ts'

/** What one form of a function takes and gives. */
export interface Signature {
  /** Undefined: the function is called without a target. */
  readonly target: CelType | undefined
  readonly args: readonly CelType[]
  readonly result: CelType
  /** The text it takes must stand in the condition, so that it is checked when the condition is loaded. */
  readonly literal?: 'required' | 'checked'
}

const anyList: CelType = { list: 'dyn' }
const anyMap: CelType = { map: 'dyn' }
const texts: CelType = { list: 'string' }

function free(args: readonly CelType[], result: CelType): Signature {
  return { target: undefined, args, result }
}

function method(target: CelType, args: readonly CelType[], result: CelType): Signature {
  return { target, args, result }
}

function conversions(result: CelType, from: readonly CelType[]): readonly Signature[] {
  return from.map((type) => free([type], result))
}

const sized: readonly CelType[] = ['string', 'bytes', anyList, anyMap]
const size = [...sized.map((type) => free([type], 'int')), ...sized.map((type) => method(type, [], 'int'))]

const calendar = [
  method('timestamp', [], 'int'),
  { ...method('timestamp', ['string'], 'int'), literal: 'checked' } satisfies Signature,
]
const clock = [...calendar, method('duration', [], 'int')]

const table: Readonly<Record<string, readonly Signature[]>> = {
  size,
  contains: [method('string', ['string'], 'bool')],
  startsWith: [method('string', ['string'], 'bool')],
  endsWith: [method('string', ['string'], 'bool')],
  matches: [{ ...method('string', ['string'], 'bool'), literal: 'required' }],
  lowerAscii: [method('string', [], 'string')],
  upperAscii: [method('string', [], 'string')],
  trim: [method('string', [], 'string')],
  charAt: [method('string', ['int'], 'string')],
  substring: [method('string', ['int'], 'string'), method('string', ['int', 'int'], 'string')],
  indexOf: [method('string', ['string'], 'int'), method('string', ['string', 'int'], 'int')],
  lastIndexOf: [method('string', ['string'], 'int'), method('string', ['string', 'int'], 'int')],
  replace: [method('string', ['string', 'string'], 'string')],
  split: [method('string', ['string'], texts)],
  join: [method(texts, [], 'string'), method(texts, ['string'], 'string')],
  int: conversions('int', ['number', 'int', 'string', 'timestamp', 'duration']),
  double: conversions('number', ['number', 'int', 'string']),
  string: conversions('string', ['string', 'bool', 'int', 'number', 'bytes', 'timestamp', 'duration']),
  bool: conversions('bool', ['bool', 'string']),
  bytes: conversions('bytes', ['bytes', 'string']),
  dyn: conversions('dyn', ['dyn']),
  timestamp: [
    free(['timestamp'], 'timestamp'),
    { ...free(['string'], 'timestamp'), literal: 'checked' },
    free(['int'], 'timestamp'),
  ],
  duration: [free(['duration'], 'duration'), { ...free(['string'], 'duration'), literal: 'checked' }],
  getFullYear: calendar,
  getMonth: calendar,
  getDate: calendar,
  getDayOfMonth: calendar,
  getDayOfWeek: calendar,
  getDayOfYear: calendar,
  getHours: clock,
  getMinutes: clock,
  getSeconds: clock,
  getMilliseconds: clock,
}

/** The forms of a function or method; undefined where there is none of that name. */
export function signaturesOf(name: string): readonly Signature[] | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined
}

/** The names of all functions and methods. */
export const functionNames: readonly string[] = Object.keys(table)

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
  uint: 'use int(x)',
  float: 'use double(x)',
  number: 'use double(x)',
  has: 'has() takes one field, as in has(params.name)',
  exists: 'write it as list.exists(x, test)',
  existsOne: 'write it as list.exists_one(x, test)',
  exists_one: 'write it as list.exists_one(x, test)',
  all: 'write it as list.all(x, test)',
  filter: 'write it as list.filter(x, test)',
  map: 'write it as list.map(x, expression)',
}
