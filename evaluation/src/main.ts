/**
 * `npm run evaluate -- [DIR]`: decides the published calls in DIR (default `../shared/evaluation`) with the policies of
 * `examples/` and prints how they score. Exit code 2 where data is missing.
 */
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { evaluate } from './evaluate.ts'
import { evaluationTable } from './table.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

function run(folder: string): number {
  const evaluation = evaluate(folder, resolve(root, 'examples'))
  const { missing, scores } = evaluation
  if (scores.length > 0) console.log(evaluationTable(evaluation))
  if (missing.length === 0) return 0
  console.error(
    `\n!!! ${scores.length > 0 ? 'NOT EVERYTHING' : 'NOTHING'} WAS EVALUATED: ${folder} has no ${missing.join(', ')}.`,
  )
  console.error('!!! Name the folder of the evaluation data: npm run evaluate -- DIR')
  return 2
}

process.exitCode = run(resolve(process.argv[2] ?? resolve(root, '../shared/evaluation')))
