import { expect, test } from 'vitest'
import { durationText, humanName, timeWords, visibleText } from '../../src/words.ts'

test('characters that hide or turn text around are shown, and ordinary text in any script is left alone', () => {
  expect(visibleText('pay \u202e001\u200b')).toBe('pay \\u{202e}001\\u{200b}')
  expect(visibleText('tag \u{e0041}')).toBe('tag \\u{e0041}')
  const harmless = 'Zoë, 東京, עברית, ⚠\ufe0f\n\tsecond line'
  expect(visibleText(harmless)).toBe(harmless)
})

test('names in snake and camel case read as words, and unusual names stay as they are', () => {
  expect(humanName('order_id')).toBe('Order id')
  expect(humanName('orderId')).toBe('Order id')
  expect(humanName('X-Order')).toBe('X-Order')
})

test('lengths of time read as words', () => {
  expect(durationText(300_000)).toBe('5 minutes')
  expect(durationText(5_400_000)).toBe('1 hour 30 minutes')
})

test('instants are told by the clocks of the zone, with its name, and a day is the same day everywhere', () => {
  const at = '2026-11-27T23:21:00Z'
  const [berlin, utc] = [timeWords('Europe/Berlin'), timeWords('UTC')]
  expect(utc.minute(at)).toBe('27 Nov 2026, 23:21 UTC')
  expect(utc.exact(at)).toBe('27 Nov 2026, 23:21:00.000 UTC')
  expect(berlin.minute(at)).toBe('28 Nov 2026, 00:21 CET')
  expect(utc.read(at)).toBe(utc.exact(at))
  // Whether a comma follows the day of the week is the runtime's to say.
  for (const words of [berlin, utc]) expect(words.read('2026-11-27')).toMatch(/^Friday,? 27 November 2026$/)
})
