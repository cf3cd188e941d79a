import { hash } from 'node:crypto'
import { readCbor } from './cbor.ts'

/** What an authenticator says beside its signature (WebAuthn level 3, section 6.1). */
export interface AuthenticatorData {
  readonly signCount: number
  /** Only where a credential was made. */
  readonly credential?: { readonly id: string; readonly publicKey: string } | undefined
}

const lengths = { fixed: 37, aaguid: 16, max: 8192 }
const flag = { userPresent: 0x01, userVerified: 0x04, credential: 0x40, extensions: 0x80 } as const

/**
 * Reads authenticator data that was made for this relying party, with a person present whom the authenticator verified;
 * for all else, what is wrong with it.
 */
export function readAuthenticatorData(data: Buffer, rpId: string): AuthenticatorData | string {
  if (data.length < lengths.fixed || data.length > lengths.max) return wrongLength
  const flags = data[32] ?? 0
  if (!data.subarray(0, 32).equals(hash('sha256', rpId, 'buffer'))) return 'it was made for another site'
  if ((flags & flag.userPresent) === 0) return 'nobody was present when it was made'
  if ((flags & flag.userVerified) === 0) return 'the authenticator did not verify who was present'
  const signCount = data.readUInt32BE(33)
  const made = (flags & flag.credential) === 0 ? undefined : readCredential(data)
  if (made === undefined && (flags & flag.credential) !== 0) return 'it holds no credential that can be read'
  const end = made?.end ?? lengths.fixed
  const after = (flags & flag.extensions) === 0 ? end : readCbor(data, end)?.end
  if (after !== data.length) return wrongLength
  return made === undefined ? { signCount } : { signCount, credential: made.credential }
}

const wrongLength = 'its authenticator data has the wrong length'

function readCredential(data: Buffer) {
  const at = lengths.fixed + lengths.aaguid
  if (data.length < at + 2) return undefined
  const keyAt = at + 2 + data.readUInt16BE(at)
  const id = data.subarray(at + 2, keyAt)
  const key = keyAt < data.length ? readCbor(data, keyAt) : undefined
  if (key === undefined || id.length === 0 || id.length > 1023) return undefined
  const publicKey = data.subarray(keyAt, key.end)
  const credential = { id: id.toString('base64url'), publicKey: publicKey.toString('base64url') }
  return { credential, end: key.end }
}
