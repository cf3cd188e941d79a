import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parsePolicy } from '@bailiwick/core'
import { Ledger, migrate, openDatabase, stopIfUnused } from '@bailiwick/store'
import { agent, policyText, refund } from './policy.mjs'
import { printTable } from './table.mjs'

const callers = 256
const secondsMax = 15
const megabytesMax = 300

/**
 * Verification of a whole log from scratch: writes `records` decisions through the ledger, then verifies them in a
 * fresh process. What it costs is that process's, PostgreSQL's apart.
 */
export async function benchVerify({ records }) {
  const dataDir = await mkdtemp(join(tmpdir(), 'bailiwick-bench-'))
  const database = await openDatabase({ dataDir, databaseUrl: process.env.DATABASE_URL })
  try {
    await migrate(database.connection)
    const rows = []
    // The plain log, then one in which every call bears an id, so that a table as long as the log is compared, too.
    for (const [name, withIds] of [
      ['plain', false],
      ['with call ids', true],
    ]) {
      await write({ database, dataDir, records, ledger: withIds ? 'ids' : 'plain', withIds })
      const run = await verified(database, dataDir, withIds ? 'ids' : 'plain')
      rows.push([name, ...reported(run)])
      if (records >= 1_000_000 && (run.seconds > secondsMax || run.megabytes > megabytesMax))
        process.exitCode = 1
    }
    printTable(
      'verify: a whole log from scratch, in a fresh process',
      ['log', 'records', 'seconds', 'records/s', 'processor seconds', 'peak MB'],
      rows,
    )
    console.log(`\nGates at a million records: ${secondsMax} s and ${megabytesMax} MB.`)
  } finally {
    await stopIfUnused(database)
    await rm(dataDir, { recursive: true, force: true })
  }
}

function reported({ records, seconds, processorSeconds, megabytes }) {
  return [
    records.toLocaleString('en'),
    seconds.toFixed(1),
    Math.round(records / seconds).toLocaleString('en'),
    processorSeconds.toFixed(1),
    Math.round(megabytes),
  ]
}

async function write({ database, dataDir, records, ledger: name, withIds }) {
  const { policy } = parsePolicy(policyText)
  const policies = { for: (id) => (id === agent ? policy : undefined), all: [policy], warnings: [] }
  const { connection } = database
  const ledger = await Ledger.open({
    connection,
    policies,
    dataDir,
    ledger: name,
    consoleUrl: 'http://127.0.0.1',
  })
  let next = 0
  const caller = async () => {
    for (let number = next++; number < records; number = next++) {
      await ledger.decide(agent, { ...refund(number), ...(withIds ? { callId: `call-${number}` } : {}) })
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
  // As a service leaves it, which does both every second.
  await ledger.checkpoint()
  await ledger.tiles.fillAll()
  await ledger.close()
}

async function verified({ connection }, dataDir, ledger) {
  const child = spawn(process.execPath, [fileURLToPath(new URL('verify-once.mjs', import.meta.url))], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  child.stdin.end(JSON.stringify({ connection, dataDir, ledger }))
  let out = ''
  for await (const part of child.stdout) out += part
  const run = JSON.parse(out)
  if (run.kind !== 'intact') throw new Error(`the log is broken: ${run.problem}`)
  return run
}
