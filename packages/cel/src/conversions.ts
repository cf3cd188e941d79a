import { fitting, fittingUnsigned } from './combining.ts'
import { doubleText } from './library/double-text.ts'
import type { LibraryFunction, LibraryType } from './library/entry.ts'
import { isBuilt, kindOf } from './kinds.ts'
import { charactersPerStep, itemsPerStep } from './limits.ts'
import { CelFailure, CelOptional, CelTypeValue, CelUint } from './value.ts'
import type { CelMap, CelValue } from './value.ts'

type Call = LibraryFunction['call']
type Details = Partial<Pick<LibraryFunction, 'cost' | 'resultSize'>>

const notWhole = new CelFailure('is not a whole number')
const notFinite = new CelFailure('is not a finite number')
const notBool = new CelFailure('is neither "true" nor "false"')
const notUtf8 = new CelFailure('is not text in UTF-8')

/** The functions that make one type of another, and those that belong to the language itself. */
export function conversions(policy: boolean): readonly LibraryFunction[] {
  return [
    form('bool', 'bool', 'bool', itself),
    form('bool', 'string', 'bool', boolOf),
    form('int', 'int', 'int', itself),
    form('int', 'uint', 'int', (value: CelUint) => fitting(value.value)),
    form('int', 'double', 'int', intOfDouble),
    form('int', 'string', 'int', intOfText),
    form('uint', 'uint', 'uint', itself),
    form('uint', 'int', 'uint', (value: bigint) => fittingUnsigned(value)),
    form('uint', 'double', 'uint', uintOfDouble),
    form('uint', 'string', 'uint', uintOfText),
    form('double', 'double', 'double', itself),
    form('double', 'int', 'double', (value: bigint) => Number(value)),
    form('double', 'uint', 'double', (value: CelUint) => Number(value.value)),
    form('double', 'string', 'double', policy ? finiteOfText : doubleOfText),
    form('string', 'string', 'string', itself),
    form('string', 'bool', 'string', (value: boolean) => String(value), short),
    form('string', 'double', 'string', (value: number) => doubleText(value), short),
    form('string', 'int', 'string', (value: bigint) => String(value), short),
    form('string', 'uint', 'string', (value: CelUint) => String(value.value), short),
    form('string', 'bytes', 'string', textOfBytes, reading),
    form('bytes', 'bytes', 'bytes', itself),
    form('bytes', 'string', 'bytes', (text: string) => new TextEncoder().encode(text), {
      ...reading,
      resultSize: (size = 0) => size * 3,
    }),
    form('dyn', 'dyn', 'dyn', itself),
    form('type', 'dyn', 'dyn', (value: CelValue) => new CelTypeValue(typeName(value)), short),
  ]
}

const itself = (value: CelValue): CelValue => value
const short: Details = { resultSize: () => 32 }
const reading: Details = { cost: (size = 0) => Math.ceil(size / charactersPerStep) }

const anyList: LibraryType = { list: 'dyn' }
const anyMap: LibraryType = { map: ['dyn', 'dyn'] }
const listSize = (list: readonly CelValue[]): bigint => BigInt(list.length)
const mapSize = (map: CelMap): bigint => BigInt(isBuilt(map) ? map.size : Object.keys(map).length)
const counting: Details = { cost: (size = 0) => Math.ceil(size / itemsPerStep), resultSize: () => 1 }

/** How many items a list has, and how many entries a map. */
export const sizes: readonly LibraryFunction[] = [
  form('size', anyList, 'int', listSize, { resultSize: () => 1 }),
  form('size', anyMap, 'int', mapSize, counting),
  { ...form('size', anyList, 'int', listSize, { resultSize: () => 1 }), target: anyList, args: [] },
  { ...form('size', anyMap, 'int', mapSize, counting), target: anyMap, args: [] },
]

function form(
  name: string,
  arg: LibraryType,
  result: LibraryType,
  call: Call,
  details: Details = {},
): LibraryFunction {
  return { name, target: undefined, args: [arg], result, call, ...details }
}

const truths: ReadonlyMap<string, boolean> = new Map([
  ...['1', 't', 'T', 'true', 'TRUE', 'True'].map((text) => [text, true] as const),
  ...['0', 'f', 'F', 'false', 'FALSE', 'False'].map((text) => [text, false] as const),
])

function boolOf(text: string): boolean | CelFailure {
  return truths.get(text) ?? notBool
}

function intOfDouble(value: number): bigint | CelFailure {
  if (!Number.isFinite(value)) return notFinite
  // A double cannot tell 2^63 - 1 from 2^63, so that both ends are out.
  return Math.abs(value) < 2 ** 63 ? BigInt(Math.trunc(value)) : fitting(2n ** 63n)
}

function uintOfDouble(value: number): CelUint | CelFailure {
  if (!Number.isFinite(value)) return notFinite
  return value < 2 ** 64 && value >= 0 ? new CelUint(BigInt(Math.trunc(value))) : fittingUnsigned(-1n)
}

/** Text such as `""` and `"0x10"`, which JavaScript takes for numbers, is none. */
function intOfText(text: string): bigint | CelFailure {
  return /^[+-]?\d{1,30}$/.test(text) ? fitting(BigInt(text.replace('+', ''))) : notWhole
}

function uintOfText(text: string): CelUint | CelFailure {
  return /^\+?\d{1,30}$/.test(text) ? fittingUnsigned(BigInt(text.replace('+', ''))) : notWhole
}

const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/

function finiteOfText(text: string): number | CelFailure {
  const value = text.length <= 400 && decimal.test(text) ? Number(text) : Number.NaN
  return Number.isFinite(value) ? value : notFinite
}

function doubleOfText(text: string): number | CelFailure {
  if (/^[+-]?inf(?:inity)?$/i.test(text)) return text.startsWith('-') ? -Infinity : Infinity
  if (/^[+-]?nan$/i.test(text)) return Number.NaN
  return finiteOfText(text)
}

function textOfBytes(bytes: Uint8Array): string | CelFailure {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return notUtf8
  }
}

/** The name of a value's type, as `type(value)` gives it. */
function typeName(value: CelValue): string {
  if (value instanceof CelOptional) return 'optional_type'
  const kind = kindOf(value)
  return typeNames[kind] ?? kind
}

const typeNames: Readonly<Record<string, string | undefined>> = {
  number: 'double',
  null: 'null_type',
  timestamp: 'google.protobuf.Timestamp',
  duration: 'google.protobuf.Duration',
}
