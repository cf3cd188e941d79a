/**
 * `npm run evaluate -- [DIR]`: decides the published calls in DIR (default `../shared/evaluation`) with the policies of
 * `examples/` and prints how they score. Exit code 2 where the data is not there.
 */
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { evaluate, missingFiles } from './evaluate.ts'
import { evaluationTable } from './table.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

function run(folder: string): number {
  const missing = missingFiles(folder)
  if (missing.length > 0) {
    console.error(
      `!!! NOTHING WAS EVALUATED: ${folder} has no ${missing.join(', ')}.\n!!! Name the folder of the evaluation data: npm run evaluate -- DIR`,
    )
    return 2
  }
  console.log(evaluationTable(evaluate(folder, resolve(root, 'examples'))))
  return 0
}

process.exitCode = run(resolve(process.argv[2] ?? resolve(root, '../shared/evaluation')))
