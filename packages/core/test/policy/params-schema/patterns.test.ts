import { compilePattern } from '@bailiwick/cel'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { linearPattern } from '../../../src/policy/params-schema/linear-pattern.ts'
import { sequenceMatcher } from '../../../src/policy/params-schema/sequence-pattern.ts'

const atom = fc.constantFrom(
  'a',
  'b',
  '-',
  '\\.',
  '\\d',
  '\\w',
  '[a-c]',
  '[0-9_]',
  '[a\\-b]',
  '[.-]',
  '[^a]',
  '.',
  '\\$',
)
const count = fc.constantFrom('', '', '+', '*', '?', '{2}', '{1,3}', '{2,}', '{0,1}', '+?', '{0}')
const pattern = fc
  .array(fc.tuple(atom, count), { maxLength: 5 })
  .map((parts) => `^${parts.map((part) => part.join('')).join('')}$`)
const text = fc.string({
  unit: fc.constantFrom('a', 'b', 'c', 'd', '1', '_', '.', '-', '$', 'é', '\n'),
  maxLength: 8,
})

describe('patterns', () => {
  test('mean the same to the fast matcher as to the general engine', () => {
    let fast = 0
    let matched = 0
    fc.assert(
      fc.property(pattern, fc.array(text, { minLength: 20, maxLength: 20 }), (source, texts) => {
        const matches = sequenceMatcher(source)
        if (matches === undefined) return
        fast++
        const engine = compilePattern(source)
        if ('message' in engine) throw new Error(engine.message)
        for (const one of texts) {
          if (engine.test(one)) matched++
          expect({ source, one, matches: matches(one) }).toEqual({ source, one, matches: engine.test(one) })
        }
      }),
      { seed: 5, numRuns: 4000 },
    )
    expect(fast).toBeGreaterThan(1000)
    expect(matched).toBeGreaterThan(500)
  })

  test.each([
    ['^ORD-[0-9]{4,10}$', 'ORD-12345', 'ORD-123'],
    ['^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$', 'DE89370400440532013000', 'DE893704004405'],
    ['^[a-z][a-z0-9-]*$', 'a-1', '1-a'],
    ['^\\d{4}-\\d{2}$', '2026-01', '2026-1'],
    ['^[\\w.-]+@example\\.com$', 'ada@example.com', 'ada@exampleXcom'],
  ])('%s is a simple one: %s fits, and %s does not', (source, fits, not) => {
    const matches = sequenceMatcher(source)
    expect(matches?.(fits)).toBe(true)
    expect(matches?.(not)).toBe(false)
    expect(matches?.(`${fits}\n`)).toBe(false)
  })

  test.each([
    'a',
    '^a',
    'a$',
    '^a|b$',
    '^(a)$',
    '^a*a$',
    '^.$',
    '^[^a]$',
    '^a+?$',
    '^é$',
    '^\\bA$',
    '^[[:alpha:]]$',
    '^a\\$',
  ])('%s is left to the general engine', (source) => {
    expect(sequenceMatcher(source)).toBeUndefined()
  })

  test('a long pattern is refused, and a short one with the same beginning is not', () => {
    expect(linearPattern('a'.repeat(1025)).kind).toBe('invalid')
    expect(linearPattern('a'.repeat(1024)).kind).toBe('compiled')
  })
})
