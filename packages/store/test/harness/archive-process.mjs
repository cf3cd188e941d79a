// Archives a log in a process of its own, as it was built, and prints the report.
import { Ledger, openArchiveStore } from '@bailiwick/store'

const { connection, dataDir, ledger: name, store, now, ...request } = JSON.parse(process.argv[2] ?? '')
const ledger = await Ledger.open({
  connection,
  policies: { for: () => undefined, all: [], warnings: [] },
  dataDir,
  ledger: name,
  consoleUrl: 'http://console.test',
  now: () => now,
  archive: openArchiveStore(store, {}),
})
const report = await ledger.archive({ store, env: {}, rest: 0, ...request })
await ledger.close()
process.stdout.write(JSON.stringify(report))
