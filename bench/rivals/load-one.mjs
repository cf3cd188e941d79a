// node bench/rivals/load-one.mjs NAME: loads 1,000 policies like the seed with one engine, in a process of its own, so
// that nothing else moves its memory. Writes one line of JSON.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { median } from '../table.mjs'
import { engines } from './engines.mjs'
import { seed } from './workload.mjs'

const count = 1_000
const engine = engines.find(({ name }) => name === process.argv[2])
if (engine === undefined) throw new Error(`there is no engine ${process.argv[2]}`)
setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc')

// Compiled code and caches are not what a policy holds: they are there before the count starts.
for (let at = 0; at < 300; at++) await Promise.resolve(engine.seed(seed, `warm-${at}`))
const before = inUse()
const times = []
const kept = []
for (let at = 0; at < count; at++) {
  const start = process.hrtime.bigint()
  const decide = await Promise.resolve(engine.seed(seed, `agent-${at}`))
  times.push(Number(process.hrtime.bigint() - start))
  kept.push(decide)
}
const after = inUse()
if (kept.some((decide) => typeof decide !== 'function')) throw new Error('a policy was lost')
console.log(
  JSON.stringify({
    ns: median(times),
    heapBytes: (after.heapUsed - before.heapUsed) / count,
    outsideBytes: (after.external - before.external) / count,
  }),
)

function inUse() {
  for (let turn = 0; turn < 4; turn++) collect()
  return process.memoryUsage()
}
