import { RE2JS } from '@bufbuild/re2'
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

const patternLengthMax = 1024

/**
 * Compiles a regular expression with the syntax and meaning of RE2: no look-around and no back references.
 *
 * The only place that names the engine.
 *
 * @see https://github.com/google/re2/wiki/Syntax
 */
export function linearPattern(source: string): CompiledPattern {
  if (source.length > patternLengthMax) {
    return { kind: 'invalid', message: `the pattern is longer than ${patternLengthMax} characters` }
  }
  try {
    const engine = RE2JS.compile(source)
    const occursIn = sequenceMatcher(source) ?? ((text: string) => engine.test(text))
    return { kind: 'compiled', pattern: { source, occursIn } }
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.replace(/^error parsing regexp: /, '') : ''
    return { kind: 'invalid', message: `the pattern cannot be read${why === '' ? '' : `: ${why}`}` }
  }
}
