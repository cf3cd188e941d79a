import type { LibraryFunction, LibraryType } from './library/entry.ts'
import { isList, isMap, sizeOf } from './kinds.ts'
import { CelDuration, CelFailure, CelOptional, CelTimestamp, CelUint } from './value.ts'
import type { CelValue } from './value.ts'

const holder: LibraryType = { optional: 'T' }
const none = new CelOptional(undefined)
const empty = new CelFailure('holds no value')

/** The functions of optional values. */
export const optionalFunctions: readonly LibraryFunction[] = [
  form('optional.of', ['T'], holder, (value: CelValue) => new CelOptional(value)),
  form('optional.none', [], holder, () => none),
  form('optional.ofNonZeroValue', ['T'], holder, (value: CelValue) =>
    isZero(value) ? none : new CelOptional(value),
  ),
  { ...form('hasValue', [], 'bool', (one: CelOptional) => one.value !== undefined), target: holder },
  { ...form('value', [], 'T', (one: CelOptional) => one.value ?? valueOf(one)), target: holder },
  {
    ...form('or', [holder], holder, (one: CelOptional, other: CelOptional) =>
      one.value === undefined ? other : one,
    ),
    target: holder,
  },
  {
    ...form('orValue', ['T'], 'T', (one: CelOptional, other: CelValue) =>
      one.value === undefined ? other : one.value,
    ),
    target: holder,
  },
]

function form(
  name: string,
  args: readonly LibraryType[],
  result: LibraryType,
  call: LibraryFunction['call'],
): LibraryFunction {
  return { name, target: undefined, args, result, call }
}

/** `null` is a value that an optional may hold. */
function valueOf(one: CelOptional): CelValue | CelFailure {
  return one.value === undefined ? empty : one.value
}

function isZero(value: CelValue): boolean {
  if (value === null || value === false || value === '' || value === 0 || value === 0n) return true
  if (value instanceof CelUint) return value.value === 0n
  if (value instanceof CelDuration || value instanceof CelTimestamp) return value.nanos === 0n
  if (value instanceof Uint8Array || isList(value)) return value.length === 0
  return isMap(value) && sizeOf(value) === 0
}
