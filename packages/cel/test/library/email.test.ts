import fc from 'fast-check'
import { expect, test } from 'vitest'
import { call, failureOf } from './calling.ts'

test.each([
  ['ann@example.com', 'example.com'],
  ['ann.b+tag@Mail.EXAMPLE.com', 'mail.example.com'],
  ["o'neil_7@xn--e1afmkfd.xn--p1ai", 'xn--e1afmkfd.xn--p1ai'],
  ['a@b.co', 'b.co'],
])('the domain of %s is %s', (address, domain) => {
  expect(call('emailDomain', address)).toBe(domain)
  expect(call('isEmail', address)).toBe(true)
})

test.each([
  'ann',
  'ann@',
  '@example.com',
  'ann@localhost',
  'ann@evil.com@example.com',
  '"ann@evil.com"@example.com',
  '"ann"@example.com',
  'ann(comment)@example.com',
  'ann@example.com(comment)',
  'Ann <ann@example.com>',
  'ann@example.com, eve@evil.com',
  'ann@example.com;eve@evil.com',
  'ann@evil.com%example.com',
  'ann%evil.com@example.com',
  'evil!ann@example.com',
  ' ann@example.com',
  'ann@example.com ',
  'ann@example.com\n',
  'ann@example.com\r\nBcc: eve@evil.com',
  'ann @example.com',
  'ann@exam ple.com',
  'ann@example.com.',
  'ann@.example.com',
  'ann@example..com',
  'ann@-example.com',
  'ann@example-.com',
  'ann@exa_mple.com',
  'ann@[10.0.0.1]',
  'ann@10.0.0.1',
  'ann@example.c',
  'ann@example.1x',
  '.ann@example.com',
  'ann.@example.com',
  'a..b@example.com',
  'ann@еxample.com', // Cyrillic.
  'änn@example.com',
  'ann@example\u3002com',
  'ann\uFF20example.com',
  'ann@\u212Aexample.com', // The Kelvin sign, whose lower case is k.
  'ann@example.com\u0000',
  `${'a'.repeat(65)}@example.com`,
  `ann@${'a'.repeat(64)}.com`,
  `ann@${'abcdefg.'.repeat(40)}com`,
  '',
])('%j is not one plain address', (address) => {
  expect(call('isEmail', address)).toBe(false)
  expect(failureOf(call('emailDomain', address))).toBe(
    'needs one plain e-mail address such as ann@example.com',
  )
})

test('what has a domain has one @, and the domain after it', () => {
  const pieces = fc.constantFrom(
    'a',
    '@',
    '.',
    '-',
    'example.com',
    '"',
    ' ',
    ',',
    '<',
    '>',
    '%',
    '_',
    'é',
    '\n',
  )
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 8 }), (all) => {
      const text = all.join('')
      if (call('isEmail', text) !== true) return
      expect(text.split('@')).toEqual([expect.stringMatching(/^[\w.-]+$/), call('emailDomain', text)])
    }),
    { numRuns: 2000 },
  )
})
