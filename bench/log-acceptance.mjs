import { load, together } from './log-load.mjs'
import { storage } from './log-sides.mjs'
import { printTable } from './table.mjs'

/** How many slices the short comparisons are cut into, which take turns. */
const turns = 3

/**
 * What the log is held to, each side in this one run: throughput and p99 with 256 callers over `seconds`, p99 with 16,
 * and the latency of one caller beside a bare INSERT that commits, on one connection.
 */
export async function acceptance({ database, ours, baseline, seconds }) {
  const { naive, bailiwick, bytes } = await withManyCallers(database, { ours, baseline, seconds })
  const few = together([await load(16, seconds / 4, ours.once)])
  const { one, bare, barePrepared } = await withOneCaller({ ours, baseline, seconds: seconds / 4 })
  printTable(
    `log: acceptance, ${seconds} s with 256 callers for each side`,
    ['', 'callers', 'decisions/s', 'p50 ms', 'p99 ms', 'p99.9 ms', 'main thread µs', 'process µs'],
    [
      rowOf('naive', 256, naive),
      rowOf('bailiwick', 256, bailiwick),
      rowOf('bailiwick', 16, few),
      rowOf('bare INSERT, one connection', 1, bare),
      rowOf('bare INSERT, one connection, prepared', 1, barePrepared),
      rowOf('bailiwick', 1, one),
    ],
  )
  printTable(
    'log: bytes for each decision, with 256 callers',
    ['', 'table, indexes and TOAST', 'write-ahead log'],
    [
      ['naive', ...bytes.naive.map(Math.round)],
      ['bailiwick, with its payload', ...bytes.ours.map(Math.round)],
    ],
  )
  printGates('log: gates of this run', [
    atLeast('256 callers, decisions/s ÷ naive', bailiwick.rate / naive.rate, 10),
    atMost('256 callers, p99 ms', bailiwick.p99, 10),
    atMost('16 callers, p99 ms', few.p99, 3),
    atMost('1 caller, p50 ÷ bare INSERT', one.p50 / bare.p50, 1.5),
  ])
  const goal = bailiwick.rate / naive.rate >= 12 && bailiwick.rate >= 100_000
  console.log(`\nThe goal, 12 times and 100,000 a second, is ${goal ? 'reached' : 'not reached'}.`)
}

// Half of the baseline's time before ours and half after, so that a drift of the machine falls on both.
async function withManyCallers(database, { ours, baseline, seconds }) {
  const sizes = [await storage(database.connection)]
  const naive = [await load(256, seconds / 2, baseline.plain)]
  sizes.push(await storage(database.connection))
  const bailiwick = [await load(256, seconds, ours.once)]
  sizes.push(await storage(database.connection))
  naive.push(await load(256, seconds / 2, baseline.plain))
  const [start, middle, end] = sizes
  const bytesEach = (side, before, after, { latencies: { count } }) => [
    (after[side] - before[side]) / count,
    (after.wal - before.wal) / count,
  ]
  return {
    naive: together(naive),
    bailiwick: together(bailiwick),
    bytes: {
      naive: bytesEach('naive', start, middle, naive[0]),
      ours: bytesEach('ours', middle, end, bailiwick[0]),
    },
  }
}

async function withOneCaller({ ours, baseline, seconds }) {
  const runs = { one: [], bare: [], barePrepared: [] }
  for (let turn = 0; turn < turns; turn++) {
    runs.bare.push(await load(1, seconds / turns, baseline.bare))
    runs.one.push(await load(1, seconds / turns, ours.once))
    runs.barePrepared.push(await load(1, seconds / turns, baseline.barePrepared))
  }
  return {
    one: together(runs.one),
    bare: together(runs.bare),
    barePrepared: together(runs.barePrepared),
  }
}

function rowOf(name, callers, { rate, p50, p99, p999, threadMicros, processMicros }) {
  return [
    name,
    callers,
    Math.round(rate).toLocaleString('en'),
    p50.toFixed(2),
    p99.toFixed(2),
    p999.toFixed(2),
    Number.isNaN(threadMicros) ? '–' : threadMicros.toFixed(1),
    processMicros.toFixed(1),
  ]
}

/** A figure that has to be large enough. */
export function atLeast(name, measured, bound) {
  return { name, measured, bound: `at least ${bound}`, held: measured >= bound }
}

function atMost(name, measured, bound) {
  return { name, measured, bound: `at most ${bound}`, held: measured <= bound }
}

/** Says which gates were held; the process exits with 1 where one was missed. */
export function printGates(title, gates) {
  printTable(
    title,
    ['', 'measured', 'gate', ''],
    gates.map(({ name, measured, bound, held }) => [
      name,
      measured.toFixed(2),
      bound,
      held ? 'held' : 'missed',
    ]),
  )
  if (!gates.every(({ held }) => held)) process.exitCode = 1
}
