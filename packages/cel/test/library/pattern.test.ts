import fc from 'fast-check'
import { expect, test } from 'vitest'
import { failureOf, invoke } from './calling.ts'

test('a pattern is found anywhere unless it is anchored', () => {
  expect(invoke('an order-12 here', 'matches', 'order-[0-9]+')).toBe(true)
  expect(invoke('an order-12 here', 'matches', '^order-[0-9]+$')).toBe(false)
  expect(invoke('order-12', 'matches', '^order-[0-9]+$')).toBe(true)
})

test('anchors mean the ends of the text, so that a line break lets nothing through', () => {
  expect(invoke('ok\n', 'matches', '^ok$')).toBe(false)
  expect(invoke('evil\nok', 'matches', '^ok$')).toBe(false)
  expect(invoke('evil\nok', 'matches', '(?m)^ok$')).toBe(true)
  expect(invoke('a\nb', 'matches', 'a.b')).toBe(false)
  expect(invoke('a\nb', 'matches', '(?s)a.b')).toBe(true)
})

test('characters beyond the first plane are one character', () => {
  expect(invoke('\u{1F600}', 'matches', '^.$')).toBe(true)
  expect(invoke('\u{1F600}\u{1F600}', 'matches', '^.$')).toBe(false)
})

test('letters and digits are those of ASCII unless Unicode is asked for', () => {
  expect(invoke('٣', 'matches', String.raw`^\d$`)).toBe(false)
  expect(invoke('٣', 'matches', String.raw`^\p{Nd}$`)).toBe(true)
  expect(invoke('é', 'matches', String.raw`^\w$`)).toBe(false)
})

test('what RE2 does not have is refused, and the message does not quote the pattern', () => {
  expect(failureOf(invoke('a', 'matches', '(secret'))).toBe('is not a pattern of RE2: missing closing )')
  for (const pattern of ['(?=a)', '(?<=a)', String.raw`(a)\1`, 'a++', '[', '*', String.raw`\Z`, 'a{1001}'])
    expect(failureOf(invoke('a', 'matches', pattern))).toMatch(/^is not a pattern of RE2: [a-z ]+/)
})

test('a pattern that is too long, or becomes too large, is refused', () => {
  expect(failureOf(invoke('a', 'matches', 'a'.repeat(1025)))).toBe(
    'is a pattern of more than 1024 characters',
  )
  expect(failureOf(invoke('a', 'matches', '(?:[ab]{1,30}){33}[ab]{1,1000}'))).toBe(
    'is a pattern that its repetitions make too large',
  )
  expect(invoke('a', 'matches', '^[ab]{1,1000}$')).toBe(true)
  expect(failureOf(invoke('a', 'matches', '('.repeat(1024)))).toMatch(/^is not a pattern of RE2/)
})

test('patterns that take other engines years take one pass', () => {
  const text = `${'a'.repeat(50_000)}!`
  for (const pattern of ['(a+)+$', '(a|aa)+$', '^(([a-z])+.)+[A-Z]([a-z])+$', '(.*)(.*)(.*)(.*)(.*)[0-9]$'])
    expect(invoke(text, 'matches', pattern)).toBe(false)
})

test('plain patterns agree with the host', () => {
  const atoms = fc.constantFrom(
    'a',
    'b',
    '.',
    '[ab]',
    '[^a]',
    'a*',
    'b+',
    'a?',
    '(?:ab)*',
    '(?:a|b)',
    'b{2}',
    '^',
    '$',
  )
  fc.assert(
    fc.property(
      fc.array(atoms, { maxLength: 6 }),
      fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 }),
      (parts, text) => {
        const pattern = parts.join('')
        expect(invoke(text, 'matches', pattern)).toBe(new RegExp(pattern, 'u').test(text))
      },
    ),
  )
})
