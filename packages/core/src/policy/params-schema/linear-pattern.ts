import { compilePattern } from '@bailiwick/cel'
import { sequenceMatcher } from './sequence-pattern.ts'

/** A regular expression that takes time in proportion to the text, whatever the pattern. */
export interface LinearPattern {
  readonly source: string
  /** Whether the pattern occurs anywhere in `text`; `^` and `$` tie it to the ends. */
  occursIn(text: string): boolean
}

/** What became of a pattern's text. */
export type CompiledPattern =
  | { readonly kind: 'compiled'; readonly pattern: LinearPattern }
  | { readonly kind: 'invalid'; readonly message: string }

/**
 * Compiles a regular expression with the syntax and meaning of RE2: no look-around and no back references.
 *
 * @see https://github.com/google/re2/wiki/Syntax
 */
export function linearPattern(source: string): CompiledPattern {
  const compiled = compilePattern(source)
  if ('message' in compiled) return { kind: 'invalid', message: `the pattern ${compiled.message}` }
  const occursIn = sequenceMatcher(source) ?? ((text: string) => compiled.test(text))
  return { kind: 'compiled', pattern: { source, occursIn } }
}
