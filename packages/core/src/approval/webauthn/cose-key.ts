import { createPublicKey, verify, type KeyObject } from 'node:crypto'
import { readCbor, type Cbor, type CborMap } from './cbor.ts'

/** A public key that signatures can be held against. */
export interface VerifyingKey {
  readonly algorithm: 'ES256' | 'RS256' | 'EdDSA'
  /** Whether it made the signature over the bytes. Never throws: what is no signature is a wrong one. */
  verifies(signature: Uint8Array, signed: Uint8Array): boolean
}

/** COSE's names of what a key consists of (RFC 9052, RFC 9053, RFC 8230). */
const keyType = 1
const algorithm = 3
const algorithms = { eddsa: -8, es256: -7, rs256: -257 } as const

/** A longer modulus than any in use would make each verification slow. */
const modulusBytes = { min: 256, max: 1024 }

/**
 * Reads a COSE key of one of the algorithms that passkeys use: ES256 on P-256, RS256 of 2,048 to 8,192 bits, EdDSA on
 * Ed25519. Undefined for all else: another algorithm, a point that is not on the curve, more bytes than the key.
 */
export function readCoseKey(bytes: Uint8Array): VerifyingKey | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const item = readCbor(buffer, 0)
  if (item?.end !== buffer.length || !(item.value instanceof Map)) return undefined
  const members: CborMap = item.value
  switch (members.get(algorithm)) {
    case algorithms.es256:
      return ecdsaKey(members)
    case algorithms.rs256:
      return rsaKey(members)
    case algorithms.eddsa:
      return ed25519Key(members)
    default:
      return undefined
  }
}

function ecdsaKey(members: CborMap): VerifyingKey | undefined {
  const [x, y] = [members.get(-2), members.get(-3)]
  if (members.get(keyType) !== 2 || members.get(-1) !== 1 || !hasLength(x, 32) || !hasLength(y, 32))
    return undefined
  const key = importedKey({ kty: 'EC', crv: 'P-256', x: text(x), y: text(y) })
  return key && verifying('ES256', 'sha256', key)
}

function rsaKey(members: CborMap): VerifyingKey | undefined {
  const [n, e] = [members.get(-1), members.get(-2)]
  if (members.get(keyType) !== 3 || !(n instanceof Buffer) || !(e instanceof Buffer)) return undefined
  if (n.length < modulusBytes.min || n.length > modulusBytes.max || e.length > 4) return undefined
  const key = importedKey({ kty: 'RSA', n: text(n), e: text(e) })
  return key && verifying('RS256', 'sha256', key)
}

function ed25519Key(members: CborMap): VerifyingKey | undefined {
  const x = members.get(-2)
  if (members.get(keyType) !== 1 || members.get(-1) !== 6 || !hasLength(x, 32)) return undefined
  const key = importedKey({ kty: 'OKP', crv: 'Ed25519', x: text(x) })
  return key && verifying('EdDSA', null, key)
}

function hasLength(value: Cbor | undefined, length: number): value is Buffer {
  return value instanceof Buffer && value.length === length
}

function text(bytes: Buffer): string {
  return bytes.toString('base64url')
}

function importedKey(jwk: Readonly<Record<string, string>>): KeyObject | undefined {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' })
  } catch {
    // Such as a point that is not on its curve.
    return undefined
  }
}

function verifying(name: VerifyingKey['algorithm'], digest: 'sha256' | null, key: KeyObject): VerifyingKey {
  return {
    algorithm: name,
    verifies: (signature, signed) => {
      try {
        return verify(digest, signed, key, signature)
      } catch {
        return false
      }
    },
  }
}
