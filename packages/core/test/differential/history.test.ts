import { describe, expect, test } from 'vitest'
import * as core from '../../src/index.ts'
import { compareHistories } from './history.ts'

const timeoutMs = 120_000

describe('random histories under random budgets, rates and flows', () => {
  test('are decided as a second reading of the manual decides them', { timeout: timeoutMs }, () => {
    const result = compareHistories(core, { seed: 30_001, histories: 150, callsEach: 80 })
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
