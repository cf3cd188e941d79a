import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

const nonceBytes = 12
const tagBytes = 16

/**
 * Seals small secrets with a key that is kept outside of the database, so that whoever reads the database alone cannot
 * use them. AES-256-GCM; each purpose has a key of its own.
 */
export class Sealing {
  readonly #key: Buffer

  /** @param key 32 bytes */
  constructor(key: Uint8Array) {
    this.#key = Buffer.from(key)
  }

  /** @param purpose what it is for and whose it is; it opens for nothing else */
  seal(purpose: string, secret: Uint8Array): string {
    const nonce = randomBytes(nonceBytes)
    const cipher = createCipheriv('aes-256-gcm', this.#keyFor(purpose), nonce)
    const sealed = Buffer.concat([cipher.update(secret), cipher.final()])
    return Buffer.concat([nonce, sealed, cipher.getAuthTag()]).toString('base64url')
  }

  /** What was sealed, or undefined where it was not, or with another key, or for another purpose. */
  open(purpose: string, text: string): Buffer | undefined {
    const bytes = Buffer.from(text, 'base64url')
    if (bytes.length < nonceBytes + tagBytes) return undefined
    const decipher = createDecipheriv('aes-256-gcm', this.#keyFor(purpose), bytes.subarray(0, nonceBytes))
    decipher.setAuthTag(bytes.subarray(-tagBytes))
    try {
      return Buffer.concat([decipher.update(bytes.subarray(nonceBytes, -tagBytes)), decipher.final()])
    } catch {
      return undefined
    }
  }

  #keyFor(purpose: string): Uint8Array {
    return new Uint8Array(hkdfSync('sha256', this.#key, '', `bailiwick/${purpose}`, 32))
  }
}
