import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { call, failureOf } from './calling.ts'

/** As the specification of Semantic Versioning orders them, from first to last. */
const ordered = [
  '0.0.0-0',
  '0.0.1',
  '0.9.9',
  '1.0.0-0.3.7',
  '1.0.0-2',
  '1.0.0-10',
  '1.0.0-alpha',
  '1.0.0-alpha.1',
  '1.0.0-alpha.beta',
  '1.0.0-beta',
  '1.0.0-beta.2',
  '1.0.0-beta.11',
  '1.0.0-rc.1',
  '1.0.0',
  '1.0.1',
  '1.2.0',
  '1.10.0',
  '2.0.0',
  '10.0.0',
  '9007199254740993.0.0',
]

describe('order', () => {
  test('is that of the specification', () => {
    const index = fc.nat(ordered.length - 1)
    fc.assert(
      fc.property(index, index, (left, right) => {
        expect(call('semverCompare', ordered[left] ?? '', ordered[right] ?? '')).toBe(
          BigInt(Math.sign(left - right)),
        )
      }),
    )
  })

  test('does not look at builds', () => {
    expect(call('semverCompare', '1.0.0+a', '1.0.0+b.7')).toBe(0n)
  })

  test.each([
    '1',
    '1.2',
    'v1.2.3',
    '1.2.3.4',
    '01.2.3',
    '1.02.3',
    '1.2.3-',
    '1.2.3-01',
    '1.2.3-a..b',
    '1.2.3+',
    '1.2.3 ',
    '-1.2.3',
    '1.2.x',
    '',
    `1.2.3-${'a'.repeat(200)}`,
  ])('%j is not a version', (text) => {
    expect(call('isSemver', text)).toBe(false)
    expect(failureOf(call('semverCompare', text, '1.2.3'))).toBe(
      'needs versions such as 1.2.3 or 1.2.3-beta.1',
    )
    expect(failureOf(call('semverMatches', text, '>=0.0.0'))).toBe(
      'needs versions such as 1.2.3 or 1.2.3-beta.1',
    )
  })
})

describe('ranges', () => {
  test.each([
    ['1.2.3', '1.2.3', true],
    ['1.2.4', '1.2.3', false],
    ['1.2.3', '=1.2.3', true],
    ['1.2.3', '>1.2.3', false],
    ['1.2.3', '>=1.2.3', true],
    ['1.2.3', '<1.2.3', false],
    ['1.2.3', '<=1.2.3', true],
    ['1.9.0', '>=1.2.0 <2.0.0', true],
    ['2.0.0', '>=1.2.0 <2.0.0', false],
    ['1.1.9', '>=1.2.0 <2.0.0', false],
    ['1.9.9', '^1.2.3', true],
    ['1.2.2', '^1.2.3', false],
    ['2.0.0', '^1.2.3', false],
    ['0.2.9', '^0.2.3', true],
    ['0.3.0', '^0.2.3', false],
    ['0.0.3', '^0.0.3', true],
    ['0.0.4', '^0.0.3', false],
    ['0.0.0', '^0.0.0', true],
    ['0.0.1', '^0.0.0', false],
    ['1.2.9', '~1.2.3', true],
    ['1.3.0', '~1.2.3', false],
    ['1.2.2', '~1.2.3', false],
  ])('%s in %s: %s', (version, range, expected) => {
    expect(call('semverMatches', version, range)).toBe(expected)
  })

  test('hold a pre-release only where they name one of the same version', () => {
    expect(call('semverMatches', '2.0.0-rc.1', '^1.2.3')).toBe(false)
    expect(call('semverMatches', '2.0.0-rc.1', '>=1.2.3')).toBe(false)
    expect(call('semverMatches', '1.2.3-rc.1', '<1.2.3')).toBe(false)
    expect(call('semverMatches', '1.2.3-rc.2', '>=1.2.3-rc.1')).toBe(true)
    expect(call('semverMatches', '1.2.3-alpha', '>=1.2.3-rc.1')).toBe(false)
    expect(call('semverMatches', '1.2.4-rc.2', '>=1.2.3-rc.1')).toBe(false)
    expect(call('semverMatches', '1.2.4', '>=1.2.3-rc.1')).toBe(true)
  })

  test.each([
    '',
    '*',
    '1',
    '^1',
    '1.x',
    '>=1.2.3  <2.0.0',
    '>=1.2.3 || <1.0.0',
    '1.2.3 - 2.0.0',
    '> 1.2.3',
    '==1.2.3',
    ' ^1.2.3',
    '>=1.2.3,<2.0.0',
  ])('the range %j is refused at load', (range) => {
    expect(failureOf(call('semverMatches', '1.2.3', range))).toBe(
      'is not a range such as ^1.2.3 or >=1.2.0 <2.0.0, with all three numbers',
    )
  })
})
