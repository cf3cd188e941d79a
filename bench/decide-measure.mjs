import { quantile } from './table.mjs'

/** How long each engine runs before it is timed: compilers, also that of WebAssembly, must be done. */
const warmSeconds = 0.4
/** The shortest batch: the clock takes some tens of nanoseconds itself, which must not count. */
const batchNsMin = 20_000
let sink = 0

/**
 * Nanoseconds for each call, from many batches. A batch goes through all the calls as often as it takes to last 20 µs,
 * and gives one sample: its time divided by its calls. So p50 is a typical call in a busy process, and p99 is the slow
 * hundredth of batches, with garbage collection in it; a single call cannot be timed against a clock that takes longer.
 *
 * The engines take turns in short slices, so that a slow second of the machine falls on all of them.
 *
 * @param engines what to time: `{ name, decide, calls }`
 * @param seconds for each engine, over all rounds
 */
export function measure(engines, { seconds, rounds }) {
  const timed = engines.map(({ name, decide, calls }) => {
    const batch = batchOf(decide, calls)
    return { name, batch, samples: [] }
  })
  const slices = rounds * 4
  for (let slice = 0; slice < slices; slice++) {
    for (const { batch, samples } of timed) sampleFor(seconds / slices, batch, samples)
  }
  if (sink < 0) throw new Error('unreachable')
  return new Map(
    timed.map(({ name, samples }) => [
      name,
      { p50: quantile(samples, 0.5), p99: quantile(samples, 0.99), samples: samples.length },
    ]),
  )
}

// Warm first, and long enough for the compiler; then see how often a batch has to go round.
function batchOf(decide, calls) {
  const once = () => {
    for (let at = 0; at < calls.length; at++) sink += decide(calls[at]).reasons.length
  }
  const end = process.hrtime.bigint() + BigInt(warmSeconds * 1e9)
  let turns = 0
  const start = process.hrtime.bigint()
  do {
    once()
    turns++
  } while (process.hrtime.bigint() < end)
  const each = Number(process.hrtime.bigint() - start) / turns
  return { once, turns: Math.max(1, Math.ceil(batchNsMin / each)), calls: calls.length }
}

function sampleFor(seconds, { once, turns, calls }, samples) {
  const end = process.hrtime.bigint() + BigInt(Math.round(seconds * 1e9))
  let start = process.hrtime.bigint()
  while (start < end) {
    for (let turn = 0; turn < turns; turn++) once()
    const now = process.hrtime.bigint()
    samples.push(Number(now - start) / (turns * calls))
    start = process.hrtime.bigint()
  }
}

/** Nanoseconds as a reader takes them in: `95 ns`, `1.6 µs`, `2.2 ms`. */
export function timeText(ns) {
  if (ns < 100) return `${ns.toFixed(1)} ns`
  if (ns < 1_000) return `${ns.toFixed(0)} ns`
  return ns < 1_000_000 ? `${(ns / 1_000).toPrecision(3)} µs` : `${(ns / 1_000_000).toPrecision(3)} ms`
}

/** A ratio with as many figures as it deserves. */
export function ratioText(ratio) {
  return ratio < 100 ? ratio.toPrecision(2) : Math.round(ratio).toLocaleString('en')
}
