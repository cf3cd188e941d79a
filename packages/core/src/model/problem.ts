/** Something wrong in a file that a person wrote, with its place. */
export interface Problem {
  readonly severity: 'error' | 'warning'
  /** One-based, as editors count. */
  readonly line: number
  /** One-based, in UTF-16 code units. */
  readonly column: number
  /** One sentence: what is wrong. */
  readonly message: string
  /** One sentence: what to do. */
  readonly fix: string
}

/** The problem on one line, as editors and CI logs link it: `policy.yaml:12:16 what is wrong; what to do`. */
export function problemText(file: string, problem: Problem): string {
  const severity = problem.severity === 'warning' ? 'warning: ' : ''
  return `${file}:${problem.line}:${problem.column} ${severity}${problem.message}; ${problem.fix}`
}
