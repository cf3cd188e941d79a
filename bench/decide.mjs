import { decide, parsePolicy } from '@bailiwick/core'
import { policyText, seedCalls } from './policy.mjs'
import { median, printTable } from './table.mjs'

const batch = 1_000

/** Decisions a second in this process: policy evaluation alone, with its explanation, nothing recorded. */
export async function benchDecide({ seconds, rounds }) {
  const parsed = parsePolicy(policyText)
  if (parsed.kind !== 'valid') throw new Error('the benchmark policy is invalid')
  const calls = seedCalls()
  const rows = calls.map(({ name, call, effect }) => {
    const decision = decide(parsed.policy, call, facts())
    if (decision.effect !== effect) throw new Error(`${name}: ${decision.effect}, expected ${effect}`)
    return [name, measure(rounds, seconds, () => decide(parsed.policy, call, facts()))]
  })
  let at = 0
  const mix = measure(rounds, seconds, () => decide(parsed.policy, calls[at++ % calls.length].call, facts()))
  printTable(
    'decide: in one process, with explanation, not recorded',
    ['call', 'decisions/s', 'ns each'],
    [
      ...rows.map(([name, rate]) => [name, rate.toLocaleString('en'), Math.round(1e9 / rate)]),
      ['mix of all', mix.toLocaleString('en'), Math.round(1e9 / mix)],
    ],
  )
}

function facts() {
  return { now: 1_750_000_000_000 }
}

// The rate of each round over its time; the median of the rounds.
function measure(rounds, seconds, once) {
  for (let warm = 0; warm < 20_000; warm++) once()
  const rates = Array.from({ length: rounds }, () => {
    const start = process.hrtime.bigint()
    const end = start + BigInt(Math.round((seconds / 5) * 1e9))
    let done = 0
    while (process.hrtime.bigint() < end) {
      for (let i = 0; i < batch; i++) once()
      done += batch
    }
    return done / (Number(process.hrtime.bigint() - start) / 1e9)
  })
  return Math.round(median(rates))
}
