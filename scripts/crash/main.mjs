// npm run crash [-- --rounds N --callers N --engine embedded|server|both --seed N --json]
//
// Kills the service and its PostgreSQL at random moments under load, and proves that nothing which was acknowledged is
// lost. Exit code 1 where something is; the directory is then kept.
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { campaign } from './campaign.mjs'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '100' },
    callers: { type: 'string', default: '64' },
    engine: { type: 'string', default: 'both' },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
    json: { type: 'boolean', default: false },
  },
})
const engines = values.engine === 'both' ? ['embedded', 'server'] : [values.engine]
const [rounds, callers, seed] = [values.rounds, values.callers, values.seed].map(Number)
if (!engines.every((engine) => ['embedded', 'server'].includes(engine)) || !(rounds > 0 && callers > 0)) {
  console.error('use --engine embedded, server or both, and numbers above 0 for --rounds and --callers')
  process.exit(2)
}

const reports = []
for (const engine of engines) {
  const say = ({ round, kind, records, acknowledged }) =>
    console.error(
      `${engine}: ${round} of ${rounds}, killed ${kind}; ${records} records, ${acknowledged} acknowledged`,
    )
  const report = await campaign({ engine, rounds, callers, seed, say: values.json ? undefined : say })
  reports.push(report)
  if (!values.json) print(report)
}
if (values.json) console.log(JSON.stringify(reports))
if (reports.some(({ sound }) => !sound)) process.exitCode = 1

function print(report) {
  const { restartMs, findings, verifications, kills, faults, wouldFind, ...plain } = report
  const sorted = [...restartMs].sort((a, b) => a - b)
  const rows = {
    ...plain,
    kills: JSON.stringify(kills),
    'verifications green': verifications.green,
    'verifications red': verifications.red,
    'back after ms, median': Math.round(sorted[Math.floor(sorted.length / 2)]),
    'back after ms, longest': Math.round(sorted.at(-1)),
    faults: JSON.stringify(faults),
    'found in a doctored journal': JSON.stringify(wouldFind),
  }
  console.log(`\n**crash: ${report.engine}**\n\n|  |  |\n| --- | --- |`)
  for (const [name, value] of Object.entries(rows))
    if (value !== undefined) console.log(`| ${name} | ${value} |`)
  for (const finding of findings) console.log(finding)
}
