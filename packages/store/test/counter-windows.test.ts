import fc from 'fast-check'
import type { Instant } from '@bailiwick/core'
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import { CounterWindows } from '../src/log/counter-windows.ts'
import { decimalFrom, decimalOf, decimalText, minus, numberOf, plus, zero } from '../src/log/decimal.ts'

const finite = fc.double({ noNaN: true, noDefaultInfinity: true })

describe('a decimal', () => {
  test('is the number that JavaScript writes, and comes back as it was', () => {
    fc.assert(
      fc.property(finite, (number) => {
        const decimal = decimalOf(number)
        // What is written back has no negative zero.
        expect(numberOf(decimal)).toBe(number + 0)
        expect(decimalFrom(decimalText(decimal))).toEqual(decimal)
      }),
    )
  })

  test('is added up exactly, in any order and grouping, and taken off again', () => {
    fc.assert(
      fc.property(fc.array(finite), (numbers) => {
        const forth = numbers.map(decimalOf).reduce(plus, zero)
        const back = numbers.toReversed().map(decimalOf).reduce(plus, zero)
        expect(numberOf(minus(forth, back))).toBe(0)
        expect(numberOf(numbers.map(decimalOf).reduce(minus, forth))).toBe(0)
      }),
    )
  })

  test.each([
    [[0.1, 0.2], 0.3],
    [Array.from({ length: 10 }, () => 0.1), 1],
    [[1e21, 1, -1e21], 1],
    [[5e-324, 1e308, -1e308], 5e-324],
    [[2 ** 53, 1], 2 ** 53],
  ])('%j make %d', (numbers, sum) => {
    expect(numberOf(numbers.map(decimalOf).reduce(plus, zero))).toBe(sum)
  })

  test.each(['', 'NaN', 'Infinity', '1e', '.5', '0x1', '1 ', '--1'])('is not what %j says', (text) => {
    expect(decimalFrom(text)).toBeUndefined()
  })

  test.each([
    ['0.0100', 0.01],
    ['-3.5', -3.5],
    ['1.2e+4', 12_000],
  ])('is what %j says', (text, number) => {
    expect(numberOf(decimalFrom(text) ?? zero)).toBe(number)
  })
})

/** What a database holds of counters, and answers as the statement does. */
class Stored {
  readonly rows: { readonly key: string; readonly at: number; readonly amount: number }[] = []
  reads = 0

  /** A client that is connected to nothing. */
  readonly client = Object.assign(new pg.Client(), {
    query: ({ values }: { values: readonly [string, Buffer[], string[], boolean[], number] }) => {
      this.reads += 1
      const [, keys, since, whole, limit] = values
      const rows = keys.map((key, n) => {
        const counted = this.counted(key.toString('hex'), Date.parse(since[n] ?? ''))
        const instants = [...new Set(counted.map(({ at }) => at))].sort((a, b) => a - b).slice(0, limit)
        const sumAt = (at: number) => sumOf(counted.filter((row) => row.at === at))
        return {
          n,
          total: whole[n] === true ? sumOf(counted) : null,
          entries: instants.map((at) => `${at} ${sumAt(at)}`),
        }
      })
      return Promise.resolve({ rows })
    },
  })

  counted(key: string, since: number) {
    return this.rows.filter((row) => row.key === key && row.at >= since)
  }
}

function sumOf(rows: readonly { readonly amount: number }[]): string {
  return decimalText(rows.map(({ amount }) => decimalOf(amount)).reduce(plus, zero))
}

describe('what is kept of counters', () => {
  const keys = ['aa', 'bb', 'cc']
  const step = fc.record({
    key: fc.constantFrom(...keys),
    kind: fc.constantFrom('add', 'add', 'add', 'take back', 'ask', 'ask', 'forget'),
    wait: fc.oneof(fc.nat(3), fc.nat(60), fc.constant(-5)),
    amount: fc.constantFrom(0.1, 0.2, 7, 1e-7),
  })

  test('is at any time what adding up everything in the window would give, however little is kept', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 120 }),
        fc.integer({ min: 1, max: 60 }),
        async (steps, window) => {
          const stored = new Stored()
          const kept = new CounterWindows({ entriesPerKey: 3, keys: 2, entries: 5 })
          let now = 1_000_000
          for (const { key, kind, wait, amount } of steps) {
            now += wait
            if (kind === 'forget') kept.clear()
            // As the sequencer does it: nothing is added for a counter that was not asked for in the same batch.
            const since = (now - window + 1) as Instant
            await kept.load(stored.client, 'main', [{ key, since }])
            expect(kept.used(key, since)).toBe(Number(sumOf(stored.counted(key, since))))
            if (kind === 'add') {
              stored.rows.push({ key, at: now, amount })
              kept.add(key, now, decimalOf(amount))
            }
            if (kind === 'take back') {
              // Of any counter, whether it is known or not.
              const [gone] = stored.rows.splice(Math.floor(stored.rows.length / 2), 1)
              if (gone) kept.subtract(gone.key, gone.at, decimalOf(gone.amount))
            }
            expect(kept.used(key, since)).toBe(Number(sumOf(stored.counted(key, since))))
          }
        },
      ),
      { numRuns: 300 },
    )
  })

  test('is read once, and for many entries seldom', async () => {
    const stored = new Stored()
    const kept = new CounterWindows()
    for (let now = 0; now < 5000; now++) {
      const since = (now - 999) as Instant
      await kept.load(stored.client, 'main', [{ key: 'aa', since }])
      expect(kept.used('aa', since)).toBe(Math.min(now, 999))
      stored.rows.push({ key: 'aa', at: now, amount: 1 })
      kept.add('aa', now, decimalOf(1))
    }
    expect(stored.reads).toBeLessThan(25)
  })
})
