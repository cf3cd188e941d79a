// The service that `npm run bench -- http` measures, in a process of its own: `startService` as it is, and beside it, on
// ports of their own, the handlers that it is compared with. The parent asks for the processor time between loads.
import { createServer } from 'node:http'
import { systemPorts } from '@bailiwick/core'
import { Access, ApprovalWaits, Ledger, loadPolicies, openDatabase, stopIfUnused } from '@bailiwick/store'
import { startService } from 'bailiwick'
import { agentAuthentication, lookedUp } from '../packages/server/dist/identity/agent-tokens.js'
import { headersOfEveryAnswer, listenerOf } from '../packages/server/dist/http/answer-requests.js'
import { createApp } from '../packages/server/dist/http/app.js'
import { fastPath } from '../packages/server/dist/http/fast-path.js'
import { listen } from '../packages/server/dist/http/listener.js'
import { agent } from './policy.mjs'

const [policies, dataDir] = process.argv.slice(2)
const databaseUrl = process.env.DATABASE_URL
const log = (line) => console.error(line)
const host = '127.0.0.1'
const answer = '{"ok":true}'

const service = await startService({ policies, dataDir, databaseUrl, port: 0, host, env: {}, log })
const database = await openDatabase({ dataDir, databaseUrl })
const ledger = await Ledger.open({
  connection: database.connection,
  policies: await loadPolicies(policies),
  dataDir,
  consoleUrl: service.url,
})
const access = new Access(ledger)
const waits = new ApprovalWaits(ledger, systemPorts)
const { key } = await access.createKey(agent)
const empty = await emptyHandler()
const barest = await barestHandler()
process.send({
  key,
  postgres: `${database.serverVersion}, ${database.kind}`,
  ports: { service: portOf(service), empty: portOf(empty), barest: barest.address().port },
})

process.on('message', (message) => {
  if (message === 'cpu') process.send(process.cpuUsage())
  else void stop()
})

async function stop() {
  barest.close()
  await empty.close()
  waits.close()
  await ledger.close()
  await service.stop()
  await stopIfUnused(database)
  process.exit()
}

// All that a decision goes through but the decision: the listener, the key's look-up, the reading of the body, the
// headers of every answer. What the service does beyond that, checking the shape of the call included, is the handler's.
async function emptyHandler() {
  const app = createApp({ ledger, access, waits, consoleFiles: new Map(), log })
  // It records nothing that would prove a remembered key, so the key is looked up.
  const agentOf = agentAuthentication(access, undefined)
  const admissionOf = (key) => agentOf(key).then(lookedUp)
  const paths = new Map([['/v1/empty', { admissionOf, answer: () => Promise.resolve(answer) }]])
  const headers = await headersOfEveryAnswer(app)
  const listener = await listen({ host, port: 0 })
  listener.answerWith(fastPath({ paths, headers, log }, listenerOf(app)))
  return listener
}

// The least that Node.js can answer with: nobody asks who it is, and the body is thrown away.
async function barestHandler() {
  const server = createServer((incoming, outgoing) => {
    incoming.resume()
    outgoing.writeHead(200, { 'content-type': 'application/json', 'content-length': answer.length })
    outgoing.end(answer)
  })
  await new Promise((resolve) => server.listen(0, host, resolve))
  return server
}

function portOf({ url }) {
  return Number(new URL(url).port)
}
