import { describe, expect, test } from 'vitest'
import { compareEngines, ownLanguage } from './differential.ts'
import { guardMutants } from './guard-mutants.ts'
import { compareGuarded } from './guards.ts'
import { compareHistories } from './history.ts'
import { historyMutants } from './history-mutants.ts'
import { mutants } from './mutants.ts'
import { withMutant } from './mutated-engine.ts'

// The first calls of the comparison itself: what these find, it finds.
const extent = { ...ownLanguage, policies: 60, callsEach: 100 }

describe('the differential test', () => {
  test('agrees with a copy of the engine in which nothing was changed', async () => {
    // Nearly everything reads patterns, so nearly everything is copied.
    const same = 'export function namePattern'
    const changes = [{ file: 'core/src/policy/pattern.ts', find: same, replace: same }]
    const result = await withMutant({ id: 'unchanged', changes }, (copy) => compareEngines(copy, extent))
    expect(result).toMatchObject({ calls: 6_000 })
  })

  test.each(mutants)('notices the mistake $id: $breaks', async (mutant) => {
    const result = await withMutant(mutant, (mutated) => compareEngines(mutated, extent))
    // A decision that differs; an engine that throws or refuses the policy would be noticed by anything.
    expect(result).toMatchObject({
      ours: { effect: expect.any(String) },
      naive: { effect: expect.any(String) },
    })
  })

  test.each(historyMutants)('notices in histories the mistake $id: $breaks', async (mutant) => {
    const result = await withMutant(mutant, (mutated) =>
      compareHistories(mutated, { seed: 30_001, histories: 100, callsEach: 80 }),
    )
    expect(result).toMatchObject({
      ours: { effect: expect.any(String) },
      naive: { effect: expect.any(String) },
    })
  })

  test.each(guardMutants)('notices under guards the mistake $id: $breaks', async (mutant) => {
    const result = await withMutant(mutant, (mutated) =>
      compareGuarded(mutated, { seed: 60_001, policies: 200, callsEach: 50 }),
    )
    expect(result).toMatchObject({
      ours: { effect: expect.any(String) },
      naive: { effect: expect.any(String) },
    })
  })

  test('says which mutant has lost its place when the code it changes was rewritten', async () => {
    const file = 'core/src/decision/decide.ts'
    const lost = withMutant({ id: 'lost', changes: [{ file, find: 'no such text', replace: '' }] }, () => 0)
    await expect(lost).rejects.toThrow(
      'mutant `lost`: `no such text` occurs 0 times in packages/core/src/decision/decide.ts, and has to occur once. The code was rewritten',
    )
    const gone = withMutant(
      { id: 'gone', changes: [{ file: 'core/src/gone.ts', find: '', replace: '' }] },
      () => 0,
    )
    await expect(gone).rejects.toThrow('mutant `gone`: there is no packages/core/src/gone.ts any longer')
    const vague = withMutant({ id: 'vague', changes: [{ file, find: 'return', replace: '' }] }, () => 0)
    await expect(vague).rejects.toThrow(/occurs \d\d times/)
  })

  test('knows each mistake by one name', () => {
    const ids = [...mutants, ...historyMutants, ...guardMutants].map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
  })
})
