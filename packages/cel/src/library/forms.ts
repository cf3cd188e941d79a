import type { CelFailure, CelValue } from '../value.ts'
import type { LibraryFunction, LibraryType } from './entry.ts'

type Call = (...args: never[]) => CelValue | CelFailure
type Details = Partial<Pick<LibraryFunction, 'literal' | 'prepare' | 'prepareCost' | 'cost' | 'resultSize'>>

/** A form that is written `name(args)`. */
export function free(
  name: string,
  args: readonly LibraryType[],
  result: LibraryType,
  call: Call,
  details: Details = {},
): LibraryFunction {
  return { name, target: undefined, args, result, call, ...details }
}

/** A form that is written `receiver.name(args)`; its `call` takes the receiver first. */
export function method(
  target: LibraryType,
  name: string,
  args: readonly LibraryType[],
  result: LibraryType,
  call: Call,
  details: Details = {},
): LibraryFunction {
  return { name, target, args, result, call, ...details }
}
