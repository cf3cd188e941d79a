import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { policyText } from './policy.mjs'
import { median, printTable } from './table.mjs'

const connectionCounts = [16, 64]
/** The gates hold at this many connections. */
const gated = 64
const batchCalls = 16
const allow = '"effect":"allow"'
const empty = { path: '/v1/empty', expects: '"ok":true' }

/** What is asked for, in the order in which it is measured and printed. */
const sides = [
  { name: 'barest handler of Node.js', port: 'barest', ...empty },
  {
    name: 'GET /healthz: an endpoint that does nothing',
    port: 'service',
    path: '/healthz',
    method: 'GET',
    expects: '"status":"ok"',
  },
  { name: 'empty handler on the fast path', port: 'empty', ...empty },
  { name: 'POST /v1/decisions', port: 'service', path: '/v1/decisions', expects: allow, decides: 1 },
  {
    name: `POST /v1/decisions/batch, ${batchCalls} calls`,
    port: 'service',
    path: '/v1/decisions/batch',
    expects: allow,
    calls: batchCalls,
    decides: batchCalls,
  },
]
const [, endpointSide, emptySide, singleSide, batchSide] = sides

/**
 * Durable decisions over HTTP, beside what the same listener does with an empty handler. Service and load are processes
 * of their own on this machine; every call is another, and every answer must be an allow.
 */
export async function benchHttp({ seconds, rounds }) {
  const dir = await mkdtemp(join(tmpdir(), 'bailiwick-bench-'))
  await writeFile(join(dir, 'policy.yaml'), policyText)
  // As it is started for users, without settings for the engine.
  const service = fork(
    new URL('./http-service.mjs', import.meta.url),
    [join(dir, 'policy.yaml'), join(dir, 'data')],
    { execArgv: [] },
  )
  const load = fork(new URL('./http-load.mjs', import.meta.url), { execArgv: [] })
  try {
    const started = await answerOf(service)
    console.log(`PostgreSQL ${started.postgres}; fsync and synchronous_commit on, as the service demands`)
    report(await measureAll({ service, load, started, seconds, rounds }))
  } finally {
    load.kill()
    if (service.connected) service.send('stop')
    if (service.exitCode === null) await once(service, 'exit')
    await rm(dir, { recursive: true, force: true })
  }
}

async function measureAll({ service, load, started, seconds, rounds }) {
  const measured = new Map()
  for (const side of sides) await measureOne({ service, load, started, side, connections: 64, seconds: 1 })
  // In turns, so that a slow minute of the machine falls on all of them.
  for (let round = 0; round < rounds; round++) {
    for (const connections of connectionCounts) {
      for (const side of sides) {
        const key = `${side.name} ${connections}`
        const run = await measureOne({ service, load, started, side, connections, seconds })
        measured.set(key, [...(measured.get(key) ?? []), run])
      }
    }
  }
  return measured
}

async function measureOne({ service, load, started, side, connections, seconds }) {
  const { key, ports } = started
  const sizeBefore = await logSize(ports.service)
  const cpuBefore = await answerOf(service, 'cpu')
  const { path, method, calls, expects } = side
  const job = { port: ports[side.port], path, method, key, calls, expects, connections, seconds }
  const { result, error } = await answerOf(load, job)
  if (error !== undefined) throw new Error(`the load failed: ${error}`)
  const cpu = await answerOf(service, 'cpu')
  const cpuUs = cpu.user + cpu.system - cpuBefore.user - cpuBefore.system
  const recorded = (await logSize(ports.service)) - sizeBefore
  const decided = result.count * (side.decides ?? 0)
  if (recorded !== decided) throw new Error(`${decided} decisions were answered, and ${recorded} recorded`)
  return { ...result, cpuPerRequest: cpuUs / result.count }
}

async function logSize(port) {
  const response = await fetch(`http://127.0.0.1:${port}/readyz`)
  return (await response.json()).log.size
}

function answerOf(child, message) {
  return new Promise((resolve, reject) => {
    const ended = () => reject(new Error('a process of the benchmark has ended'))
    child.once('exit', ended)
    child.once('message', (answer) => {
      child.off('exit', ended)
      resolve(answer)
    })
    if (message !== undefined) child.send(message)
  })
}

function report(measured) {
  const of = (side, connections, value) => median(measured.get(`${side.name} ${connections}`).map(value))
  const requests = (run) => run.requests
  const decisions = (run) => run.decisions
  const cpu = (run) => run.cpuPerRequest
  const rows = connectionCounts.flatMap((connections) =>
    sides.map((side) => [
      side.name,
      connections,
      Math.round(of(side, connections, requests)).toLocaleString('en'),
      side.decides ? Math.round(of(side, connections, decisions)).toLocaleString('en') : '–',
      of(side, connections, (run) => run.p50).toFixed(2),
      of(side, connections, (run) => run.p99).toFixed(2),
      of(side, connections, cpu).toFixed(1),
      side.decides ? (of(side, connections, cpu) / side.decides).toFixed(1) : '–',
    ]),
  )
  printTable(
    'http: keep-alive connections, each waiting for its answer before it asks again',
    ['', 'connections', 'requests/s', 'decisions/s', 'p50 ms', 'p99 ms', 'CPU µs/request', 'CPU µs/decision'],
    rows,
  )
  const share = of(singleSide, gated, requests) / of(emptySide, gated, requests)
  const endpointShare = of(singleSide, gated, requests) / of(endpointSide, gated, requests)
  const cpuEndpointShare = of(endpointSide, gated, cpu) / of(singleSide, gated, cpu)
  const times = of(batchSide, gated, decisions) / of(singleSide, gated, decisions)
  const cpuShare = of(emptySide, gated, cpu) / of(singleSide, gated, cpu)
  const cpuTimes = of(singleSide, gated, cpu) / (of(batchSide, gated, cpu) / batchCalls)
  const verdict = (held) => (held ? 'held' : 'missed')
  printTable(
    `http: gates of this run, at ${gated} connections`,
    ['', 'measured', 'by processor time of the service alone', 'gate', ''],
    [
      [
        'decisions ÷ empty handler on the fast path',
        share.toFixed(2),
        cpuShare.toFixed(2),
        'at least 0.70',
        verdict(share >= 0.7),
      ],
      [
        'decisions ÷ an endpoint that does nothing',
        endpointShare.toFixed(2),
        cpuEndpointShare.toFixed(2),
        'told beside it',
        '–',
      ],
      [
        'batch ÷ single, decisions/s',
        times.toFixed(1),
        cpuTimes.toFixed(1),
        'at least 3',
        verdict(times >= 3),
      ],
    ],
  )
  if (share < 0.7 || times < 3) process.exitCode = 1
}
