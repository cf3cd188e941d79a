import { Frame } from './frame.ts'
import type { Evaluate } from './frame.ts'
import type { CelType } from './types.ts'

/** How large a value may be, for the cost that is told before anything is evaluated. */
export interface SizeBounds {
  /** UTF-16 code units of a text, or bytes. */
  readonly length?: number | undefined
  /** Items of a list. */
  readonly items?: number | undefined
  /** Entries of a map. */
  readonly keys?: number | undefined
}

/** What a condition may name, and where its values come from. `Input` is what `evaluate` takes. */
export interface ConditionScope<Input = ReadonlyMap<string, unknown>> {
  /** The declared names and their types. */
  readonly names: ReadonlyMap<string, CelType>
  /**
   * Whether an undeclared name is accepted where it is used as a number, bool or string, its type inferred from
   * its use. Such a name can't be selected from or indexed.
   */
  readonly inferUnknown: boolean
  /** Fixes to show instead of the usual one: unknown name → whole sentence. */
  readonly suggestFor?: ReadonlyMap<string, string> | undefined
  /**
   * What reads a name from the input. It is asked for once, when the condition is compiled, and called in each
   * evaluation. A reader that returns undefined says that the name is missing; a name without a reader always is.
   * Without `read`, the input is a map from names to values.
   */
  readonly read?: ((name: string) => ((input: Input) => unknown) | undefined) | undefined
  /** What conditions of this scope have in common, made with `newSharedParts`; without it each has its own. */
  readonly shared?: SharedParts | undefined
  /**
   * How large values are at most, by their path: `tags` is a name, `params.items` a field, `params.items[]` what a list
   * holds. A value without bounds may be as large as the largest payload, 64 KiB.
   */
  readonly bounds?: ReadonlyMap<string, SizeBounds> | undefined
  /** The steps that one evaluation may take at worst; what may take more is a problem. Unlimited where not given. */
  readonly costMax?: number | undefined
}

/** Readers of names, and the state of an evaluation, for all conditions of one scope: fewer things to keep at hand. */
export interface SharedParts {
  readonly readers: Map<string, Evaluate>
  readonly frame: Frame
}

/** Parts for the conditions of one scope; they must not serve another one. */
export function newSharedParts(): SharedParts {
  return { readers: new Map(), frame: new Frame(0) }
}

/** What the check needs of a scope. */
export interface CheckScope {
  readonly names: ReadonlyMap<string, CelType>
  readonly inferUnknown: boolean
  readonly suggestFor?: ReadonlyMap<string, string> | undefined
  readonly macroNestingMax: number
}
