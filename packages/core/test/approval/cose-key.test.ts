import { generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readCbor } from '../../src/approval/webauthn/cbor.ts'
import { readCoseKey } from '../../src/approval/webauthn/cose-key.ts'
import { cborMap, coseKey } from './authenticator.ts'

const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const honest = coseKey('ES256', publicKey)
const coordinate = Buffer.alloc(32, 1)

test('a key of each of the three algorithms is read', () => {
  expect(readCoseKey(honest)?.algorithm).toBe('ES256')
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  expect(readCoseKey(coseKey('RS256', rsa.publicKey))?.algorithm).toBe('RS256')
  expect(readCoseKey(coseKey('EdDSA', generateKeyPairSync('ed25519').publicKey))?.algorithm).toBe('EdDSA')
})

test.each([
  ['a point that is not on the curve', cborMap([1, 2], [3, -7], [-1, 1], [-2, coordinate], [-3, coordinate])],
  ['another curve', cborMap([1, 2], [3, -7], [-1, 2], [-2, coordinate], [-3, coordinate])],
  ['another algorithm', cborMap([1, 2], [3, -36], [-1, 1], [-2, coordinate], [-3, coordinate])],
  [
    'a coordinate that is too short',
    cborMap([1, 2], [3, -7], [-1, 1], [-2, coordinate.subarray(1)], [-3, coordinate]),
  ],
  ['an Ed25519 key as another type', cborMap([1, 2], [3, -8], [-1, 6], [-2, coordinate])],
  ['a missing coordinate', cborMap([1, 2], [3, -7], [-1, 1], [-2, coordinate])],
  [
    'a modulus of 1,024 bits',
    cborMap([1, 3], [3, -257], [-1, Buffer.alloc(128, 0xff)], [-2, Buffer.from([1, 0, 1])]),
  ],
  [
    'a modulus of 16,384 bits',
    cborMap([1, 3], [3, -257], [-1, Buffer.alloc(2048, 0xff)], [-2, Buffer.from([1, 0, 1])]),
  ],
  ['no map', Buffer.from([0x80])],
  ['nothing', Buffer.alloc(0)],
  ['bytes after the key', Buffer.concat([honest, Buffer.from([0])])],
  ['a key that is cut off', honest.subarray(0, -1)],
  ['a name twice', cborMap([1, 2], [1, 2], [3, -7], [-1, 1], [-2, coordinate])],
])('%s is no key', (_, bytes) => {
  expect(readCoseKey(bytes)).toBeUndefined()
})

test.each([
  ['a longer length than needed', [0x18, 0x01]],
  ['an indefinite length', [0x5f, 0x41, 0x00, 0xff]],
  ['a tag', [0xc0, 0x01]],
  ['a fraction', [0xf9, 0x3c, 0x00]],
  ['undefined', [0xf7]],
  ['a text that is not UTF-8', [0x61, 0xff]],
  ['a list as a name', [0xa1, 0x80, 0x01]],
  ['a length beyond the end', [0x5a, 0xff, 0xff, 0xff, 0xff]],
  ['64 bits', [0x1b, 0, 0, 0, 1, 0, 0, 0, 0]],
  ['nesting beyond any use', Array.from({ length: 40 }, () => 0x81)],
])('%s is not read as CBOR', (_, bytes) => {
  expect(readCbor(Buffer.from(bytes), 0)).toBeUndefined()
})

test('CBOR of every kind that WebAuthn uses is read', () => {
  const map = Buffer.from('a401616120f5616282181818ff0343010203', 'hex')
  const read = readCbor(map, 0)
  expect(read?.value).toEqual(
    new Map<number | string, unknown>([
      [1, 'a'],
      [-1, true],
      ['b', [24, 255]],
      [3, Buffer.from([1, 2, 3])],
    ]),
  )
  expect(read?.end).toBe(map.length)
})

test('any bytes at all are read or not, and never an error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      const read = readCbor(Buffer.from(bytes), 0)
      expect(read === undefined || read.end <= bytes.length).toBe(true)
      expect(readCoseKey(bytes)).toBeUndefined()
    }),
  )
})
