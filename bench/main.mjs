// npm run bench [-- decide|log|log-growth] [--seconds N] [--rounds N] [--acceptance-seconds N]
//   log-growth: [--records N,N] [--data-dir DIR]
//
// Everything that is compared is measured in this one run, in turns, on this machine: absolute figures
// move with the machine and its neighbours, ratios of one run much less.
import { cpus, release, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { benchDecide } from './decide.mjs'
import { benchLog } from './log.mjs'
import { benchGrowth } from './log-growth.mjs'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '3' },
    'acceptance-seconds': { type: 'string', default: '60' },
    records: { type: 'string', default: '1000000,10000000' },
    'data-dir': { type: 'string', default: 'bench/.bailiwick' },
  },
})
const sections = positionals.length > 0 ? positionals : ['decide', 'log']
const unknown = sections.find((section) => !['decide', 'log', 'log-growth'].includes(section))
if (unknown !== undefined) {
  console.error(`unknown section \`${unknown}\`; use decide, log or log-growth`)
  process.exit(2)
}
const settings = {
  seconds: Number(values.seconds),
  rounds: Number(values.rounds),
  acceptanceSeconds: Number(values['acceptance-seconds']),
}

const [cpu] = cpus()
console.log(
  `${new Date().toISOString().slice(0, 10)}, Node ${process.version}, Linux ${release()}, ${cpus().length} cores`,
)
console.log(`${cpu?.model ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GiB`)
if (sections.includes('decide')) await benchDecide(settings)
if (sections.includes('log')) await benchLog(settings)
if (sections.includes('log-growth')) {
  const sizes = values.records.split(',').map(Number)
  await benchGrowth({ sizes, seconds: settings.seconds, dataDir: values['data-dir'] })
}
