import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { targetOf } from '../../src/lookup/target.ts'

const source = { name: 'crm.example.com', headers: {}, allowPrivate: false }
const sources = new Map([['https://crm.example.com', source]])
const check = (address: string) => targetOf(address, sources)
const filledIn = (value: string) =>
  check(`https://crm.example.com/customers/${encodeURIComponent(value)}/tier`)

describe('the address of a lookup', () => {
  test.each([
    'https://crm.example.com/',
    'https://crm.example.com/customers/7/tier',
    'https://crm.example.com/customers/a%20b%C3%A9/tier?on=2026-01-01&by=a%26b%2F..%3F%23',
    'https://crm.example.com/customers/100%25/tier',
    'https://crm.example.com/customers/a..b/...',
    "https://crm.example.com/customers/O'Brien?name=O'Brien",
    'https://CRM.example.com:443/customers',
  ])('%s is asked', (address) => {
    expect(check(address)).toMatchObject({ kind: 'target', source })
  })

  test('is asked as it was filled in', () => {
    const target = check('https://crm.example.com/customers/a%20b%2Cc/tier?x=%2F')
    expect(target).toMatchObject({
      kind: 'target',
      url: { href: 'https://crm.example.com/customers/a%20b%2Cc/tier?x=%2F' },
    })
  })

  test.each([
    '..',
    '.',
    '../..',
    'a/b',
    'a\\b',
    '%2e%2e',
    '%2E.',
    '..;x',
    'a%2fb',
    '?x',
    'a#b',
    '%252e%252e',
    '\0',
    'a\nb',
  ])('a value such as %j cannot change which path is asked', (value) => {
    expect(filledIn(value)).toMatchObject({ kind: 'failed' })
  })

  test.each([
    'https://crm.example.com/customers/../admin',
    'https://crm.example.com/customers/%2e%2e/admin',
    'https://crm.example.com/customers/.%2E/admin',
    'https://crm.example.com/customers\\..\\admin',
    'https://crm.example.com/customers/..;/admin',
    'https://crm.example.com/cust\tomers',
    'https://crm.example.com/cust omers',
    'https://crm.example.com/customers/%zz',
    'https://crm.example.com/customers?x=%zz',
    'https://crm.example.com/customers?x=%0d%0a',
    'https://crm.example.com/customers#tier',
    'https://crm.example.com',
    `https://crm.example.com/${'x'.repeat(8192)}`,
  ])('%s is refused', (address) => {
    expect(check(address)).toMatchObject({ kind: 'failed' })
  })

  test.each([
    'https://crm.example.com@evil.example/',
    'https://user@crm.example.com/',
    'https://crm.example.com:8443/',
    'https://crm.example.com.evil.example/',
    'https://crm.example.com./',
    'http://crm.example.com/',
    'ftp://crm.example.com/',
    'https:crm.example.com/',
    '//crm.example.com/',
    'https://evil.example\\@crm.example.com/',
    '',
  ])('%s is none of the allowed origin', (address) => {
    expect(check(address)).toMatchObject({ kind: 'failed' })
  })

  test('whatever a value is: it is refused, or stays one segment of the path that the policy wrote', () => {
    const parts = fc.constantFrom(
      '.',
      '..',
      '/',
      '\\',
      '%',
      '2e',
      '2f',
      '%2e',
      '%2F',
      ';',
      '?',
      '#',
      '@',
      ':',
      'a',
      'é',
      ' ',
    )
    const values = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.array(parts, { maxLength: 8 }).map((chosen) => chosen.join('')),
    )
    fc.assert(
      fc.property(values, (value) => {
        const target = filledIn(value)
        if (target.kind === 'failed') return
        expect(target.url.origin).toBe('https://crm.example.com')
        const [before, prefix, segment = '', suffix, ...more] = target.url.pathname.split('/')
        expect([before, prefix, suffix, more]).toEqual(['', 'customers', 'tier', []])
        expect(decodeURIComponent(segment)).toBe(value)
        expect(target.url.search + target.url.hash).toBe('')
      }),
      { numRuns: 2_000 },
    )
  })
})
