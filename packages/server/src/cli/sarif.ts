import { isAbsolute } from 'node:path'
import { pathToFileURL } from 'node:url'
import { onOneLine, problemCodeText, textChange, type Problem, type TextChange } from '@bailiwick/core'
import { version } from '../version.ts'
import { fileOf, type CheckedFile } from './check-report.ts'
import { pathInRepository } from './repository-path.ts'

/** What `sarifLog` needs beside the problems. */
export interface SarifOptions {
  /** Paths are written as seen from here. */
  readonly directory: string
  /** A file's text, where it can be read; edits become fixes. */
  readonly textOf: (file: string) => string | undefined
}

/**
 * The problems as a SARIF log with one run. Every code is a rule; problems without one share `policy-error` and
 * `policy-warning`.
 *
 * @see https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
 */
export function sarifLog(files: readonly CheckedFile[], options: SarifOptions): object {
  const found = files.flatMap(({ file, problems }) =>
    problems.map((problem) => ({ problem, file: fileOf(file, problem) })),
  )
  const ruleIds = [...new Set(found.map(({ problem }) => ruleId(problem)))].sort()
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'bailiwick', version, rules: ruleIds.map(rule) } },
        columnKind: 'utf16CodeUnits',
        artifacts: files.map(({ file }) => ({ location: location(file, options) })),
        results: found.map(({ problem, file }) => result(problem, file, ruleIds, options)),
      },
    ],
  }
}

function ruleId({ code, severity }: Problem): string {
  return code ?? (severity === 'error' ? 'policy-error' : 'policy-warning')
}

function rule(id: string): object {
  const words = id.replaceAll('-', ' ')
  const text = problemCodeText(id) ?? `${words.charAt(0).toUpperCase()}${words.slice(1)}`
  return { id, shortDescription: { text } }
}

function result(problem: Problem, file: string, ruleIds: readonly string[], options: SarifOptions): object {
  const id = ruleId(problem)
  const fixes = fixesOf(problem, file, options)
  return {
    ruleId: id,
    ruleIndex: ruleIds.indexOf(id),
    level: problem.severity,
    message: { text: onOneLine(`${problem.message}; ${problem.fix}`) },
    locations: [
      {
        physicalLocation: {
          artifactLocation: location(file, options),
          region: { startLine: problem.line, startColumn: problem.column },
        },
      },
    ],
    ...(fixes.length === 0 ? {} : { fixes }),
  }
}

function fixesOf({ edit }: Problem, file: string, options: SarifOptions): readonly object[] {
  const text = edit === undefined ? undefined : options.textOf(file)
  const change = edit === undefined || text === undefined ? undefined : textChange(text, edit.change)
  if (edit === undefined || text === undefined || change === undefined) return []
  return [
    {
      description: { text: onOneLine(edit.title) },
      artifactChanges: [
        {
          artifactLocation: location(file, options),
          replacements: [{ deletedRegion: region(text, change), insertedContent: { text: change.text } }],
        },
      ],
    },
  ]
}

function region(text: string, { start, end }: TextChange): object {
  const [from, to] = [place(text, start), place(text, end)]
  return { startLine: from.line, startColumn: from.column, endLine: to.line, endColumn: to.column }
}

function place(text: string, offset: number): { readonly line: number; readonly column: number } {
  const lines = text.slice(0, offset).split('\n')
  return { line: lines.length, column: (lines[lines.length - 1] ?? '').length + 1 }
}

function location(file: string, { directory }: SarifOptions): object {
  const path = pathInRepository(file, directory)
  if (isAbsolute(path)) return { uri: pathToFileURL(path).href }
  const uri = path.split('/').map(encodeURIComponent).join('/')
  return { uri, uriBaseId: '%SRCROOT%' }
}
