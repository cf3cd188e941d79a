import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const repositoryRoot = join(import.meta.dirname, '../../../..')
const folder = process.env.BAILIWICK_EVALUATION ?? join(repositoryRoot, '../shared/evaluation')

/**
 * The lines of a file of published test vectors. They are not part of the repository: where they are not beside it,
 * there are none, and `title` says so loudly in the report.
 */
export function evaluationRows<Row>(
  file: string,
  title: string,
): { title: string; rows: Row[]; absent: boolean } {
  const path = join(folder, file)
  if (!existsSync(path)) {
    const reason = `SKIPPED: ${file} is not there; set BAILIWICK_EVALUATION to the folder of the evaluation data`
    console.warn(`\n!!! ${title}: ${reason}\n`)
    return { title: `${title} (${reason})`, rows: [], absent: true }
  }
  const lines = readFileSync(path, 'utf8').trim().split('\n')
  return { title, rows: lines.map((line) => JSON.parse(line) as Row), absent: false }
}
