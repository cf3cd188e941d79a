import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Ledger, loadPolicies, migrate, openDatabase } from '@bailiwick/store'
import { refund } from './policy.mjs'
import { median, printTable } from './table.mjs'

const main = fileURLToPath(new URL('../packages/server/bundle/main.js', import.meta.url))
const policies = fileURLToPath(new URL('../examples/customer-support/policies', import.meta.url))
const agent = 'customer-support-agent-v2'
const records = 100_000
/** A start on what a stopped service left, with Node's own included, has to be ready within this. */
const warmMsMax = 1_000

/**
 * How long `bailiwick serve` takes from the start of its process until /readyz says 200: on no data directory, on one that
 * a service has left in good order, after `kill -9` of the service, and of its PostgreSQL too; with a small log and with a
 * large one.
 */
export async function benchStart({ rounds }) {
  const dir = await mkdtemp(join(tmpdir(), 'bailiwick-bench-'))
  try {
    const cold = []
    for (let number = 0; number < 3; number++)
      cold.push(await started(join(dir, `cold-${number}`), 'stopped'))
    const dataDir = join(dir, 'cold-0')
    const small = await kinds(dataDir, rounds)
    await fill(dataDir)
    const large = await kinds(dataDir, rounds)
    report({ cold: median(cold), small, large })
  } finally {
    await rm(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }
}

async function kinds(dataDir, rounds) {
  const found = { stopped: [], service: [], both: [] }
  for (let number = 0; number < rounds; number++) {
    // What the one before left decides of what kind a start is.
    for (const left of ['stopped', 'service', 'both']) {
      await started(dataDir, left)
      found[left].push(await started(dataDir, 'stopped'))
    }
  }
  return Object.fromEntries(Object.entries(found).map(([kind, times]) => [kind, median(times)]))
}

/** Starts a service, ends it as told, and gives the milliseconds until it was ready. */
async function started(dataDir, end) {
  const from = performance.now()
  const args = ['serve', '--policies', policies, '--data', dataDir, '--port', '7419', '--json']
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'ignore', 'inherit'] })
  const exited = once(child, 'exit')
  for (;;) {
    const answer = await fetch('http://127.0.0.1:7419/readyz').catch(() => undefined)
    await answer?.text()
    if (answer?.status === 200) break
    if (child.exitCode !== null) throw new Error('the service did not start')
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  const took = performance.now() - from
  child.kill(end === 'stopped' ? 'SIGTERM' : 'SIGKILL')
  await exited
  if (end === 'both') await killPostgres(dataDir)
  return took
}

async function killPostgres(dataDir) {
  const pid = Number.parseInt(await readFile(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8'), 10)
  process.kill(pid, 'SIGKILL')
}

async function fill(dataDir) {
  const database = await openDatabase({ dataDir })
  const { connection } = database
  await migrate(connection)
  const set = await loadPolicies(policies)
  const ledger = await Ledger.open({ connection, policies: set, dataDir, consoleUrl: 'http://127.0.0.1' })
  let number = 0
  const caller = async () => {
    while (number < records) await ledger.decide(agent, refund(number++))
  }
  await Promise.all(Array.from({ length: 256 }, caller))
  await ledger.close()
  await database.stop()
}

function report({ cold, small, large }) {
  const ms = (value) => Math.round(value).toLocaleString('en')
  printTable(
    'start: from the start of the process until /readyz says 200; medians, Node and the embedded PostgreSQL included',
    ['', 'ms, a few records', `ms, ${records.toLocaleString('en')} records`],
    [
      ['no data directory: makes a cluster and a log', ms(cold), ''],
      ['the last service was stopped', ms(small.stopped), ms(large.stopped)],
      ['the last service was killed: adopts its PostgreSQL', ms(small.service), ms(large.service)],
      ['both were killed: PostgreSQL recovers', ms(small.both), ms(large.both)],
    ],
  )
  const slowest = Math.max(small.stopped, large.stopped)
  console.log(`\nAfter a stop: ${ms(slowest)} ms at most (gate: below ${ms(warmMsMax)}).`)
  if (slowest >= warmMsMax) process.exitCode = 1
}
