import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { engines } from './rivals/engines.mjs'
import { handWritten } from './rivals/hand-written.mjs'

const loadOne = fileURLToPath(new URL('./rivals/load-one.mjs', import.meta.url))

/** What loading takes: time for each of 1,000 policies, and the memory that each holds. Nothing is loaded from disk. */
export function measureLoad() {
  return engines
    .filter(({ name }) => name !== handWritten.name)
    .map(({ name }) => ({
      name,
      ...JSON.parse(execFileSync(process.execPath, [loadOne, name], { encoding: 'utf8' })),
    }))
}
