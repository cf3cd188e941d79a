import fc from 'fast-check'
import { expect, test } from 'vitest'
import { call, failureOf, invoke } from './calling.ts'

test('base64 is the host’s, both ways', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 50 }), (bytes) => {
      const text = Buffer.from(bytes).toString('base64')
      expect(call('base64.encode', bytes)).toBe(text)
      expect(call('base64.decode', text)).toEqual(bytes)
      expect(call('base64.decode', text.replace(/=+$/, ''))).toEqual(bytes)
      expect(invoke(bytes, 'size')).toBe(BigInt(bytes.length))
      expect(call('size', bytes)).toBe(BigInt(bytes.length))
    }),
  )
})

test.each(['A', 'A===', 'AA=', 'AAAAA', 'AA==A', 'QR==', 'QUJ=', 'AA\n==', 'A-_A', 'AAAA ', '====', 'é'])(
  '%j is not base64: each value has one text, with or without its padding',
  (text) => {
    expect(failureOf(call('base64.decode', text))).toBe('is not base64')
  },
)
