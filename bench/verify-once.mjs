// Verifies the log that standard input names, and prints what it took: a process of its own, so that its memory is its own.
import { verifyStoredLog } from '@bailiwick/store'

const parts = []
for await (const part of process.stdin) parts.push(part)
const { connection, dataDir, ledger } = JSON.parse(Buffer.concat(parts).toString('utf8'))

const start = performance.now()
const result = await verifyStoredLog({ connection, dataDir, ledger })
const seconds = (performance.now() - start) / 1000
const { user, system } = process.cpuUsage()
const report = {
  ...result,
  records: result.size,
  seconds,
  processorSeconds: (user + system) / 1e6,
  megabytes: process.resourceUsage().maxRSS / 1024,
}
console.log(JSON.stringify(report))
