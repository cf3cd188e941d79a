import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ProgressBar, progressText } from '../../src/cli/progress-bar.ts'

test('a line has the share, the records, the rate and what is left', () => {
  expect(progressText(0, 1_000_000, 0)).toBe('░░░░░░░░░░░░░░░░░░░░░░░░   0 %  0 of 1,000,000 records')
  expect(progressText(250_000, 1_000_000, 5)).toBe(
    '██████░░░░░░░░░░░░░░░░░░  25 %  250,000 of 1,000,000 records, 50,000/s, 15 s left',
  )
  expect(progressText(100, 1_000_000, 1)).toContain('100/s, 2 h 46 min left')
  expect(progressText(1000, 91_000, 1)).toContain('1,000/s, 1 min 30 s left')
  expect(progressText(0, 0, 1)).toContain('100 %  0 of 0 records')
})

test('no line is longer than a terminal is wide, or says more than all, whatever comes', () => {
  fc.assert(
    fc.property(
      fc.nat(1e9),
      fc.nat(1e9),
      fc.double({ min: 0, max: 1e6, noNaN: true }),
      (done, size, seconds) => {
        const text = progressText(done, size, seconds)
        expect(text.length).toBeLessThan(120)
        expect(Number(/(\d+) %/.exec(text)?.[1])).toBeLessThanOrEqual(100)
        expect(text).not.toMatch(/NaN|Infinity|-\d/)
      },
    ),
  )
})

test('it is drawn ten times a second at the most, and leaves an empty line', () => {
  let now = 0
  const lines: string[] = []
  const bar = new ProgressBar(
    (line) => lines.push(line),
    () => now,
  )
  for (now = 0; now < 1000; now += 10) bar.show(now, 1000)
  expect(lines).toHaveLength(10)
  bar.end()
  expect(lines.at(-1)).toBe('')
})
