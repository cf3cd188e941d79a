import { bailiwick } from './rivals/bailiwick.mjs'
import { cedarPreparsed, cedarSharded } from './rivals/cedar.mjs'
import { engines } from './rivals/engines.mjs'
import { handWritten } from './rivals/hand-written.mjs'
import { manyCalls, manyRules, seed, seedMix } from './rivals/workload.mjs'
import { wholeGate } from './decide-gate.mjs'
import { measureLoad } from './decide-load.mjs'
import { measure, ratioText, timeText } from './decide-measure.mjs'
import { printTable } from './table.mjs'

const wholeGateNsMax = 5_000
const missed = '**missed**'

/**
 * Decisions in one process, nothing recorded: this project beside what else people use, each as its documentation
 * recommends it, in one run and in turns. Nothing is timed before all have decided every call alike. Misses of the
 * gates are printed and set the exit code.
 */
export async function benchDecide({ seconds, rounds }) {
  const each = { seconds: seconds / 4, rounds }
  console.log('\nWhat each engine returns, and so what its times include:\n')
  for (const { name, includes } of engines) console.log(`- ${name}: ${includes}.`)
  const mix = await seedTable(each)
  const many = await manyTable(each)
  const gate = wholeGateTable(each)
  loadTable()
  report(mix, many, gate)
}

async function seedTable(settings) {
  const calls = seedMix()
  const loaded = await loadAll((engine) => engine.seed(seed), calls)
  const kinds = [...new Set(calls.map(({ name }) => name))]
  const byKind = kinds.map((kind) => {
    const ofKind = calls.filter(({ name }) => name === kind)
    return timesOf(loaded, ofKind, settings)
  })
  const mix = timesOf(loaded, calls, { ...settings, seconds: settings.seconds * 2, unit: kinds.length })
  const [own, hand, cedar] = [bailiwick, handWritten, cedarPreparsed].map(({ name }) => mix.get(name).p50)
  printTable(
    'decide: the seed policy, p50 for each call with its explanation; nothing recorded',
    ['', ...kinds, 'mix p50', 'mix p99', '÷ hand-written', 'Cedar preparsed ÷ this', 'samples'],
    engines.map(({ name }) => {
      const { p50, p99, samples } = mix.get(name)
      const cells = byKind.map((times) => timeText(times.get(name).p50))
      const ratios = [ratioText(p50 / hand), ratioText(cedar / p50)]
      return [name, ...cells, timeText(p50), timeText(p99), ...ratios, samples.toLocaleString('en')]
    }),
  )
  return { own, hand, cedar }
}

async function manyTable(settings) {
  const times = []
  for (const actions of [1, 100]) {
    const workload = manyRules(actions, 10)
    const calls = manyCalls(actions)
    const loaded = await loadAll((engine) => engine.rules(workload), calls)
    // One call in eight is denied.
    times.push(timesOf(loaded, calls, { ...settings, unit: 8 }))
  }
  const [ten, thousand] = times
  const p50 = (table, { name }) => table.get(name).p50
  const cedar = p50(thousand, cedarSharded)
  printTable(
    'decide: 10 rules on 1 action beside 1,000 rules on 100 actions; each call concerns 10 of them',
    ['', '10 rules p50', '1,000 rules p50', '1,000 rules p99', '1,000 ÷ 10', 'Cedar sharded ÷ this'],
    engines.map((engine) => [
      engine.name,
      timeText(p50(ten, engine)),
      timeText(p50(thousand, engine)),
      timeText(thousand.get(engine.name).p99),
      ratioText(p50(thousand, engine) / p50(ten, engine)),
      ratioText(cedar / p50(thousand, engine)),
    ]),
  )
  return { ten: p50(ten, bailiwick), thousand: p50(thousand, bailiwick), cedar }
}

function wholeGateTable(settings) {
  const { decide, calls } = wholeGate()
  const { name } = bailiwick
  expectEffects(name, decide, calls)
  const { p50, p99 } = timesOf([{ name, decide }], calls, { ...settings, unit: 4 }).get(name)
  printTable(
    'decide: the whole gate: schema of the params, facts, three rules, a budget and a rate in memory; one call in four escalates',
    ['', 'p50', 'p99'],
    [[name, timeText(p50), timeText(p99)]],
  )
  return { p50 }
}

function loadTable() {
  const kib = (bytes) => `${(bytes / 1024).toFixed(1)} KiB`
  printTable(
    'decide: loading 1,000 policies like the seed, each engine in a process of its own; for one policy',
    ['', 'time p50', 'memory on the heap', 'memory outside of it'],
    measureLoad().map(({ name, ns, heapBytes, outsideBytes }) => [
      name,
      timeText(ns),
      kib(heapBytes),
      kib(outsideBytes),
    ]),
  )
}

/** Every engine with the policy, ready to decide. @throws where one decides a call otherwise than it must be decided */
async function loadAll(load, calls) {
  const loaded = []
  for (const engine of engines) {
    // Some are ready at once, and one has to be waited for.
    const decide = await Promise.resolve(load(engine))
    expectEffects(engine.name, decide, calls)
    loaded.push({ name: engine.name, decide })
  }
  return loaded
}

function expectEffects(name, decide, calls) {
  for (const { call, effect } of calls) {
    const decided = decide(call).effect
    if (decided === effect) continue
    throw new Error(`${name}: ${JSON.stringify(call)} is ${decided}, and must be ${effect}`)
  }
}

function timesOf(loaded, calls, settings) {
  const plain = calls.map(({ call }) => call)
  return measure(
    loaded.map(({ name, decide }) => ({ name, decide, calls: plain })),
    settings,
  )
}

function report(mix, many, { p50 }) {
  const ratios = [
    ['seed mix, p50 ÷ hand-written', mix.own / mix.hand, 'at most', 10],
    ['seed mix, Cedar preparsed ÷ ours', mix.cedar / mix.own, 'at least', 200],
    ['1,000 rules ÷ 10 rules', many.thousand / many.ten, 'at most', 2],
    ['1,000 rules, Cedar sharded ÷ ours', many.cedar / many.thousand, 'at least', 100],
  ]
  const gates = ratios.map(([name, value, side, bound]) => {
    const held = side === 'at most' ? value <= bound : value >= bound
    return { name, measured: ratioText(value), bound: `${side} ${bound}`, held: verdict(held) }
  })
  gates.push({
    name: 'whole gate, p50',
    measured: timeText(p50),
    bound: `at most ${timeText(wholeGateNsMax)}`,
    held: verdict(p50 <= wholeGateNsMax),
  })
  printTable(
    'decide: gates of this run',
    ['', 'measured', 'gate', ''],
    gates.map(({ name, measured, bound, held }) => [name, measured, bound, held]),
  )
  if (gates.some(({ held }) => held === missed)) process.exitCode = 1
}

function verdict(held) {
  return held ? 'held' : missed
}
