import { describe, expect, test } from 'vitest'
import * as core from '../../src/index.ts'
import type { Engine } from './differential.ts'
import { compareHistories, knowsHistory } from './history.ts'
import type { WithHistory } from './our-history.ts'

const engine: Engine & WithHistory = core
const timeoutMs = 120_000

describe('random histories under random budgets, rates and flows', () => {
  test('are decided as a second reading of the manual decides them', { timeout: timeoutMs }, () => {
    if (!knowsHistory(engine)) {
      // A version that does not enforce them must not take a policy that promises them.
      const promising = 'agent_id: a\nallowed_actions: [pay]\nbudgets: []\nrates: []\nflows: []\n'
      expect(engine.parsePolicy(promising)).toMatchObject({ kind: 'invalid' })
      return
    }
    const result = compareHistories(engine, { seed: 30_001, histories: 150, callsEach: 80 })
    expect(result).toHaveProperty('seen')
    const seen = 'seen' in result ? result.seen : {}
    const rare = [...combined(), 'allow', 'deny', 'escalate'].filter((kind) => (seen[kind] ?? 0) < 30)
    expect(rare).toEqual([])
  })
})

/** What has to have happened, so that the run was not about nothing. */
function combined(): string[] {
  const because = ['matched', 'condition_error']
  const effects = ['deny', 'escalate']
  return ['budget', 'rate', 'flow'].flatMap((kind) =>
    effects.flatMap((effect) => because.map((cause) => `${kind} ${effect} ${cause}`)),
  )
}
