import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { parsePolicy } from '@bailiwick/core'
import { policyText } from './rivals/bailiwick.mjs'
import { seed } from './rivals/workload.mjs'
import { median } from './table.mjs'

const count = 1_000

/** What loading takes: time for each of 1,000 policies, and the memory that they hold, texts included. */
export async function measureLoad(rivals) {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc')
  const loaders = [
    { name: 'Bailiwick', load: (at) => loaded(policyText(seed, `support-agent-${at}`)) },
    ...rivals.map(({ name, seed: load }) => ({ name, load: () => load(seed) })),
  ]
  const rows = []
  for (const { name, load } of loaders) {
    for (let at = 0; at < 100; at++) await load(at)
    collect()
    const before = process.memoryUsage()
    const times = []
    const kept = []
    for (let at = 0; at < count; at++) {
      const start = process.hrtime.bigint()
      kept.push(await load(at))
      times.push(Number(process.hrtime.bigint() - start))
    }
    collect()
    const after = process.memoryUsage()
    if (kept.length !== count) throw new Error('policies were lost')
    const heap = (after.heapUsed - before.heapUsed) / count
    const outside = (after.external - before.external) / count
    rows.push({ name, p50: median(times), heap, outside })
  }
  return rows
}

function loaded(text) {
  const parsed = parsePolicy(text)
  if (parsed.kind !== 'valid') throw new Error(parsed.problems[0].message)
  return parsed.policy
}
