import type { CelFailure, CelValue } from '../value.ts'

/**
 * The type of a parameter or a result. `number` takes any finite JSON number and, in policies, whole-number
 * literals too. A string in capitals, such as `T`, is a type variable within one signature.
 */
export type LibraryType =
  | 'bool'
  | 'int'
  | 'uint'
  | 'double'
  | 'number'
  | 'string'
  | 'bytes'
  | 'timestamp'
  | 'duration'
  | 'null'
  | 'dyn'
  | 'T'
  | { readonly list: LibraryType }
  | { readonly map: readonly [key: LibraryType, value: LibraryType] }
  | { readonly optional: LibraryType }

/** One form of a function: what it takes and gives, what it costs, and what it does. */
export interface LibraryFunction {
  /** As written in an expression, such as `contains` or `sets.intersects`. */
  readonly name: string
  /** Type of the receiver in `receiver.name(args)`; undefined for `name(args)`. */
  readonly target: LibraryType | undefined
  readonly args: readonly LibraryType[]
  readonly result: LibraryType
  /**
   * For each argument (the receiver not counted) that must be, or may be, a literal: prepared once at load, by
   * `prepare`. `required`: anything but a literal is refused at load.
   */
  readonly literal?: { readonly arg: number; readonly use: 'required' | 'checked' } | undefined
  /**
   * Checks, and for instance compiles, the literal argument at load. What it returns is passed to `call` in
   * place of that argument. A failure is a problem of the condition. Where a `checked` argument is no literal, its
   * value goes through `prepare` at each call, so that `call` always gets what `prepare` returns.
   */
  readonly prepare?: ((literal: CelValue) => unknown) | undefined
  /**
   * Steps that `prepare` takes besides, from the size of the argument, where it runs at a call. Undefined: none that
   * count.
   */
  readonly prepareCost?: ((size: number) => number) | undefined
  /**
   * Steps that one call takes at most, from the sizes of receiver and arguments in the order of `call`: UTF-16
   * units of strings, bytes, items of lists; 1 for everything else. Used with declared bounds at load and with real
   * sizes at run time. One step reads `charactersPerStep` units of text or copies `itemsPerStep` items (limits.ts).
   * Undefined: one step.
   */
  readonly cost?: ((...sizes: readonly number[]) => number) | undefined
  /** Size of the result at most, from the same sizes; undefined: the largest of them. */
  readonly resultSize?: ((...sizes: readonly number[]) => number) | undefined
  /**
   * Receiver first, where there is one. Its arguments have the declared types. Never throws. The message of a
   * failure is a predicate without a full stop, to stand after the text of the call: `is not a time`, `needs a
   * position within the text`, `makes a text that is too long`.
   */
  readonly call: (...args: never[]) => CelValue | CelFailure
}
