import { quantile } from './table.mjs'

/** How long each engine runs before it is timed: compilers, also that of WebAssembly, must be done. */
const warmSeconds = 0.4
/** The shortest batch: the clock takes some tens of nanoseconds itself, which must not count. */
const batchNsMin = 20_000
let sink = 0

/**
 * Nanoseconds for each call, from many batches. A batch lasts 20 µs, or one `unit` of calls where that takes longer,
 * and gives one sample: its time divided by its calls. So p50 is a typical call in a busy process, and p99 is the slow
 * hundredth of batches, with garbage collection in it; a single call cannot be timed against a clock that takes longer.
 * Batches of slow engines are no longer than they must be: the longer one is, the likelier something else runs in it.
 *
 * The engines take turns in short slices, so that a slow second of the machine falls on all of them.
 *
 * @param engines what to time: `{ name, decide, calls }`
 * @param unit how many calls in a row stand for all of them: the kinds of a mix
 * @param seconds for each engine, over all rounds
 */
export function measure(engines, { seconds, rounds, unit = 1 }) {
  const timed = engines.map(({ name, decide, calls }) => {
    const turn = turnOf(decide, calls)
    const units = Math.max(1, Math.ceil(batchNsMin / (warm(turn, calls.length) * unit)))
    return { name, turn, size: units * unit, samples: [] }
  })
  const slices = rounds * 4
  for (let slice = 0; slice < slices; slice++) {
    for (const { turn, size, samples } of timed) sampleFor(seconds / slices, turn, size, samples)
  }
  if (sink < 0) throw new Error('unreachable')
  return new Map(
    timed.map(({ name, samples }) => [
      name,
      { p50: quantile(samples, 0.5), p99: quantile(samples, 0.99), samples: samples.length },
    ]),
  )
}

/** Decides the next `size` calls, and begins anew after the last. */
function turnOf(decide, calls) {
  let at = 0
  return (size) => {
    for (let done = 0; done < size; done++) {
      sink += decide(calls[at]).reasons.length
      at = at + 1 === calls.length ? 0 : at + 1
    }
  }
}

/** Runs until compilers are done. @returns the nanoseconds of a call in the fastest turn */
function warm(turn, size) {
  const end = process.hrtime.bigint() + BigInt(warmSeconds * 1e9)
  let start = process.hrtime.bigint()
  let fastest = Infinity
  while (start < end) {
    turn(size)
    fastest = Math.min(fastest, Number(process.hrtime.bigint() - start))
    start = process.hrtime.bigint()
  }
  return fastest / size
}

function sampleFor(seconds, turn, size, samples) {
  const end = process.hrtime.bigint() + BigInt(Math.round(seconds * 1e9))
  let start = process.hrtime.bigint()
  while (start < end) {
    turn(size)
    const now = process.hrtime.bigint()
    samples.push(Number(now - start) / size)
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
