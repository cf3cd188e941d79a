import { createPublicKey, hash, verify } from 'node:crypto'
import { Fault } from '../model/fault.ts'
import { decodeBase64, isKeyName, parseNote } from './signed-note.ts'

/** The byte that says `cosignature/v1` with Ed25519 in keys and key ids. */
const cosignatureV1 = 0x04
const publicKeyBytes = 32
const timestampBytes = 8
const signatureBytes = 64

/** A witness's key, as `parseWitnessKey` reads it. */
export interface WitnessKey {
  readonly name: string
  /** Four bytes. */
  readonly keyId: Buffer
  /** 32 bytes. */
  readonly publicKey: Buffer
}

/** What a witness says: it has seen this checkpoint, and it follows on every one that it saw before. */
export interface Cosignature {
  /** The witness's name. */
  readonly name: string
  /** Seconds since the Unix epoch, by the witness's clock. */
  readonly timestamp: number
  /** The signature line as it stands in a note, without its newline. */
  readonly line: string
}

/**
 * Reads a witness's verifier key, `name+key id+base64(0x04 ‖ public key)`.
 *
 * @throws Fault `bad_input` for a key of another kind, also one of a log
 * @see https://c2sp.org/tlog-cosignature
 */
export function parseWitnessKey(text: string): WitnessKey {
  const [, name, id, encoded] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/s.exec(text) ?? []
  const bytes = encoded === undefined ? undefined : decodeBase64(encoded)
  if (
    name !== undefined &&
    isKeyName(name) &&
    bytes?.length === publicKeyBytes + 1 &&
    bytes[0] === cosignatureV1
  ) {
    const publicKey = bytes.subarray(1)
    const keyId = witnessKeyId(name, publicKey)
    if (keyId.toString('hex') === id) return { name, keyId, publicKey }
  }
  throw new Fault('bad_input', 'the key of a witness is malformed', {
    fix: 'Give its whole verifier key, `name+8 hexadecimal digits+base64`, of the kind cosignature/v1.',
  })
}

function witnessKeyId(name: string, publicKey: Uint8Array): Buffer {
  const input = Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(cosignatureV1), publicKey])
  return hash('sha256', input, 'buffer').subarray(0, 4)
}

/** The bytes that a witness signs for a checkpoint. */
export function cosignedMessage(checkpointText: string, timestamp: number): Buffer {
  return Buffer.from(`cosignature/v1\ntime ${timestamp}\n${checkpointText}`)
}

/**
 * The cosignature of one witness on a note, or undefined where it has none that verifies.
 *
 * @param note a signed note with any number of signature lines
 * @throws Fault `log_broken` where the note itself is malformed
 */
export function cosignatureOf(note: string, witness: WitnessKey): Cosignature | undefined {
  const { text, signatures } = parseNote(note)
  for (const { name, keyId, signature } of signatures) {
    if (name !== witness.name || !keyId.equals(witness.keyId)) continue
    if (signature.length !== timestampBytes + signatureBytes) continue
    const timestamp = Number(signature.readBigUInt64BE(0))
    const signed = cosignedMessage(text, timestamp)
    if (!verify(null, signed, publicKeyOf(witness), signature.subarray(timestampBytes))) continue
    const line = `— ${name} ${Buffer.concat([keyId, signature]).toString('base64')}`
    return { name, timestamp, line }
  }
  return undefined
}

function publicKeyOf({ publicKey }: WitnessKey) {
  return createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: publicKey.toString('base64url') },
    format: 'jwk',
  })
}
