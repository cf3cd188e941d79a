import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { migrate, openDatabase } from '@bailiwick/store'
import { acceptance } from './log-acceptance.mjs'
import { load, together } from './log-load.mjs'
import { openBaseline, openOurs, runInWriteAheadLog, setting } from './log-sides.mjs'
import { printTable } from './table.mjs'

const callerCounts = [1, 16, 64, 256]

/**
 * Durable decisions a second: each caller waits for its own decision to be committed, then makes the
 * next. The same PostgreSQL, with fsync and synchronous_commit on, serves both sides.
 */
export async function benchLog({ seconds, rounds, acceptanceSeconds }) {
  await onDatabase(async (database, dataDir) => {
    const ours = await openOurs(database, dataDir)
    const baseline = await openBaseline(database.connection)
    try {
      await compare({ ours, baseline, seconds, rounds })
      await acceptance({ database, ours, baseline, seconds: acceptanceSeconds })
      await reportVerification(ours.ledger)
    } finally {
      await baseline.close()
      await ours.close()
    }
  })
}

/** Runs on a database of its own, or on `DATABASE_URL`. */
async function onDatabase(work) {
  const dataDir = await mkdtemp(join(tmpdir(), 'bailiwick-bench-'))
  const database = await openDatabase({ dataDir, databaseUrl: process.env.DATABASE_URL })
  try {
    await printDatabase(database)
    await migrate(database.connection)
    await runInWriteAheadLog(database.connection)
    await work(database, dataDir)
  } finally {
    await database.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
}

/** Says what the figures were measured on. */
export async function printDatabase({ connection, serverVersion, kind }) {
  const [fsync, commit] = [
    await setting(connection, 'fsync'),
    await setting(connection, 'synchronous_commit'),
  ]
  console.log(`PostgreSQL ${serverVersion}, ${kind}; fsync ${fsync}, synchronous_commit ${commit}`)
}

async function compare({ ours, baseline, seconds, rounds }) {
  const sides = [
    ...callerCounts.map((callers) => ['naive', callers, baseline.plain]),
    ['naive, prepared', 256, baseline.prepared],
    ...callerCounts.map((callers) => ['bailiwick', callers, ours.once]),
  ]
  for (const [, , once] of sides) await load(64, 0.5, once)
  const runs = new Map(sides.map((side) => [side, []]))
  // In turns, so that a slow minute of the machine falls on all of them.
  for (let round = 0; round < rounds; round++) {
    for (const side of sides) {
      const [, callers, once] = side
      runs.get(side).push(await load(callers, seconds, once))
    }
  }
  const measured = sides.map((side) => ({ side, ...together(runs.get(side)) }))
  const naive = new Map(measured.map(({ side: [name, callers], rate }) => [`${name} ${callers}`, rate]))
  printTable(
    'log: durable governed decisions, each caller waiting for its own commit',
    ['', 'callers', 'decisions/s', 'p50 ms', 'p99 ms', 'ratio to naive', 'main thread µs', 'process µs'],
    measured.map(({ side: [name, callers], rate, p50, p99, threadMicros, processMicros }) => [
      name,
      callers,
      Math.round(rate).toLocaleString('en'),
      p50.toFixed(2),
      p99.toFixed(2),
      (rate / naive.get(`naive ${callers}`)).toFixed(1),
      Number.isNaN(threadMicros) ? '–' : threadMicros.toFixed(1),
      processMicros.toFixed(1),
    ]),
  )
}

async function reportVerification(ledger) {
  const start = process.hrtime.bigint()
  const result = await ledger.verify()
  const took = Number(process.hrtime.bigint() - start) / 1e9
  if (result.kind !== 'intact') throw new Error(`the log is broken: ${result.problem}`)
  console.log(
    `\nVerified all ${result.size.toLocaleString('en')} records of this run in ${took.toFixed(1)} s.`,
  )
}
