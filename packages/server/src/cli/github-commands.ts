import { onOneLine } from '@bailiwick/core'
import { fileOf, type CheckedFile } from './check-report.ts'
import { pathInRepository } from './repository-path.ts'

/**
 * Problems as workflow commands of GitHub Actions, which shows them at their lines.
 *
 * @see https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
 */
export function githubCommands(files: readonly CheckedFile[], directory: string): readonly string[] {
  return files.flatMap(({ file, problems }) =>
    problems.map((problem) => {
      const properties = {
        file: pathInRepository(fileOf(file, problem), directory),
        line: String(problem.line),
        col: String(problem.column),
        title: problem.code ?? 'policy',
      }
      const written = Object.entries(properties).map(([name, value]) => `${name}=${property(value)}`)
      return `::${problem.severity} ${written.join(',')}::${data(`${problem.message}; ${problem.fix}`)}`
    }),
  )
}

// Control characters are written out first, so that only these are left to escape.
function data(text: string): string {
  return onOneLine(text).replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}
