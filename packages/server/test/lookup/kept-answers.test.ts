import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { KeptAnswers } from '../../src/lookup/kept-answers.ts'

const at = (askedAt: number, bytes = 1) => ({ askedAt, bytes })

describe('kept answers', () => {
  test('are used again until they are as old as the reader allows, and not then', () => {
    const kept = new KeptAnswers<string>(10, 1000)
    kept.keep('a', 'gold', at(1000))
    expect(kept.find('a', 1000, 60)).toMatchObject({ value: 'gold' })
    expect(kept.find('a', 1059, 60)).toMatchObject({ value: 'gold' })
    expect(kept.find('a', 1060, 60)).toBeUndefined()
    expect(kept.find('a', 1060, 61)).toMatchObject({ value: 'gold' })
    expect(kept.find('a', 1000, 0)).toBeUndefined()
  })

  test('are not used where the clock was set back behind them', () => {
    const kept = new KeptAnswers<string>(10, 1000)
    kept.keep('a', 'gold', at(1000))
    expect(kept.find('a', 999, 60)).toBeUndefined()
  })

  test('give way to younger ones, and not to older ones that came late', () => {
    const kept = new KeptAnswers<string>(10, 1000)
    kept.keep('a', 'silver', at(10))
    kept.keep('a', 'gold', at(20))
    kept.keep('a', 'bronze', at(15))
    expect(kept.find('a', 20, 60)).toMatchObject({ value: 'gold' })
  })

  test('are dropped when there are too many, the one that was not used for longest first', () => {
    const kept = new KeptAnswers<number>(2, 1000)
    kept.keep('a', 1, at(0))
    kept.keep('b', 2, at(0))
    kept.find('a', 0, 1)
    kept.keep('c', 3, at(0))
    expect(['a', 'b', 'c'].map((key) => kept.find(key, 0, 1)?.value)).toEqual([1, undefined, 3])
  })

  test('that are larger than all may be together are not kept, and drop nothing', () => {
    const kept = new KeptAnswers<number>(10, 100)
    kept.keep('a', 1, at(0, 50))
    kept.keep('b', 2, at(0, 100))
    expect(['a', 'b'].map((key) => kept.find(key, 0, 1)?.value)).toEqual([1, undefined])
  })

  test('never hold more entries or bytes than allowed, and only what was kept last under a key', () => {
    const steps = fc.array(fc.record({ key: fc.nat(9), bytes: fc.nat(60) }), { maxLength: 60 })
    fc.assert(
      fc.property(steps, (kept) => {
        const answers = new KeptAnswers<number>(5, 100)
        const last = new Map<string, { value: number; size: number }>()
        for (const [value, { key, bytes }] of kept.entries()) {
          answers.keep(String(key), value, at(0, bytes))
          last.set(String(key), { value, size: bytes + 1 })
          const found = [...last].filter(([name]) => answers.find(name, 0, 1) !== undefined)
          expect(found.length).toBeLessThanOrEqual(5)
          expect(found.reduce((sum, [, { size }]) => sum + size, 0)).toBeLessThanOrEqual(100)
          for (const [name, { value: expected }] of found)
            expect(answers.find(name, 0, 1)?.value).toBe(expected)
          expect(answers.find(String(key), 0, 1)?.value).toBe(value)
        }
      }),
    )
  })
})
