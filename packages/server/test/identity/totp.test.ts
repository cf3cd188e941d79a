import { describe, expect, test } from 'vitest'
import {
  base32,
  matchingStep,
  newTotpSecret,
  totpAddress,
  totpCode,
  totpStep,
} from '../../src/identity/totp.ts'

const rfcSecret = Buffer.from('12345678901234567890')

describe('a time-based code', () => {
  // RFC 6238, appendix B, for SHA-1.
  test.each([
    [59, '94287082'],
    [1_111_111_109, '07081804'],
    [1_111_111_111, '14050471'],
    [1_234_567_890, '89005924'],
    [2_000_000_000, '69279037'],
    [20_000_000_000, '65353130'],
  ])('at second %i is %s, as RFC 6238 says', (seconds, code) => {
    expect(totpCode(rfcSecret, totpStep(seconds * 1000), 8)).toBe(code)
    expect(matchingStep(rfcSecret, code.slice(-6), seconds * 1000)).toBe(totpStep(seconds * 1000))
  })

  test('is good one step early and one late, and not two', () => {
    const now = 1_234_567_890_000
    const at = (steps: number) => totpCode(rfcSecret, totpStep(now) + steps)
    expect([-1, 0, 1].map((steps) => matchingStep(rfcSecret, at(steps), now))).toEqual(
      [-1, 0, 1].map((steps) => totpStep(now) + steps),
    )
    expect([-2, 2].map((steps) => matchingStep(rfcSecret, at(steps), now))).toEqual([undefined, undefined])
  })

  test.each(['', '12345', '1234567', 'abcdef', '-12345', '１２３４５６', '287082\n'])(
    'is never %j',
    (code) => {
      expect(matchingStep(rfcSecret, code, 59_000)).toBeUndefined()
    },
  )
})

describe('a secret', () => {
  // RFC 4648, section 10.
  test.each([
    ['f', 'MY'],
    ['fo', 'MZXQ'],
    ['foo', 'MZXW6'],
    ['foob', 'MZXW6YQ'],
    ['fooba', 'MZXW6YTB'],
    ['foobar', 'MZXW6YTBOI'],
  ])('%s is written as %s', (text, written) => {
    expect(base32(Buffer.from(text))).toBe(written)
  })

  test('has 160 bits, and its address names service and person', () => {
    const secret = newTotpSecret()
    expect(secret).toHaveLength(20)
    const { protocol, searchParams, pathname } = new URL(totpAddress(secret, 'ann@example.com', 'Bailiwick'))
    expect(protocol).toBe('otpauth:')
    expect(decodeURIComponent(pathname)).toContain('Bailiwick:ann@example.com')
    expect(searchParams.get('secret')).toBe(base32(secret))
  })
})
