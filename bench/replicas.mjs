import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { migrate, openDatabase } from '@bailiwick/store'
import pg from 'pg'
import { median, printTable } from './table.mjs'

const program = fileURLToPath(new URL('./replicas-process.mjs', import.meta.url))
const callersInAll = 192

/**
 * Decisions a second of several processes on one PostgreSQL: on one ledger, where one writes for all or all compete;
 * and on several ledgers, in one process or in one each. The callers are as many each time, spread evenly; each is
 * in the process that it asks.
 */
export async function benchReplicas({ seconds, rounds }) {
  const dataDir = await mkdtemp(join(tmpdir(), 'bailiwick-bench-'))
  const database = await openDatabase({ dataDir, databaseUrl: process.env.DATABASE_URL })
  try {
    await migrate(database.connection)
    const bench = { database, dataDir, seconds, rounds, count: 0 }
    const before = await room(database)
    await benchProcesses(bench)
    await benchLedgers(bench)
    reportRoom(before, await room(database))
  } finally {
    await database.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
}

async function benchProcesses(bench) {
  const sides = [1, 2, 3].flatMap((processes) => [
    { processes, together: true, ledgers: 1 },
    ...(processes === 1 ? [] : [{ processes, together: false, ledgers: 1 }]),
  ])
  const rows = await measured(bench, sides)
  printTable(
    `replicas: one ledger, ${callersInAll} callers in all`,
    ['processes', 'who writes', 'decisions/s', 'p50 ms', 'p99 ms', 'µs of Node each', 'not answered'],
    rows.map(({ side, ...figures }) => [
      side.processes,
      side.processes === 1 ? 'the one' : side.together ? 'one for all' : 'each, in competition',
      ...shown(figures),
    ]),
  )
}

async function benchLedgers(bench) {
  const sides = [1, 2, 4].flatMap((ledgers) => [
    { processes: 1, together: true, ledgers },
    ...(ledgers === 1 ? [] : [{ processes: ledgers, together: true, ledgers, apart: true }]),
  ])
  const rows = await measured(bench, sides)
  printTable(
    `replicas: ledgers that share nothing in one database, ${callersInAll} callers in all`,
    ['ledgers', 'processes', 'decisions/s', 'p50 ms', 'p99 ms', 'µs of Node each', 'not answered'],
    rows.map(({ side, ...figures }) => [side.ledgers, side.processes, ...shown(figures)]),
  )
}

async function room(database) {
  const client = new pg.Client(database.connection)
  await client.connect()
  try {
    const { rows } = await client.query(`select
      (select coalesce(sum(size), 0)::float8 from bailiwick.ledger_head) as records,
      (select sum(pg_total_relation_size(oid))::float8 from pg_class
        where relkind = 'r' and relnamespace = 'bailiwick'::regnamespace) as bytes,
      (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::float8 as wal`)
    return rows[0]
  } finally {
    await client.end()
  }
}

function reportRoom(before, after) {
  const records = after.records - before.records
  const each = (figure) => Math.round((after[figure] - before[figure]) / records).toLocaleString('en')
  console.log(
    `\n${records.toLocaleString('en')} records of this run: ${each('bytes')} bytes of tables and indexes each, ${each('wal')} of write-ahead log.`,
  )
}

function shown({ rate, p50, p99, cpu, faults }) {
  return [Math.round(rate).toLocaleString('en'), p50.toFixed(2), p99.toFixed(2), cpu.toFixed(0), faults]
}

// In turns, so that a slow minute of the machine falls on all of them.
async function measured(bench, sides) {
  const runs = sides.map(() => [])
  for (let round = 0; round < bench.rounds; round++) {
    for (const [at, side] of sides.entries()) runs[at].push(await run(bench, side))
  }
  return sides.map((side, at) => {
    const of = (figure) => median(runs[at].map((each) => each[figure]))
    return { side, rate: of('rate'), p50: of('p50'), p99: of('p99'), cpu: of('cpu'), faults: of('faults') }
  })
}

async function run(bench, { processes, ledgers, together, apart = false }) {
  const names = Array.from({ length: ledgers }, () => `bench-${(bench.count += 1)}`)
  const callers = Math.floor(callersInAll / (apart ? ledgers : processes * ledgers))
  const { seconds, dataDir, database } = bench
  const settings = { connection: database.connection, dataDir, callers, seconds, together }
  const started = []
  for (let at = 0; at < processes; at++) {
    started.push(await start({ ...settings, ledgers: apart ? [names[at]] : names }))
  }
  for (const each of started) each.go()
  const results = await Promise.all(started.map((each) => each.result()))
  const decisions = results.reduce((sum, each) => sum + each.decisions, 0)
  return {
    rate: results.reduce((sum, { rate }) => sum + rate, 0),
    // All processes' work for one decision: what a busy machine changes least.
    cpu: results.reduce((sum, { cpu }) => sum + cpu, 0) / decisions,
    p50: median(results.map(({ p50 }) => p50)),
    p99: Math.max(...results.map(({ p99 }) => p99)),
    faults: results.reduce((sum, { faults }) => sum + faults, 0),
  }
}

async function start(settings) {
  const flags = ['--min-semi-space-size=64', '--max-semi-space-size=128']
  const child = spawn(process.execPath, [...flags, program, JSON.stringify(settings)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const exit = once(child, 'exit')
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const line = async () => JSON.parse((await lines.next()).value ?? '{"ended":true}')
  if ((await line()).ready !== true) throw new Error('a process of the benchmark ended')
  return {
    go: () => child.stdin.write('go\n'),
    result: async () => {
      const result = await line()
      await exit
      return result
    },
  }
}
