import { RE2JS, RE2JSException } from 're2js'
import { CelFailure } from '../value.ts'
import type { CelValue } from '../value.ts'
import type { LibraryFunction } from './entry.ts'
import { method } from './forms.ts'
import { patternProgramMax, patternUnitsMax } from './limits.ts'

/** A compiled pattern. Kept apart from the library's own type, so that nobody depends on more of it. */
export interface Pattern {
  test(text: string): boolean
}

/**
 * Compiles a pattern in RE2's syntax. Matching takes time in proportion to the text, whatever the pattern. A failure
 * says what is wrong and does not quote the pattern, which may come from a call.
 */
export function compilePattern(pattern: CelValue): Pattern | CelFailure {
  if (typeof pattern !== 'string') return new CelFailure('is not a pattern in a string')
  if (pattern.length > patternUnitsMax)
    return new CelFailure(`is a pattern of more than ${String(patternUnitsMax)} characters`)
  try {
    const compiled = RE2JS.compile(pattern)
    if (compiled.programSize() <= patternProgramMax) return compiled
    return new CelFailure('is a pattern that its repetitions make too large')
  } catch (error) {
    const reason = error instanceof RE2JSException ? reasonOf(error) : 'it cannot be compiled'
    return new CelFailure(`is not a pattern of RE2: ${reason}`)
  }
}

/** The message without the part of the pattern that it quotes. */
function reasonOf(error: Error): string {
  const [, reason = 'its syntax is wrong'] = /^error parsing regexp: ([^:`]+)/.exec(error.message) ?? []
  return reason
}

const matching: Partial<LibraryFunction> = {
  literal: { arg: 0, use: 'required' },
  prepare: compilePattern,
  // Compiling takes long beside matching.
  prepareCost: (pattern) => 500 + 10 * pattern,
  cost: (text = 0) => 1 + Math.ceil(text / 4),
  resultSize: () => 1,
}

/** Regular expressions: RE2, found anywhere in the text unless anchored. */
export const patternFunctions: readonly LibraryFunction[] = [
  method(
    'string',
    'matches',
    ['string'],
    'bool',
    (text: string, pattern: Pattern) => pattern.test(text),
    matching,
  ),
]
