/** Something wrong in a file that a person wrote, with its place. */
export interface Problem {
  readonly severity: 'error' | 'warning'
  /** The file, seen from the one that was read; absent where it is that one. */
  readonly file?: string | undefined
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
  const where = problem.file === undefined ? file : besideFile(file, problem.file)
  return `${where}:${problem.line}:${problem.column} ${severity}${problem.message}; ${problem.fix}`
}

/** The path of `other`, which is seen from `file`: `rules/../org.yaml` is written `org.yaml`. */
export function besideFile(file: string, other: string): string {
  const absolute = file.startsWith('/')
  const parts: string[] = []
  for (const part of [...file.split('/').slice(0, -1), ...other.split('/')]) {
    if (part === '' || part === '.') continue
    if (part === '..' && parts.length > 0 && parts[parts.length - 1] !== '..') parts.pop()
    else parts.push(part)
  }
  return `${absolute ? '/' : ''}${parts.join('/')}`
}
