import { setImmediate } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import * as core from '../../src/index.ts'
import { policyOf } from '../policy/written.ts'
import { compareEngines, ownLanguage, sharedLanguage, type Extent } from './differential.ts'
import { generateCall, writeCall, writeFacts } from './generate-call.ts'
import { generatePolicy } from './generate-policy.ts'
import { Random } from './random.ts'
import { writeYaml } from './write-yaml.ts'

// Cedar takes most of it, about 0.15 ms for each call on an idle machine.
const timeoutMs = 300_000

// A worker that hears nothing for a minute is taken for dead: the comparison is in parts, with a pause after each.
afterEach(() => setImmediate())

describe('random calls under random policies', () => {
  test.each(quartersOf(sharedLanguage))(
    'are decided as Cedar decides them, and as a second reading of the manual does, from seed $seed on',
    { timeout: timeoutMs },
    (quarter) => {
      const result = compareEngines(core, quarter)
      expect(result).toMatchObject({ calls: 25_000 })
      expect(effectsSeldomerThan(0.1, result)).toEqual([])
    },
  )

  test(
    'are decided as a second reading of the manual does, in what Cedar cannot say',
    { timeout: timeoutMs },
    () => {
      const result = compareEngines(core, ownLanguage)
      expect(result).toMatchObject({ calls: 100_000 })
      expect(effectsSeldomerThan(0.1, result)).toEqual([])
    },
  )

  test('are decided by a policy that has decided others as by one that was just read', () => {
    for (let seed = 50_001; seed <= 50_015; seed++) {
      const random = new Random(seed)
      const model = generatePolicy(random, 'own')
      const read = (): core.CompiledPolicy => policyOf(writeYaml(model))
      const used = read()
      const calls = Array.from({ length: 60 }, () => generateCall(random, model, 'any'))
      const decided = calls.map((call) => core.decide(used, writeCall(model, call), writeFacts(call)))
      for (const [at, call] of [...calls.entries()].slice(50)) {
        const fresh = core.decide(read(), writeCall(model, call), writeFacts(call))
        // To the last word: what is remembered between calls must not show.
        expect(core.decide(used, writeCall(model, call), writeFacts(call))).toEqual(fresh)
        expect(decided[at]).toEqual(fresh)
      }
    }
  })

  test('are the same on every run', () => {
    const few = { ...ownLanguage, policies: 3, callsEach: 50 }
    expect(compareEngines(core, few)).toEqual(compareEngines(core, few))
    expect(compareEngines(core, few)).not.toEqual(compareEngines(core, { ...few, seed: 77 }))
  })
})

function quartersOf(extent: Extent): Extent[] {
  const policies = extent.policies / 4
  return [0, 1, 2, 3].map((at) => ({ ...extent, policies, seed: extent.seed + at * policies }))
}

// A run in which everything is denied would agree too, and say nothing.
function effectsSeldomerThan(share: number, result: ReturnType<typeof compareEngines>): string[] {
  if (!('effects' in result)) return ['the engines disagree']
  const { effects, conditionErrors, codes } = result
  const seen = { ...effects, conditionErrors, denied_by_rule: codes['denied_by_rule'] ?? 0 }
  const rare = Object.entries(seen).filter(([, calls]) => calls < share * result.calls)
  const never = ['forbidden', 'not_allowed', 'denied_by_rule', 'approval_refused'].filter(
    (code) => !codes[code],
  )
  return [...rare.map(([name, calls]) => `${name}: ${calls}`), ...never]
}
