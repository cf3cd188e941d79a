// npm run bench [-- SECTION …] [--seconds N] [--rounds N] [--acceptance-seconds N]
//   decide, log, http: by default. replicas, verify, archive, start: on demand.
//   log-growth: [--sizes N,N] [--data-dir DIR]. verify, archive: [--records N]
//
// Everything that is compared is measured in this one run, in turns, on this machine: absolute figures
// move with the machine and its neighbours, ratios of one run much less.
import { cpus, release, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { benchArchive } from './archive.mjs'
import { benchDecide } from './decide.mjs'
import { benchGrowth } from './log-growth.mjs'
import { benchHttp } from './http.mjs'
import { benchLog } from './log.mjs'
import { benchReplicas } from './replicas.mjs'
import { benchVerify } from './verify.mjs'
import { benchStart } from './start.mjs'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '3' },
    'acceptance-seconds': { type: 'string', default: '60' },
    records: { type: 'string', default: '1000000' },
    sizes: { type: 'string', default: '1000000,10000000' },
    'data-dir': { type: 'string', default: 'bench/.bailiwick' },
  },
})
const settings = {
  seconds: Number(values.seconds),
  rounds: Number(values.rounds),
  acceptanceSeconds: Number(values['acceptance-seconds']),
  records: Number(values.records),
  sizes: values.sizes.split(',').map(Number),
  dataDir: values['data-dir'],
}
const benches = {
  decide: benchDecide,
  log: benchLog,
  'log-growth': benchGrowth,
  http: benchHttp,
  replicas: benchReplicas,
  verify: benchVerify,
  start: benchStart,
  archive: benchArchive,
}
const sections = positionals.length > 0 ? positionals : ['decide', 'log', 'http']
const unknown = sections.find((section) => !Object.hasOwn(benches, section))
if (unknown !== undefined) {
  console.error(`unknown section \`${unknown}\`; use ${Object.keys(benches).join(', ')}`)
  process.exit(2)
}

const [cpu] = cpus()
console.log(
  `${new Date().toISOString().slice(0, 10)}, Node ${process.version}, Linux ${release()}, ${cpus().length} cores`,
)
console.log(`${cpu?.model ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GiB`)
for (const section of sections) await benches[section](settings)
