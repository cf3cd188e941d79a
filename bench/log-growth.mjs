import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { migrate, openDatabase } from '@bailiwick/store'
import { atLeast, printGates } from './log-acceptance.mjs'
import { load, together } from './log-load.mjs'
import { printDatabase } from './log.mjs'
import { openOurs, runInWriteAheadLog, storage } from './log-sides.mjs'
import { printTable } from './table.mjs'

const callers = 256
/** How long the log grows at a time before its size is looked at. */
const stepSeconds = 5

/**
 * The rate at some sizes of one log, which grows in between. Where `dataDir` is kept, so are the log and what has been
 * measured: a run that was broken off goes on from there.
 */
export async function benchGrowth({ sizes, seconds, dataDir }) {
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const database = await openDatabase({ dataDir, databaseUrl: process.env.DATABASE_URL })
  try {
    await printDatabase(database)
    await migrate(database.connection)
    await runInWriteAheadLog(database.connection)
    const ours = await openOurs(database, dataDir)
    try {
      report(await measured({ database, ours, sizes, seconds, file: join(dataDir, 'growth.json') }))
    } finally {
      await ours.close()
    }
  } finally {
    await database.stop()
  }
}

async function measured({ database, ours, sizes, seconds, file }) {
  const figures = await readFigures(file)
  for (const size of sizes) {
    if (figures.some((figure) => figure.size === size)) continue
    await growTo(ours, size)
    const before = await storage(database.connection)
    const run = await load(callers, seconds, ours.once)
    const after = await storage(database.connection)
    const { rate, p50, p99, count, processMicros } = together([run])
    const bytes = [(after.ours - before.ours) / count, (after.wal - before.wal) / count]
    figures.push({ size, rate, p50, p99, processMicros, bytes })
    await writeFile(file, JSON.stringify(figures))
  }
  return figures.filter(({ size }) => sizes.includes(size)).sort((a, b) => a.size - b.size)
}

async function readFigures(file) {
  try {
    return JSON.parse(await readFile(file, 'utf8'))
  } catch (error) {
    if (error.code === 'ENOENT') return []
    throw error
  }
}

async function growTo(ours, size) {
  for (;;) {
    const now = (await ours.ledger.head()).size
    if (now >= size) return
    process.stderr.write(`\r${now.toLocaleString('en')} of ${size.toLocaleString('en')} records `)
    await load(callers, stepSeconds, ours.once)
  }
}

function report(figures) {
  printTable(
    'log: the rate as the log grows, 256 callers',
    ['records', 'decisions/s', 'p50 ms', 'p99 ms', 'process µs', 'bytes stored', 'bytes of write-ahead log'],
    figures.map(({ size, rate, p50, p99, processMicros, bytes }) => [
      size.toLocaleString('en'),
      Math.round(rate).toLocaleString('en'),
      p50.toFixed(2),
      p99.toFixed(2),
      processMicros.toFixed(1),
      ...bytes.map(Math.round),
    ]),
  )
  const [first, last] = [figures[0], figures.at(-1)]
  printGates('log: gates of growth', [
    atLeast(`rate at ${last.size} ÷ at ${first.size} records`, last.rate / first.rate, 0.85),
  ])
}
