import { expect, test } from 'vitest'
import { parseCall } from '../../src/execution/call.ts'
import type { DecisionRequest } from '../../src/execution/answer.ts'

const request = { action: 'x', params: {} }
const refused = expect.objectContaining({ code: 'bad_input' }) as Error

test('a call keeps its session and what its caller carries out', () => {
  expect(parseCall('a', { ...request, session: 's-1', supports: ['redact'] })).toMatchObject({
    call: { session: 's-1' },
    supports: ['redact'],
  })
  expect(parseCall('a', request).call).not.toHaveProperty('session')
  expect(parseCall('a', request).supports).toEqual([])
})

test.each([
  ['a session with white space', { session: 'a b' }],
  ['an empty session', { session: '' }],
  ['a session that is no text', { session: 7 }],
  ['supports that is no list', { supports: 'redact' }],
  ['supports with something that is no name', { supports: [7] }],
  ['supports without end', { supports: Array.from({ length: 21 }, () => 'x') }],
])('%s is refused', (_, more) => {
  expect(() => parseCall('a', { ...request, ...more } as DecisionRequest)).toThrow(refused)
})
