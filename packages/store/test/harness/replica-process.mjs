// One of several processes on a ledger: 64 callers that ask for refunds until they are told to stop. Reads a line of
// JSON for each thing to do, and prints a line for each answer. Ends with its standard input.
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createViteServer } from 'vitest/node'

const { connection, dataDir, ledger: name } = JSON.parse(process.argv[2] ?? '')
const vite = await createViteServer({
  root: fileURLToPath(new URL('../../../..', import.meta.url)),
  configFile: 'vitest.config.ts',
  appType: 'custom',
  logLevel: 'error',
  server: { middlewareMode: true, hmr: false, ws: false, watch: null },
  optimizeDeps: { noDiscovery: true },
})
const load = (path) => vite.ssrLoadModule(fileURLToPath(new URL(path, import.meta.url)))
const { openReplica } = await load('./replicas.ts')
const { racing, refundFor } = await load('./uses.ts')
const { agent } = await load('./ledger.ts')
const site = { database: { config: connection }, dataDir, clock: { now: Date.now } }
const replica = await openReplica(site, { policies: racing(), ledger: name, replyMs: 2_000, staleMs: 2_000 })
const say = (line) => console.log(JSON.stringify(line))
say({ url: replica.url })

async function ask(request, more = {}) {
  try {
    const { id, effect, replayed = false } = await replica.ledger.decide(agent, request)
    say({ ...more, id, effect, replayed })
  } catch ({ code, recorded, message }) {
    say({ ...more, fault: code, recorded, message })
  }
}

async function suspend(change) {
  try {
    say({
      suspension: change.reason,
      ...(await replica.ledger.changeSuspension({ agent, by: 'operator', ...change })),
    })
  } catch ({ code, recorded, message }) {
    say({ fault: code, recorded, message })
  }
}

// Refunds use budgets up; reading is always allowed.
let loading = false
async function caller(own) {
  for (let call = own; ; call++) {
    if (loading === 'reads') await ask({ action: 'read_page', params: { call } })
    else if (loading) await ask(refundFor(`c${call % 5}`, 1 + (call % 19)))
    await pause(100)
  }
}
for (let own = 0; own < 64; own++) void caller(own)

const lines = createInterface({ input: process.stdin })
lines.on('line', (line) => {
  const { load: on, race, times = 1, suspension } = JSON.parse(line)
  if (on !== undefined) loading = on
  if (suspension !== undefined) void suspend(suspension)
  if (race !== undefined) for (let time = 0; time < times; time++) void ask(race.request, { race: race.name })
})
await once(lines, 'close')
process.exit()
