import { readFileSync } from 'node:fs'

/**
 * Latencies in buckets of a microsecond. A list of millions of numbers would grow by copying itself now and then, and
 * its pauses would be told as ours.
 */
class Latencies {
  static #mostMs = 2_000
  #counts = new Uint32Array(Latencies.#mostMs * 1_000 + 1)
  count = 0

  add(ms) {
    this.#counts[Math.min(this.#counts.length - 1, Math.floor(ms * 1_000))] += 1
    this.count += 1
  }

  /** Takes in what others have measured. */
  include(other) {
    for (let at = 0; at < this.#counts.length; at++) this.#counts[at] += other.#counts[at]
    this.count += other.count
  }

  /** In milliseconds. */
  quantile(share) {
    let left = Math.floor(this.count * share)
    for (let at = 0; at < this.#counts.length; at++) {
      left -= this.#counts[at]
      if (left < 0) return at / 1_000
    }
    return Latencies.#mostMs
  }
}

/**
 * `callers` callers in a closed loop for `seconds`: each waits for its own answer, then asks for the next. Every answer
 * counts once it has come. Processor time is that of this process, and of its main thread where Linux tells it.
 */
export async function load(callers, seconds, once) {
  const latencies = new Latencies()
  const processBefore = process.cpuUsage()
  const threadBefore = mainThreadMicros()
  const start = performance.now()
  const end = start + seconds * 1000
  let number = Math.floor(Math.random() * 1e9)
  const caller = async () => {
    for (let asked = performance.now(); asked < end; asked = performance.now()) {
      await once(number++)
      latencies.add(performance.now() - asked)
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
  const took = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(processBefore)
  return {
    latencies,
    seconds: took,
    processMicros: user + system,
    threadMicros: threadBefore === undefined ? undefined : mainThreadMicros() - threadBefore,
  }
}

/** Runs of the same kind, taken together. */
export function together(runs) {
  const latencies = new Latencies()
  for (const run of runs) latencies.include(run.latencies)
  const sum = (of) => runs.reduce((total, run) => total + of(run), 0)
  const count = latencies.count
  return {
    count,
    rate: count / sum(({ seconds }) => seconds),
    p50: latencies.quantile(0.5),
    p99: latencies.quantile(0.99),
    p999: latencies.quantile(0.999),
    processMicros: sum(({ processMicros }) => processMicros) / count,
    threadMicros: sum(({ threadMicros }) => threadMicros ?? Number.NaN) / count,
  }
}

// Time on a processor, in nanoseconds, before time in the queue for one.
function mainThreadMicros() {
  try {
    const stat = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8')
    return Number(stat.split(' ')[0]) / 1_000
  } catch {
    return undefined
  }
}
