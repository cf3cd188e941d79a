import { library as common, standardOnly } from '../../src/library/index.ts'
import type { LibraryFunction, LibraryType } from '../../src/library/entry.ts'
import { CelDuration, CelFailure, CelTimestamp, CelUint } from '../../src/value.ts'
import type { CelValue } from '../../src/value.ts'

const library: readonly LibraryFunction[] = [...common, ...standardOnly]

/** Calls `receiver.name(args)`, as an engine does: the form is chosen by the values, and prepared arguments are prepared. */
export function invoke(
  receiver: CelValue,
  name: string,
  ...args: readonly CelValue[]
): CelValue | CelFailure {
  const form = library.find(
    (one) =>
      one.name === name && one.target !== undefined && takes(one.target, receiver) && takesAll(one, args),
  )
  return run(form, name, [receiver], args)
}

/** Calls `name(args)`. */
export function call(name: string, ...args: readonly CelValue[]): CelValue | CelFailure {
  const form = library.find((one) => one.name === name && one.target === undefined && takesAll(one, args))
  return run(form, name, [], args)
}

/** The text that a call gave. */
export function textOf(result: CelValue | CelFailure): string {
  if (typeof result === 'string') return result
  throw new Error('this gives no text, though it should')
}

/** The message of a failure. */
export function failureOf(result: unknown): string {
  if (result instanceof CelFailure) return result.message
  throw new Error('this has a value, though it should fail')
}

function run(
  form: LibraryFunction | undefined,
  name: string,
  receiver: readonly CelValue[],
  args: readonly CelValue[],
): CelValue | CelFailure {
  if (form === undefined) throw new Error(`no form of ${name} takes these values`)
  const prepared: unknown[] = [...args]
  if (form.literal !== undefined && form.prepare !== undefined) {
    const literal = args[form.literal.arg]
    const made = literal === undefined ? undefined : form.prepare(literal)
    if (made instanceof CelFailure) return made
    prepared[form.literal.arg] = made
  }
  const apply = form.call as (...all: readonly unknown[]) => CelValue | CelFailure
  return apply(...receiver, ...prepared)
}

function takesAll(form: LibraryFunction, args: readonly CelValue[]): boolean {
  return form.args.length === args.length && form.args.every((type, at) => takes(type, args[at] ?? null))
}

function takes(type: LibraryType, value: CelValue): boolean {
  if (type === 'dyn' || type === 'T') return true
  if (typeof type === 'object') return 'list' in type ? Array.isArray(value) : typeof value === 'object'
  switch (type) {
    case 'bool':
      return typeof value === 'boolean'
    case 'int':
      return typeof value === 'bigint'
    case 'uint':
      return value instanceof CelUint
    case 'double':
    case 'number':
      return typeof value === 'number'
    case 'string':
      return typeof value === 'string'
    case 'bytes':
      return value instanceof Uint8Array
    case 'timestamp':
      return value instanceof CelTimestamp
    case 'duration':
      return value instanceof CelDuration
    case 'null':
      return value === null
  }
}
