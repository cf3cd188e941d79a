import { bailiwick } from './rivals/bailiwick.mjs'
import { bufbuildCel } from './rivals/bufbuild-cel.mjs'
import { casbin } from './rivals/casbin.mjs'
import { cedarPreparsed, cedarSharded } from './rivals/cedar.mjs'
import { handWritten } from './rivals/hand-written.mjs'
import { jsonLogicJs } from './rivals/json-logic.mjs'
import { manyCalls, manyRules, seed, seedMix } from './rivals/workload.mjs'
import { wholeGate } from './decide-gate.mjs'
import { measureLoad } from './decide-load.mjs'
import { measure, ratioText, timeText } from './decide-measure.mjs'
import { printTable } from './table.mjs'

const rivals = [handWritten, bufbuildCel, jsonLogicJs, casbin, cedarPreparsed, cedarSharded]
const everyone = [bailiwick, ...rivals]

/**
 * Decisions in one process, nothing recorded: this project beside what else people use, each as its documentation
 * recommends it, in one run and in turns. Nothing is timed before all have decided every call alike. Misses of the
 * gates are printed and set the exit code.
 */
export async function benchDecide({ seconds, rounds }) {
  const each = { seconds: seconds / 4, rounds }
  console.log('\nWhat each engine returns, and so what its times include:\n')
  for (const { name, includes } of everyone) console.log(`- ${name}: ${includes}.`)
  const mix = await seedTable(each)
  const many = await manyTable(each)
  const gate = wholeGateTable()
  await loadTable()
  report(mix, many, gate)
}

async function seedTable(settings) {
  const calls = seedMix()
  const engines = await ready(everyone, (engine) => engine.seed(seed), calls)
  const kinds = [...new Set(calls.map(({ name }) => name))]
  const byKind = kinds.map((kind) =>
    timesOf(
      engines,
      calls.filter(({ name }) => name === kind),
      settings,
    ),
  )
  const mix = timesOf(engines, calls, { ...settings, seconds: settings.seconds * 2 })
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
  const [small, large] = [
    { actions: 1, perAction: 10 },
    { actions: 100, perAction: 10 },
  ]
  const times = []
  for (const { actions, perAction } of [small, large]) {
    const workload = manyRules(actions, perAction)
    const calls = manyCalls(actions)
    // A rival that looks at all thousand rules takes milliseconds for a call: fewer calls make a batch.
    const engines = await ready(everyone, (engine) => engine.rules(workload), calls)
    times.push(timesOf(engines, calls.slice(0, 64), settings))
  }
  const [ten, thousand] = times
  const p50 = (table, { name }) => table.get(name).p50
  const cedar = p50(thousand, cedarSharded)
  printTable(
    'decide: 10 rules on 1 action beside 1,000 rules on 100 actions; each call concerns 10 of them',
    ['', '10 rules p50', '1,000 rules p50', '1,000 rules p99', '1,000 ÷ 10', 'Cedar sharded ÷ this'],
    everyone.map((engine) => [
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

function wholeGateTable() {
  const gate = wholeGate()
  const cell = gate.kind === 'missing' ? `not measured yet: ${gate.why}` : timeText(gate.p50)
  printTable(
    'decide: the whole gate: schema, facts and budgets in memory',
    ['', 'p50'],
    [[bailiwick.name, cell]],
  )
  return gate
}

async function loadTable() {
  const rows = await measureLoad(rivals.filter(({ name }) => name !== handWritten.name))
  const kib = (bytes) => `${(bytes / 1024).toFixed(1)} KiB`
  printTable(
    'decide: loading 1,000 policies like the seed, for each',
    ['', 'time p50', 'memory on the heap', 'memory outside of it'],
    rows.map(({ name, p50, heap, outside }) => [name, timeText(p50), kib(heap), kib(outside)]),
  )
}

/** Engines that are ready to decide. @throws where one of them decides a call otherwise than it must be decided */
async function ready(engines, load, calls) {
  const loaded = []
  for (const engine of engines) {
    const decide = await load(engine)
    for (const { call, effect } of calls) {
      const decided = decide(call).effect
      if (decided === effect) continue
      throw new Error(`${engine.name}: ${JSON.stringify(call)} is ${decided}, and must be ${effect}`)
    }
    loaded.push({ name: engine.name, decide })
  }
  return loaded
}

function timesOf(engines, calls, settings) {
  const plain = calls.map(({ call }) => call)
  return measure(
    engines.map(({ name, decide }) => ({ name, decide, calls: plain })),
    settings,
  )
}

function report(mix, many, gate) {
  const gates = [
    ['seed mix, p50 ÷ hand-written', mix.own / mix.hand, 'at most', 10],
    ['seed mix, Cedar preparsed ÷ ours', mix.cedar / mix.own, 'at least', 200],
    ['1,000 rules ÷ 10 rules', many.thousand / many.ten, 'at most', 2],
    ['1,000 rules, Cedar sharded ÷ ours', many.cedar / many.thousand, 'at least', 100],
  ].map(([name, value, side, bound]) => {
    const held = side === 'at most' ? value <= bound : value >= bound
    return { held, row: [name, ratioText(value), `${side} ${bound}`, held ? 'held' : '**missed**'] }
  })
  const whole =
    gate.kind === 'missing'
      ? { held: true, row: ['whole gate, p50', 'not measured yet', 'at most 5 µs', '–'] }
      : {
          held: gate.p50 <= 5_000,
          row: [
            'whole gate, p50',
            timeText(gate.p50),
            'at most 5 µs',
            gate.p50 <= 5_000 ? 'held' : '**missed**',
          ],
        }
  printTable(
    'decide: gates of this run',
    ['', 'measured', 'gate', ''],
    [...gates, whole].map(({ row }) => row),
  )
  if ([...gates, whole].some(({ held }) => !held)) process.exitCode = 1
}
