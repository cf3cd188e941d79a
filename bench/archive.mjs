import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parsePolicy } from '@bailiwick/core'
import { keepPartitions, Ledger, migrate, openArchiveStore, openDatabase } from '@bailiwick/store'
import pg from 'pg'
import { agent, policyText, refund } from './policy.mjs'
import { printTable, quantile } from './table.mjs'

const day = 24 * 60 * 60 * 1000
const callers = 64
const ratioMax = 2

/**
 * Archives many old records beside live decisions, and holds what the decisions take against what they take without it.
 * The load is the same before, during and after: callers that wait for their own commit and then decide again.
 */
export async function benchArchive({ seconds, records }) {
  const dataDir = await mkdtemp(join(tmpdir(), 'bailiwick-bench-'))
  const database = await openDatabase({ dataDir, databaseUrl: process.env.DATABASE_URL })
  try {
    await migrate(database.connection)
    await measure({ connection: database.connection, dataDir, seconds, records })
  } finally {
    await database.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
}

async function measure({ connection, dataDir, seconds, records }) {
  const { policy } = parsePolicy(policyText)
  const archive = join(dataDir, 'archive')
  const store = openArchiveStore(pathToFileURL(archive).href, process.env)
  const old = Date.now() - 100 * day
  let now = () => old
  await keepPartitions(connection, 'week', old)
  const ledger = await Ledger.open({
    connection,
    policies: { for: (id) => (id === agent ? policy : undefined), all: [policy], warnings: [] },
    dataDir,
    consoleUrl: 'http://127.0.0.1',
    now: () => now(),
    archive: store,
  })
  await fill(ledger, records)
  now = () => Date.now()
  await keepPartitions(connection, 'week', now())
  const hotBefore = await hotBytes(connection)
  // The first seconds after so many appends are not like any others.
  await load(ledger, seconds, undefined)
  const alone = await load(ledger, seconds * 3, undefined)
  const started = performance.now()
  const before = await ledger.coldBefore(90 * day)
  const run = ledger.archive({ store: store.address, env: process.env, before, keepMs: 184 * day })
  const beside = await load(ledger, Infinity, run)
  const report = await run
  const took = (performance.now() - started) / 1000
  const after = await load(ledger, seconds * 3, undefined)
  const archived = report.segments.at(-1)?.end ?? 0
  await tell({ connection, archive, archived, took, hotBefore, report, alone, beside, after })
  const verified = await ledger.verify()
  if (verified.kind !== 'intact') throw new Error(`the log is broken: ${verified.problem}`)
  await ledger.close()
}

async function tell({ connection, archive, archived, took, hotBefore, report, alone, beside, after }) {
  printTable(
    `archive: ${callers} callers decide while ${archived.toLocaleString('en')} records are archived`,
    ['', 'decisions/s', 'p50 ms', 'p99 ms'],
    [
      ['before', ...figures(alone)],
      ['while archiving', ...figures(beside)],
      ['after', ...figures(after)],
    ],
  )
  const cold = await directoryBytes(archive)
  const hot = hotBefore / archived
  console.log(
    `\n${report.segments.length} segments in ${took.toFixed(0)} s, ${Math.round(archived / took).toLocaleString('en')} records/s; ` +
      `${report.droppedPartitions.length} partitions dropped.`,
  )
  console.log(
    `Bytes for each record: ${hot.toFixed(0)} in the database before, ${(cold / archived).toFixed(0)} in the archive, ` +
      `${((await keptBytes(connection)) / archived).toFixed(0)} of hashes kept in the database.`,
  )
  const ratio = beside.p99 / alone.p99
  console.log(
    `p99 while archiving: ${ratio.toFixed(2)} times what it is without (gate: at most ${ratioMax}).`,
  )
  if (ratio > ratioMax) process.exitCode = 1
}

function figures({ rate, p50, p99 }) {
  return [Math.round(rate).toLocaleString('en'), p50.toFixed(2), p99.toFixed(2)]
}

async function fill(ledger, records) {
  let left = records
  const caller = async () => {
    while (left > 0) {
      left -= 1
      await ledger.decide(agent, refund(left))
    }
  }
  await Promise.all(Array.from({ length: 1024 }, caller))
}

/** Decides for so many seconds, or until something has ended. */
async function load(ledger, seconds, until) {
  const latencies = []
  let ended = false
  until?.finally(() => (ended = true)).catch(() => undefined)
  const start = performance.now()
  const end = start + seconds * 1000
  let number = Math.floor(Math.random() * 1e9)
  const caller = async () => {
    while (!ended && performance.now() < end) {
      const asked = performance.now()
      await ledger.decide(agent, refund(number++))
      latencies.push(performance.now() - asked)
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
  const rate = latencies.length / ((performance.now() - start) / 1000)
  return { rate, p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) }
}

async function hotBytes(connection) {
  return await asked(
    connection,
    `select sum(pg_total_relation_size(inhrelid)) from pg_inherits
    where inhparent in ('bailiwick.log_batch'::regclass, 'bailiwick.log_term'::regclass)`,
  )
}

async function keptBytes(connection) {
  return await asked(connection, `select pg_total_relation_size('bailiwick.archive_leaf')`)
}

async function asked(connection, text) {
  const client = new pg.Client(connection)
  await client.connect()
  try {
    const { rows } = await client.query({ text, rowMode: 'array' })
    return Number(rows[0][0])
  } finally {
    await client.end()
  }
}

async function directoryBytes(directory) {
  let bytes = 0
  for (const name of await readdir(directory, { recursive: true })) {
    const found = await stat(join(directory, name))
    if (found.isFile()) bytes += found.size
  }
  return bytes
}
