import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { personIdOf } from '../../src/approval/person-id.ts'
import { principalProblem, principalsIn } from '../../src/approval/principals.ts'
import type { JsonObject } from '../../src/model/json.ts'

describe('an address names one person', () => {
  test.each([
    ['ann@example.com', 'ann@example.com'],
    [' Ann@Example.COM\n', 'ann@example.com'],
    ['jos\u0065\u0301@example.com', 'jos\u00e9@example.com'],
    ['JOS\u00c9@example.com', 'jos\u00e9@example.com'],
    ['ann+refunds@sub.example.com', 'ann+refunds@sub.example.com'],
    ['ann@localhost', 'ann@localhost'],
  ])('however it is written: %j is %j', (text, id) => {
    expect(personIdOf(text)).toBe(id)
  })

  test.each([
    '',
    'ann',
    '@example.com',
    'ann@',
    'ann@example.com.',
    'ann@bob@example.com',
    'mailto:ann@example.com',
    'Ann <ann@example.com>',
    '<ann@example.com>',
    'ann@example.com,bob@example.com',
    'ann@example.com;',
    '"ann"@example.com',
    'ann @example.com',
    'ann@exam\u200bple.com',
    `${'a'.repeat(250)}@example.com`,
  ])('and %j is no bare address', (text) => {
    expect(personIdOf(text)).toBeUndefined()
  })

  test('and its own id names the same person', () => {
    fc.assert(
      fc.property(fc.oneof(fc.emailAddress(), fc.string({ unit: 'grapheme' })), (text) => {
        const id = personIdOf(text)
        if (id !== undefined) expect(personIdOf(id)).toBe(id)
      }),
    )
  })
})

describe('on whose behalf a call is made', () => {
  test.each([
    [{}, []],
    [{ principal: null }, []],
    [{ principal: [] }, []],
    [{ principal: 'Ann@example.com' }, ['ann@example.com']],
    [{ principal: ['ann@example.com', 'bob@example.com'] }, ['ann@example.com', 'bob@example.com']],
  ])('is told by %j', (context, people) => {
    expect(principalProblem(context)).toBeUndefined()
    expect(principalsIn(JSON.stringify({ context }))).toEqual(people)
  })

  test.each([
    '',
    42,
    true,
    'ann',
    'mailto:ann@example.com',
    'Ann <ann@example.com>',
    'ann@example.com, bob@example.com',
    { id: 'ann@example.com' },
    ['ann@example.com', 7],
    ['ann@example.com', null],
    [['ann@example.com']],
  ])('is not told by %j, and so by nothing', (principal) => {
    const context = { principal } as JsonObject
    expect(principalProblem(context)).toContain('context.principal must be an e-mail address')
  })
})
