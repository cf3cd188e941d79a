// npm run bench [-- decide|log|start] [--seconds N] [--rounds N]
//
// Everything that is compared is measured in this one run, in turns, on this machine: absolute figures
// move with the machine and its neighbours, ratios of one run much less.
import { cpus, release, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { benchDecide } from './decide.mjs'
import { benchLog } from './log.mjs'
import { benchStart } from './start.mjs'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string', default: '3' }, rounds: { type: 'string', default: '3' } },
})
const sections = positionals.length > 0 ? positionals : ['decide', 'log', 'start']
const unknown = sections.find((section) => !['decide', 'log', 'start'].includes(section))
if (unknown !== undefined) {
  console.error(`unknown section \`${unknown}\`; use decide, log or start`)
  process.exit(2)
}
const settings = { seconds: Number(values.seconds), rounds: Number(values.rounds) }

const [cpu] = cpus()
console.log(
  `${new Date().toISOString().slice(0, 10)}, Node ${process.version}, Linux ${release()}, ${cpus().length} cores`,
)
console.log(`${cpu?.model ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GiB`)
if (sections.includes('decide')) await benchDecide(settings)
if (sections.includes('log')) await benchLog(settings)
if (sections.includes('start')) await benchStart(settings)
