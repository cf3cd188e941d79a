// Opens an embedded PostgreSQL in a process of its own and prints `{pid, adopted}`; then waits to be killed.
import { fileURLToPath } from 'node:url'
import { createViteServer } from 'vitest/node'

const [engine, dataDir] = process.argv.slice(2)
const vite = await createViteServer({
  root: fileURLToPath(new URL('../../../..', import.meta.url)),
  configFile: 'vitest.config.ts',
  appType: 'custom',
  logLevel: 'error',
  server: { middlewareMode: true, hmr: false, ws: false, watch: null },
  optimizeDeps: { noDiscovery: true },
})
const { openEmbedded } = await vite.ssrLoadModule(engine)
const { pid, adopted } = await openEmbedded({ dataDir })
console.log(JSON.stringify({ pid, adopted }))
// Waits, and ends with the test that spawned it if that does not kill it.
process.stdin.resume().once('end', () => process.exit())
