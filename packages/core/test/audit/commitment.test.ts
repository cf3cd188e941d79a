import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { commitPayload } from '../../src/audit/commitment.ts'

const salt = fc.uint8Array({ minLength: 32, maxLength: 32 })

test('a commitment is SHA-256 of the salt followed by the payload in UTF-8', () => {
  fc.assert(
    fc.property(salt, fc.string({ unit: 'grapheme' }), (bytes, payload) => {
      const expected = createHash('sha256').update(bytes).update(payload, 'utf8').digest('hex')
      expect(commitPayload(bytes, payload)).toBe(expected)
    }),
  )
})

test('a salt of another length is refused: a boundary that moves would let two payloads share one commitment', () => {
  expect(() => commitPayload(Buffer.alloc(31), 'a{}')).toThrow('31 bytes')
  expect(() => commitPayload(Buffer.alloc(33), '{}')).toThrow('33 bytes')
})
