import type { Problem } from '../model/problem.ts'
import type { Position } from './positions.ts'
import type { ProblemCode } from './problem-codes.ts'

/** An error at a place of the file. */
export function errorAt(place: Position, code: ProblemCode, message: string, fix: string): Problem {
  return { severity: 'error', line: place.line, column: place.column, message, fix, code }
}

/** Problems sorted by line and column, each once. */
export function inFileOrder(problems: readonly Problem[]): Problem[] {
  const sorted = [...problems].sort((a, b) => a.line - b.line || a.column - b.column)
  return sorted.filter((problem, at) => {
    const before = sorted[at - 1]
    if (before === undefined || before.message !== problem.message) return true
    return before.line !== problem.line || before.column !== problem.column
  })
}
