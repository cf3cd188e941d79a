// One process of the benchmark of replicas: opens ledgers, waits for the word, and lets its callers decide.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { parsePolicy } from '@bailiwick/core'
import { Ledger } from '@bailiwick/store'
import { agent, policyText, refund } from './policy.mjs'
import { quantile } from './table.mjs'

const { connection, dataDir, callers, seconds, together, ledgers: names } = JSON.parse(process.argv[2])
const { policy } = parsePolicy(policyText)
const policies = { for: (id) => (id === agent ? policy : undefined), all: [policy], warnings: [] }
const opened = await Promise.all(names.map(open))
while (together && opened.some(({ ledger }) => ledger.role === 'alone')) await pause(20)
console.log(JSON.stringify({ ready: true }))
await once(process.stdin, 'data')
// What is compiled while it runs would be measured otherwise.
await load(seconds / 2)
console.log(JSON.stringify(await load(seconds)))
// Others may still wait for this one.
await pause(500)
await Promise.all(opened.map(({ ledger }) => ledger.close()))
process.exit()

async function open(name) {
  const replica = { ledger: undefined }
  const server = createServer((request, response) => void answer(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${server.address().port}`
  const peers = together ? { url } : undefined
  const answer = async (request, response) => {
    const chunks = []
    for await (const chunk of request) chunks.push(chunk)
    const { authorization } = request.headers
    const headers = { authorization, 'content-length': request.headers['content-length'] }
    const body = Buffer.concat(chunks)
    const reply = await replica.ledger.answerPeer(new Request(url, { method: 'POST', headers, body }))
    response.writeHead(reply.status, Object.fromEntries(reply.headers))
    response.end(Buffer.from(await reply.arrayBuffer()))
  }
  replica.ledger = await Ledger.open({ connection, policies, dataDir, ledger: name, consoleUrl: url, peers })
  return replica
}

async function load(forSeconds) {
  const latencies = []
  let faults = 0
  const cpu = process.cpuUsage()
  const start = performance.now()
  const end = start + forSeconds * 1000
  let number = Math.floor(Math.random() * 1e9)
  const caller = async (ledger) => {
    while (performance.now() < end) {
      const asked = performance.now()
      try {
        await ledger.decide(agent, refund(number++))
        latencies.push(performance.now() - asked)
      } catch {
        faults += 1
      }
    }
  }
  await Promise.all(opened.flatMap(({ ledger }) => Array.from({ length: callers }, () => caller(ledger))))
  const rate = latencies.length / ((performance.now() - start) / 1000)
  const { user, system } = process.cpuUsage(cpu)
  return {
    rate,
    cpu: user + system,
    decisions: latencies.length,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    faults,
  }
}
