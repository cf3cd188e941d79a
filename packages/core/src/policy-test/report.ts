import type { Problem } from '../model/problem.ts'
import type { PolicyTestReport } from './run.ts'

/** One policy test file and what became of it. */
export type SuiteReport =
  | {
      readonly kind: 'ran'
      readonly file: string
      readonly policy: string
      readonly report: PolicyTestReport
    }
  /** The test or its policy could not be read, so nothing was decided. */
  | {
      readonly kind: 'invalid'
      readonly file: string
      readonly problems: readonly { readonly file: string; readonly problem: Problem }[]
    }

/** How many cases passed and failed, and how many files could not be run. */
export interface SuiteTotals {
  readonly passed: number
  readonly failed: number
  readonly invalid: number
}

/** Sums up files. */
export function suiteTotals(suites: readonly SuiteReport[]): SuiteTotals {
  const ran = suites.flatMap((suite) => (suite.kind === 'ran' ? [suite.report] : []))
  return {
    passed: ran.reduce((sum, { passed }) => sum + passed, 0),
    failed: ran.reduce((sum, { failed }) => sum + failed, 0),
    invalid: suites.length - ran.length,
  }
}
