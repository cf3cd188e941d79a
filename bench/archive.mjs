import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parsePolicy } from '@bailiwick/core'
import { keepPartitions, Ledger, migrate, openArchiveStore, openDatabase } from '@bailiwick/store'
import pg from 'pg'
import { runInWriteAheadLog } from './log-sides.mjs'
import { agent, policyText, refund } from './policy.mjs'
import { printTable, quantile } from './table.mjs'

const day = 24 * 60 * 60 * 1000
const callers = 64
const ratioMax = 2

/** A thousand times the fleet that the project was given makes some 1,200 decisions a second; this is eight times as many. */
const liveRate = 10_000

/**
 * Archives many old records beside live decisions, and holds what the decisions take against what they take without it:
 * of one ledger while decisions come in at a given rate, which the gate is for; and of another while callers that wait for
 * their own commit, and then decide again, leave the machine no rest.
 */
export async function benchArchive({ seconds, records }) {
  const dataDir = await mkdtemp(join(tmpdir(), 'bailiwick-bench-'))
  const database = await openDatabase({ dataDir, databaseUrl: process.env.DATABASE_URL })
  try {
    await migrate(database.connection)
    const place = { connection: database.connection, dataDir, seconds, records }
    const ratio = await measure({
      ...place,
      name: 'live',
      load: liveLoad,
      loadName: `${liveRate} decisions a second`,
    })
    await measure({ ...place, name: 'busy', load: fullLoad, loadName: `${callers} callers without a rest` })
    console.log(
      `\nGate: with ${liveRate} decisions a second, p99 at most ${ratioMax} times what it is without.`,
    )
    if (ratio > ratioMax) process.exitCode = 1
  } finally {
    await database.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
}

async function measure({ connection, dataDir, seconds, records, name, load, loadName }) {
  const { policy } = parsePolicy(policyText)
  const archive = join(dataDir, 'archive')
  await mkdir(archive, { recursive: true })
  const store = openArchiveStore(pathToFileURL(archive).href, process.env)
  const old = Date.now() - 100 * day
  let now = () => old
  await keepPartitions(connection, 'week', old)
  const ledger = await Ledger.open({
    connection,
    ledger: name,
    policies: { for: (id) => (id === agent ? policy : undefined), all: [policy], warnings: [] },
    dataDir,
    consoleUrl: 'http://127.0.0.1',
    now: () => now(),
    archive: store,
  })
  const bytesBefore = await hotBytes(connection)
  await fill(ledger, records)
  now = () => Date.now()
  await keepPartitions(connection, 'week', now())
  const hotBefore = (await hotBytes(connection)) - bytesBefore
  // What so many appends leave to be done is done first: the log is archived long after it was written and published.
  await ledger.checkpoint()
  await ledger.tiles.fill()
  await settle(connection)
  const published = publishing(ledger)
  await load(ledger, seconds, undefined)
  const before = await load(ledger, seconds * 20, undefined)
  const started = performance.now()
  const cold = await ledger.coldBefore(90 * day)
  const run = ledger.archive({ store: store.address, env: process.env, before: cold, keepMs: 184 * day })
  const beside = await load(ledger, Infinity, run)
  const report = await run
  const took = (performance.now() - started) / 1000
  const after = await load(ledger, seconds * 20, undefined)
  await published.stop()
  const archived = report.segments.at(-1)?.end ?? 0
  const ratio = await tell({
    connection,
    archive: join(archive, name),
    name,
    loadName,
    archived,
    took,
    hotBefore,
    report,
    before,
    beside,
    after,
  })
  const verified = await ledger.verify()
  if (verified.kind !== 'intact') throw new Error(`the log is broken: ${verified.problem}`)
  await ledger.close()
  return ratio
}

async function tell({
  connection,
  archive,
  name,
  loadName,
  archived,
  took,
  hotBefore,
  report,
  before,
  beside,
  after,
}) {
  // A disk that others use too has better and worse minutes: what it is held against lies on both sides of it.
  const alone = both(before, after)
  printTable(
    `archive: ${archived.toLocaleString('en')} records beside ${loadName}`,
    ['', 'decisions/s', 'p50 ms', 'p99 ms'],
    [
      ['before', ...figures(before)],
      ['after', ...figures(after)],
      ['before and after', ...figures(alone)],
      ['while archiving', ...figures(beside)],
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
      `${((await keptBytes(connection, name)) / archived).toFixed(0)} of hashes kept in the database.`,
  )
  const ratio = beside.p99 / alone.p99
  console.log(`p99 while archiving: ${ratio.toFixed(2)} times what it is without.`)
  return ratio
}

function figures({ rate, p50, p99 }) {
  return [Math.round(rate).toLocaleString('en'), p50.toFixed(2), p99.toFixed(2)]
}

function both(one, other) {
  const latencies = [...one.latencies, ...other.latencies]
  return { ...summary(latencies), rate: (one.rate + other.rate) / 2 }
}

function summary(latencies) {
  return { latencies, p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) }
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

/** Publishes checkpoints and works out tiles each second, as a service does all the time. */
function publishing(ledger) {
  let stopped = false
  const running = (async () => {
    while (!stopped) {
      await ledger.checkpoint()
      await ledger.tiles.fill()
      await new Promise((resolve) => {
        setTimeout(resolve, 1000)
      })
    }
  })()
  return {
    stop: async () => {
      stopped = true
      await running
    },
  }
}

/** Decides for so many seconds, or until something has ended: each caller anew when its own decision is committed. */
async function fullLoad(ledger, seconds, until) {
  const { ended, latencies, told } = begun(seconds, until)
  const caller = async () => {
    while (!ended()) {
      const asked = performance.now()
      await ledger.decide(agent, refund(nextNumber++))
      latencies.push(performance.now() - asked)
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
  return told()
}

/** The same at `liveRate`, whatever becomes of the decisions before: what waits to be asked counts as waiting. */
async function liveLoad(ledger, seconds, until) {
  const { ended, latencies, start, told } = begun(seconds, until)
  const pending = new Set()
  let made = 0
  while (!ended()) {
    const due = Math.floor(((performance.now() - start) / 1000) * liveRate)
    for (; made < due; made++) {
      const asked = start + (made * 1000) / liveRate
      const decided = ledger.decide(agent, refund(nextNumber++)).then(() => {
        latencies.push(performance.now() - asked)
        pending.delete(decided)
      })
      pending.add(decided)
    }
    await new Promise((resolve) => {
      setTimeout(resolve, 1)
    })
  }
  await Promise.all(pending)
  return told()
}

let nextNumber = Math.floor(Math.random() * 1e9)

function begun(seconds, until) {
  const latencies = []
  let over = false
  until?.finally(() => (over = true)).catch(() => undefined)
  const start = performance.now()
  return {
    latencies,
    start,
    ended: () => over || performance.now() >= start + seconds * 1000,
    told: () => ({
      rate: latencies.length / ((performance.now() - start) / 1000),
      ...summary(latencies),
    }),
  }
}

async function settle(connection) {
  const client = new pg.Client(connection)
  await client.connect()
  try {
    await client.query('vacuum analyze bailiwick.log_batch')
  } finally {
    await client.end()
  }
  await runInWriteAheadLog(connection)
}

async function hotBytes(connection) {
  return await asked(
    connection,
    `select sum(pg_total_relation_size(inhrelid)) from pg_inherits
    where inhparent in ('bailiwick.log_batch'::regclass, 'bailiwick.log_term'::regclass)`,
  )
}

async function keptBytes(connection, name) {
  return await asked(
    connection,
    `select sum(pg_column_size(hashes)) from bailiwick.archive_leaf where ledger = '${name}'`,
  )
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
