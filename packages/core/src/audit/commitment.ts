import { hash } from 'node:crypto'
import { Fault } from '../model/fault.ts'
import type { Sha256 } from '../model/ids.ts'

/** The length of a commitment's salt in bytes. */
export const saltBytes = 32

/** Where a salt and a payload stand while they are hashed: a buffer for each takes longer than the hashing. */
const salted = Buffer.allocUnsafe(16 * 1024)

/**
 * What a record keeps of its payload: SHA-256(salt ‖ payload). Without the salt the payload cannot be guessed from
 * it, so erasing both leaves nothing of them.
 *
 * @param salt 32 random bytes, used for this payload only
 * @param canonicalPayload the payload as canonical JSON
 * @throws Fault `bad_input` for a salt of another length
 */
export function commitPayload(salt: Uint8Array, canonicalPayload: string): Sha256 {
  if (salt.length !== saltBytes) {
    throw new Fault('bad_input', `a salt has ${salt.length} bytes instead of ${saltBytes}`, {
      fix: `Pass ${saltBytes} random bytes.`,
    })
  }
  // Most payloads are short: one buffer for all of them, without counting their bytes first.
  const lengthMax = saltBytes + canonicalPayload.length * 3
  const bytes = lengthMax <= salted.length ? salted : Buffer.allocUnsafe(lengthMax)
  bytes.set(salt, 0)
  const length = saltBytes + bytes.write(canonicalPayload, saltBytes, 'utf8')
  return commitSalted(bytes.subarray(0, length))
}

/** `commitPayload` of a salt with its payload after it, in one piece. */
export function commitSalted(bytes: Uint8Array): Sha256 {
  return hash('sha256', bytes, 'hex') as Sha256
}
