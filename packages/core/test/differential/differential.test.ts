import { describe, expect, test } from 'vitest'
import * as core from '../../src/index.ts'
import { compareEngines, ownLanguage, sharedLanguage } from './differential.ts'

// Cedar takes most of it, about 0.15 ms for each call on an idle machine.
const timeoutMs = 300_000

describe('random calls under random policies', () => {
  test(
    'are decided as Cedar decides them, and as a second reading of the manual does',
    { timeout: timeoutMs },
    () => {
      const result = compareEngines(core, sharedLanguage)
      expect(result).toMatchObject({ calls: 100_000 })
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

  test('are the same on every run', () => {
    const few = { ...ownLanguage, policies: 3, callsEach: 50 }
    expect(compareEngines(core, few)).toEqual(compareEngines(core, few))
    expect(compareEngines(core, few)).not.toEqual(compareEngines(core, { ...few, seed: 77 }))
  })
})

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
