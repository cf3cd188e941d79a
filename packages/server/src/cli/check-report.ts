import { besideFile, onOneLine, problemText, type DocumentEdit, type Problem } from '@bailiwick/core'
import { codeFrame } from './code-frame.ts'

/** A file that was checked. */
export interface CheckedFile {
  readonly file: string
  readonly valid: boolean
  readonly problems: readonly Problem[]
}

/** What `--fix` did to a file. */
export interface FixedFile {
  readonly file: string
  /** The edits that were made. */
  readonly made: readonly DocumentEdit[]
  /** Why the others were not; undefined where there were none. */
  readonly left: string | undefined
}

/** The file that a problem is in, which need not be the one that was checked. */
export function fileOf(file: string, problem: Problem): string {
  return problem.file === undefined ? file : besideFile(file, problem.file)
}

/** One line for each problem, and a line with the counts. */
export function lineReport(files: readonly CheckedFile[]): string {
  const lines = files.flatMap(({ file, problems }) => problems.map((problem) => problemLine(file, problem)))
  return [...lines, countsText(files)].join('\n')
}

/** A problem on one line, with its code, which docs/CHECKS.md says more of. */
export function problemLine(file: string, problem: Problem): string {
  const code = problem.code === undefined ? '' : ` [${problem.code}]`
  return onOneLine(problemText(file, problem) + code)
}

/** What `prettyReport` needs beside the problems. */
export interface PrettyOptions {
  readonly colours: boolean
  /** A file's text, where it can be read. */
  readonly textOf: (file: string) => string | undefined
}

/** Each problem with the line of the file that it means, and a line with the counts. */
export function prettyReport(files: readonly CheckedFile[], { colours, textOf }: PrettyOptions): string {
  const paint = colours ? painted : (text: string) => text
  const parts = files.flatMap(({ file, problems }) =>
    problems.map((problem) => {
      const where = fileOf(file, problem)
      const place = onOneLine(`${where}:${problem.line}:${problem.column}`)
      const kind = problem.severity === 'error' ? paint('error', 'red') : paint('warning', 'yellow')
      const code = problem.code === undefined ? '' : ` ${paint(`[${onOneLine(problem.code)}]`, 'dim')}`
      const head = `${paint(place, 'bold')} ${kind}: ${onOneLine(problem.message)}${code}`
      const text = textOf(where)
      const frame = text === undefined ? [] : codeFrame(text, problem)
      return [head, ...frame.map((line) => paint(line, 'dim')), `  ${onOneLine(problem.fix)}`].join('\n')
    }),
  )
  return [...parts, countsText(files)].join('\n\n')
}

/** What `--fix` changed, one line for each edit. */
export function fixedLines(fixed: readonly FixedFile[]): readonly string[] {
  return fixed.flatMap(({ file, made, left }) => [
    ...made.map(({ title }) => onOneLine(`${file} fixed: ${title}`)),
    ...(left === undefined ? [] : [onOneLine(`${file} not fixed: ${left}`)]),
  ])
}

function countsText(files: readonly CheckedFile[]): string {
  const severities = files.flatMap(({ problems }) => problems.map(({ severity }) => severity))
  const errors = severities.filter((severity) => severity === 'error').length
  return [
    counted(files.length, 'file'),
    counted(errors, 'error'),
    counted(severities.length - errors, 'warning'),
  ].join(', ')
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

const styles = { red: [31, 39], yellow: [33, 39], bold: [1, 22], dim: [2, 22] } as const

function painted(text: string, style: keyof typeof styles): string {
  const [on, off] = styles[style]
  return `\u001B[${on}m${text}\u001B[${off}m`
}
