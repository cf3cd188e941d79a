import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decide, parsePolicy } from '@bailiwick/core'
import { Ledger, migrate, openDatabase } from '@bailiwick/store'
import pg from 'pg'
import { agent, policyText, refund } from './policy.mjs'
import { median, printTable, quantile } from './table.mjs'

const callerCounts = [1, 16, 64, 256]
const baselineConnections = 16

/**
 * Durable decisions a second: each caller waits for its own decision to be committed, then makes the
 * next. The same PostgreSQL, with fsync and synchronous_commit on, serves both sides.
 */
export async function benchLog({ seconds, rounds }) {
  const dataDir = await mkdtemp(join(tmpdir(), 'bailiwick-bench-'))
  const database = await openDatabase({ dataDir, databaseUrl: process.env.DATABASE_URL })
  try {
    console.log(
      `PostgreSQL ${database.serverVersion}, ${database.kind}; fsync ${await setting(database, 'fsync')}, synchronous_commit ${await setting(database, 'synchronous_commit')}`,
    )
    await migrate(database.connection)
    await compare({ database, dataDir, seconds, rounds })
  } finally {
    await database.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
}

async function compare({ database, dataDir, seconds, rounds }) {
  const { policy } = parsePolicy(policyText)
  const policies = { for: (id) => (id === agent ? policy : undefined), all: [policy], warnings: [] }
  const ledger = await Ledger.open({
    connection: database.connection,
    policies,
    dataDir,
    consoleUrl: 'http://127.0.0.1',
  })
  const baseline = await openBaseline(database.connection, policy)
  const measured = new Map()
  const sides = [
    ...callerCounts.map((callers) => ['naive', callers, baseline.plain]),
    ['naive, prepared', 256, baseline.prepared],
    ...callerCounts.map((callers) => [
      'bailiwick',
      callers,
      (number) => ledger.decide(agent, refund(number)),
    ]),
  ]
  for (const [, , once] of sides) await load(64, 0.5, once)
  // In turns, so that a slow minute of the machine falls on all of them.
  for (let round = 0; round < rounds; round++) {
    for (const [name, callers, once] of sides) {
      const key = `${name} ${callers}`
      measured.set(key, [...(measured.get(key) ?? []), await load(callers, seconds, once)])
    }
  }
  report(sides, measured)
  await reportVerification(ledger)
  await baseline.close()
  await ledger.close()
}

function report(sides, measured) {
  const naive = median(measured.get('naive 256').map(({ rate }) => rate))
  const rows = sides.map(([name, callers]) => {
    const runs = measured.get(`${name} ${callers}`)
    const rate = median(runs.map((run) => run.rate))
    const same = median(measured.get(`naive ${callers}`).map((run) => run.rate))
    return [
      name,
      callers,
      Math.round(rate).toLocaleString('en'),
      median(runs.map((run) => run.p50)).toFixed(2),
      median(runs.map((run) => run.p99)).toFixed(2),
      (rate / same).toFixed(1),
    ]
  })
  printTable(
    'log: durable governed decisions, each caller waiting for its own commit',
    ['', 'callers', 'decisions/s', 'p50 ms', 'p99 ms', 'ratio to naive with as many callers'],
    rows,
  )
  const ours = median(measured.get('bailiwick 256').map(({ rate }) => rate))
  console.log(
    `\nAt 256 callers: ${(ours / naive).toFixed(1)} times the naive baseline of this run (gate: at least 6).`,
  )
  if (ours / naive < 6) process.exitCode = 1
}

async function reportVerification(ledger) {
  const start = process.hrtime.bigint()
  const result = await ledger.verify()
  const took = Number(process.hrtime.bigint() - start) / 1e9
  if (result.kind !== 'intact') throw new Error(`the log is broken: ${result.problem}`)
  console.log(`Verified all ${result.size.toLocaleString('en')} records of this run in ${took.toFixed(1)} s.`)
}

/** `callers` callers in a closed loop for `seconds`; every answer counts once it has come. */
async function load(callers, seconds, once) {
  const latencies = []
  const start = performance.now()
  const end = start + seconds * 1000
  let number = Math.floor(Math.random() * 1e9)
  const caller = async () => {
    while (performance.now() < end) {
      const asked = performance.now()
      await once(number++)
      latencies.push(performance.now() - asked)
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
  const rate = latencies.length / ((performance.now() - start) / 1000)
  return { rate, p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) }
}

// What a team builds first: the same decision, then one INSERT and COMMIT into a plain table.
async function openBaseline(connection, policy) {
  const pool = new pg.Pool({ ...connection, max: baselineConnections })
  await pool.query(`create table if not exists naive_log (
    id bigserial primary key, agent text not null, action text not null, params jsonb not null,
    effect text not null, reasons jsonb not null, at timestamptz not null default now())`)
  await pool.query('create index if not exists naive_log_agent on naive_log (agent, at)')
  await pool.query('create index if not exists naive_log_action on naive_log (action, at)')
  const text = 'insert into naive_log (agent, action, params, effect, reasons) values ($1, $2, $3, $4, $5)'
  const insert = (statement) => async (number) => {
    const call = { agent, ...refund(number) }
    const { effect, reasons } = decide(policy, call, { now: Date.now() })
    await pool.query({
      ...statement,
      values: [agent, call.action, call.params, effect, JSON.stringify(reasons)],
    })
  }
  return {
    plain: insert({ text }),
    prepared: insert({ text, name: 'naive_insert' }),
    close: () => pool.end(),
  }
}

async function setting(database, name) {
  const client = new pg.Client(database.connection)
  await client.connect()
  try {
    const { rows } = await client.query(`show ${name}`)
    return rows[0][name]
  } finally {
    await client.end()
  }
}
