import { describe, expect, test } from 'vitest'
import * as core from '../../src/index.ts'
import { generateHistory, generateHistoryPolicy } from './generate-history.ts'
import { NaiveHistory } from './naive-history.ts'
import { OurHistory, writeHistoryYaml, type WithHistory } from './our-history.ts'
import { Random } from './random.ts'
import { verdictOf } from './verdict.ts'

const histories = 150
const callsEach = 80
const timeoutMs = 120_000

describe('random histories under random budgets, rates and flows', () => {
  test('are decided as a second reading of the manual decides them', { timeout: timeoutMs }, () => {
    const { needsOf, windowStart } = core as WithHistory
    if (needsOf === undefined || windowStart === undefined) return expectRefusal()
    const seen: Record<string, number> = {}
    for (let seed = 30_001; seed <= 30_000 + histories; seed++) {
      const random = new Random(seed)
      const model = generateHistoryPolicy(random)
      const text = writeHistoryYaml(model)
      const parsed = core.parsePolicy(text)
      if (parsed.kind === 'invalid') return expect({ text, problems: parsed.problems }).toBe('a valid policy')
      const [ours, naive] = [
        new OurHistory({ ...core, needsOf, windowStart }, parsed.policy, model),
        new NaiveHistory(model),
      ]
      for (const call of generateHistory(random, model, callsEach)) {
        const [our, their] = [verdictOf(ours.decide(call)), naive.decide(call)]
        // Compared as text first: the long comparison is for the one that differs.
        if (JSON.stringify(our) !== JSON.stringify(their))
          expect({ seed, text, call, ...our }).toEqual({ seed, text, call, ...their })
        for (const rule of their.rules) count(seen, rule.replace(/^(\w+)[^ ]* /, '$1 '))
        count(seen, their.effect)
      }
    }
    for (const kind of [
      'budget deny matched',
      'budget escalate matched',
      'budget deny condition_error',
      'rate deny matched',
      'rate escalate matched',
      'flow deny matched',
      'flow escalate matched',
      'flow deny condition_error',
      'allow',
      'deny',
      'escalate',
    ]) {
      expect({ kind, often: (seen[kind] ?? 0) > 30 }).toEqual({ kind, often: true })
    }
  })
})

// A version that does not enforce them must not take a policy that promises them.
function expectRefusal(): void {
  const parsed = core.parsePolicy('agent_id: a\nallowed_actions: [pay]\nbudgets: []\nrates: []\nflows: []\n')
  expect(parsed).toMatchObject({ kind: 'invalid' })
}

function count(seen: Record<string, number>, key: string): void {
  seen[key] = (seen[key] ?? 0) + 1
}
