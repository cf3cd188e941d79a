// Decides refunds on a ledger in a process of its own, many at a time, and reports that some failed; prints each answer
// once it has come. Runs until it is killed.
import { fileURLToPath } from 'node:url'
import { createViteServer } from 'vitest/node'

const { connection, dataDir, ledger: name, payloadKey } = JSON.parse(process.argv[2] ?? '')
const vite = await createViteServer({
  root: fileURLToPath(new URL('../../../..', import.meta.url)),
  configFile: 'vitest.config.ts',
  appType: 'custom',
  logLevel: 'error',
  server: { middlewareMode: true, hmr: false, ws: false, watch: null },
  optimizeDeps: { noDiscovery: true },
})
const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const { Ledger } = await vite.ssrLoadModule(here('../../src/ledger.ts'))
const { counting, countingOfPeople, refundFor } = await vite.ssrLoadModule(here('./uses.ts'))
const { PayloadKey } = await vite.ssrLoadModule(here('../../src/sealing/payload-key.ts'))
const { agent } = await vite.ssrLoadModule(here('./ledger.ts'))
const ledger = await Ledger.open({
  connection,
  dataDir,
  ledger: name,
  policies: payloadKey === undefined ? counting() : countingOfPeople(),
  payloadKey: payloadKey === undefined ? undefined : new PayloadKey(payloadKey),
  consoleUrl: 'http://console.test',
})
await ledger.sealing.start()
const caller = async (own) => {
  for (let call = own; ; call++) {
    const { id, effect } = await ledger.decide(agent, refundFor(`c${call % 3}`, 1 + (call % 19)))
    const status = call % 3 === 0 ? 'failed' : 'succeeded'
    const failed = effect === 'allow' && status === 'failed'
    if (effect === 'allow') await ledger.reportOutcome(agent, id, { status })
    console.log(JSON.stringify({ id, effect, failed }))
  }
}
process.stdin.resume().once('end', () => process.exit())
await Promise.all(Array.from({ length: 16 }, (_, own) => caller(own)))
