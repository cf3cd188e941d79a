import { createCipheriv, createDecipheriv, createHash, createHmac } from 'node:crypto'
import { canonicalJson, Fault, type Sha256, type SubjectKey } from '@bailiwick/core'

/** Whose key is wrapped. */
export interface KeyOwner {
  readonly ledger: string
  /** The digest of the subject, in hexadecimal. */
  readonly subject: string
  readonly id: string
}

const keyBytes = 32
const nonceBytes = 12
const tagBytes = 16
const idLength = 16

/**
 * The master key: the keys of people are stored wrapped under it. It is kept outside the database, and nothing writes it
 * anywhere. Whoever loses it cannot read what was sealed; that it was recorded can still be proved.
 */
export class PayloadKey {
  /** Tells master keys apart, and nothing of them. */
  readonly id: string
  readonly #key: Buffer

  /** @param text 32 bytes in base64, base64url or hexadecimal. @throws Fault `bad_input` for anything else */
  constructor(text: string) {
    this.#key = keyIn(text.trim())
    const digest = createHash('sha256').update('bailiwick payload key\n').update(this.#key).digest('hex')
    this.id = digest.slice(0, idLength)
  }

  /** Of the secret under which a ledger finds people: the same for the same secret, and tells nobody what it is. */
  fingerprintOf(secret: Uint8Array, ledger: string): Sha256 {
    const text = canonicalJson({
      ledger,
      of: 'bailiwick subject secret',
      secret: Buffer.from(secret).toString('hex'),
    })
    return createHmac('sha256', this.#key).update(text).digest('hex') as Sha256
  }

  /** @param nonce 12 random bytes, never used before */
  wrap(key: Uint8Array, owner: KeyOwner, nonce: Uint8Array): Buffer {
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce).setAAD(boundTo(owner))
    return Buffer.concat([nonce, cipher.update(key), cipher.final(), cipher.getAuthTag()])
  }

  /** @throws Fault `log_broken` where it was not wrapped under this key, for this owner */
  unwrap(wrapped: Uint8Array, owner: KeyOwner): SubjectKey {
    try {
      const bytes = Buffer.from(wrapped)
      const decipher = createDecipheriv('aes-256-gcm', this.#key, bytes.subarray(0, nonceBytes), {
        authTagLength: tagBytes,
      })
      decipher.setAAD(boundTo(owner)).setAuthTag(bytes.subarray(-tagBytes))
      const key = Buffer.concat([decipher.update(bytes.subarray(nonceBytes, -tagBytes)), decipher.final()])
      return { id: owner.id, key }
    } catch (cause) {
      throw new Fault('log_broken', `the stored key ${owner.id} does not open under the master key`, {
        fix: 'Keep the database as evidence: somebody changed a row of subject_key.',
        cause,
      })
    }
  }
}

function boundTo({ ledger, subject, id }: KeyOwner): Buffer {
  return Buffer.from(canonicalJson({ id, ledger, of: 'bailiwick subject key', subject }))
}

function keyIn(text: string): Buffer {
  const bytes = /^[0-9a-fA-F]{64}$/.test(text)
    ? Buffer.from(text, 'hex')
    : /^[A-Za-z0-9+/_-]{43}=?$/.test(text)
      ? Buffer.from(text, 'base64')
      : undefined
  if (bytes?.length === keyBytes) return bytes
  throw new Fault('bad_input', `the payload key is not ${keyBytes} bytes in base64 or hexadecimal`, {
    fix: 'Make one with `openssl rand -base64 32`, keep a copy outside the database, and set it as it is.',
  })
}
