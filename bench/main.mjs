// npm run bench [-- decide|log|archive] [--seconds N] [--rounds N] [--records N]
//
// Everything that is compared is measured in this one run, in turns, on this machine: absolute figures
// move with the machine and its neighbours, ratios of one run much less.
import { cpus, release, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { benchArchive } from './archive.mjs'
import { benchDecide } from './decide.mjs'
import { benchLog } from './log.mjs'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '3' },
    records: { type: 'string', default: '1000000' },
  },
})
const sections = positionals.length > 0 ? positionals : ['decide', 'log']
const unknown = sections.find((section) => !['decide', 'log', 'archive'].includes(section))
if (unknown !== undefined) {
  console.error(`unknown section \`${unknown}\`; use decide, log or archive`)
  process.exit(2)
}
const settings = {
  seconds: Number(values.seconds),
  rounds: Number(values.rounds),
  records: Number(values.records),
}

const [cpu] = cpus()
console.log(
  `${new Date().toISOString().slice(0, 10)}, Node ${process.version}, Linux ${release()}, ${cpus().length} cores`,
)
console.log(`${cpu?.model ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GiB`)
if (sections.includes('decide')) await benchDecide(settings)
if (sections.includes('log')) await benchLog(settings)
// Takes minutes, so it is only done where it is asked for.
if (sections.includes('archive')) await benchArchive(settings)
