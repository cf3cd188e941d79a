import { createPrivateKey, createPublicKey, generateKeyPairSync, hash, sign, verify } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { Fault } from '../model/fault.ts'

/** The byte that says Ed25519 in keys and key ids. */
const ed25519 = 0x01
const publicKeyBytes = 32
const keyIdBytes = 4
/** As the Go implementation limits them. */
const noteLengthMax = 1_000_000
const signaturesMax = 100

/** Signs notes under a name. */
export interface NoteSigner {
  readonly name: string
  readonly keyId: Buffer
  readonly privateKey: KeyObject
}

/**
 * Signs a text.
 *
 * @param text lines, each ended by a newline
 * @param signers at least one; while a key is replaced, the new one and the old one
 * @returns the text, an empty line and a line for each signature
 * @throws Fault `bad_input` for a text that notes cannot carry
 * @see https://c2sp.org/signed-note
 */
export function signNote(text: string, ...signers: readonly NoteSigner[]): string {
  if (!text.endsWith('\n') || !isNoteText(text) || signers.length === 0) {
    throw new Fault('bad_input', 'a note cannot carry this text, or nobody signs it', {
      fix: 'Use printable lines, each ended by a newline, and a key.',
    })
  }
  const lines = signers.map(({ name, keyId, privateKey }) =>
    signatureLine(name, keyId, sign(null, Buffer.from(text), privateKey)),
  )
  return `${text}\n${lines.join('')}`
}

function signatureLine(name: string, keyId: Buffer, signature: Buffer): string {
  return `— ${name} ${Buffer.concat([keyId, signature]).toString('base64')}\n`
}

/**
 * The text of a note, once at least one of the keys has verified. Signatures by other keys are ignored; one by a
 * known key that does not verify spoils the note.
 *
 * @param verifierKeys keys as `verifierKey` writes them
 * @throws Fault `log_broken` for a note that is malformed or not signed so; `bad_input` for a malformed key
 */
export function openNote(note: string, verifierKeys: readonly string[]): string {
  const keys = verifierKeys.map(parseVerifierKey)
  const { text, signatures } = parseNote(note)

  const signed = Buffer.from(text)
  let verified = 0
  for (const { name, keyId, signature } of signatures) {
    const key = keys.find((candidate) => candidate.name === name && candidate.keyId.equals(keyId))
    if (key === undefined) continue
    if (!verify(null, signed, key.publicKey, signature)) {
      throw new Fault('log_broken', `the signature of \`${name}\` does not match what it signs`, {
        fix: 'Get the note again from its source; if it stays so, treat its content as forged.',
      })
    }
    verified += 1
  }
  if (verified === 0) {
    throw new Fault('log_broken', 'the note is not signed by any of the keys given', {
      fix: 'Check that the verifier key belongs to this log.',
    })
  }
  return text
}

/** A signature line of a note. */
export interface NoteSignature {
  readonly name: string
  readonly keyId: Buffer
  readonly signature: Buffer
}

/** The parts of a note, unverified. @throws Fault `log_broken` for one that is malformed */
export function parseNote(note: string): { text: string; signatures: NoteSignature[] } {
  const split = note.lastIndexOf('\n\n')
  if (split === -1 || note.length > noteLengthMax || !note.endsWith('\n') || !isNoteText(note))
    throw malformedNote()

  const lines = note.slice(split + 2, -1).split('\n')
  if (lines.length > signaturesMax) throw malformedNote()
  return { text: note.slice(0, split + 1), signatures: lines.map(parseSignature) }
}

function parseSignature(line: string): NoteSignature {
  const [dash, name, encoded, ...rest] = line.split(' ')
  const bytes = encoded === undefined ? undefined : decodeBase64(encoded)
  if (dash !== '—' || name === undefined || !isKeyName(name) || bytes === undefined || rest.length > 0) {
    throw malformedNote()
  }
  if (bytes.length <= keyIdBytes) throw malformedNote()
  return { name, keyId: bytes.subarray(0, keyIdBytes), signature: bytes.subarray(keyIdBytes) }
}

function malformedNote(): Fault {
  return new Fault('log_broken', 'the note is malformed', {
    fix: 'Give it exactly as it was published: a text, an empty line and signature lines.',
  })
}

/** Well-formed, and no control characters but newlines. */
function isNoteText(text: string): boolean {
  if (/\p{Surrogate}/u.test(text)) return false
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit < 0x20 && unit !== 0x0a) return false
  }
  return true
}

/** Whether signed notes can bear the name. */
export function isKeyName(name: string): boolean {
  return /^[^\s\p{White_Space}\p{Cc}\p{Surrogate}+]+$/u.test(name)
}

/** The bytes that standard base64 text stands for; undefined where the text is not exactly their encoding. */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}

/** The first four bytes of SHA-256(name ‖ newline ‖ 0x01 ‖ public key). */
function keyIdOf(name: string, publicKey: Uint8Array): Buffer {
  return hash(
    'sha256',
    Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(ed25519), publicKey]),
    'buffer',
  ).subarray(0, keyIdBytes)
}

/**
 * A public key as it is published and as Go's `note.NewVerifier` reads it:
 * `name+hexadecimal key id+base64(0x01 ‖ public key)`.
 *
 * @param publicKey the 32 bytes of an Ed25519 key
 * @throws Fault `bad_input` for a name that is empty or contains spaces or `+`, and for other keys
 */
export function verifierKey(name: string, publicKey: Uint8Array): string {
  if (!isKeyName(name)) {
    throw new Fault('bad_input', 'a log key needs a name without spaces or `+`', {
      fix: 'Use a name like `example.com/ledger`.',
    })
  }
  if (publicKey.length !== publicKeyBytes) {
    throw new Fault('bad_input', `a public key has ${publicKey.length} bytes instead of ${publicKeyBytes}`, {
      fix: 'Pass an Ed25519 public key.',
    })
  }
  const encoded = Buffer.concat([Buffer.of(ed25519), publicKey]).toString('base64')
  return `${name}+${keyIdOf(name, publicKey).toString('hex')}+${encoded}`
}

function parseVerifierKey(text: string): { name: string; keyId: Buffer; publicKey: KeyObject } {
  const [, name, encoded] = /^([^+]*)\+[0-9a-f]{8}\+(.*)$/s.exec(text) ?? []
  const bytes = encoded === undefined ? undefined : decodeBase64(encoded)
  const raw = bytes?.subarray(1)
  const wellFormed =
    name !== undefined && isKeyName(name) && bytes?.[0] === ed25519 && raw?.length === publicKeyBytes
  // Writing it again checks the key id.
  if (!wellFormed || verifierKey(name, raw) !== text) {
    throw new Fault('bad_input', 'the verifier key is malformed', {
      fix: 'Give the whole key, `name+8 hexadecimal digits+base64`, as the log publishes it; Ed25519 only.',
    })
  }
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') }
  return { name, keyId: keyIdOf(name, raw), publicKey: createPublicKey({ key: jwk, format: 'jwk' }) }
}

/**
 * A new Ed25519 key for a log. The private key is a secret; the verifier key is there to be published.
 *
 * @param passphrase where given, the private key is encrypted under it (PKCS #8, AES-256)
 */
export function createLogKey(
  name: string,
  passphrase?: string,
): { privateKeyPem: string; verifierKey: string } {
  const { privateKey } = generateKeyPairSync('ed25519')
  const privateKeyPem = pemOf(privateKey, passphrase)
  return { privateKeyPem, verifierKey: loadLogKey(name, privateKeyPem, passphrase).verifierKey }
}

/** The same key, encrypted under another passphrase, or not at all. @throws as `loadLogKey` does */
export function reencryptLogKey(privateKeyPem: string, from?: string, to?: string): string {
  return pemOf(parsePrivateKey(privateKeyPem, from), to)
}

function pemOf(privateKey: KeyObject, passphrase: string | undefined): string {
  const form = { type: 'pkcs8', format: 'pem' } as const
  const pem =
    passphrase === undefined
      ? privateKey.export(form)
      : privateKey.export({ ...form, cipher: 'aes-256-cbc', passphrase })
  return pem.toString()
}

/** Whether a private key in PEM needs a passphrase. */
export function isEncryptedKey(privateKeyPem: string): boolean {
  return privateKeyPem.includes('-----BEGIN ENCRYPTED PRIVATE KEY-----')
}

/**
 * A log's key, ready to sign.
 *
 * @param passphrase of an encrypted key
 * @throws Fault `bad_input` for a bad name, what is not an Ed25519 private key in PEM, or another passphrase
 */
export function loadLogKey(
  name: string,
  privateKeyPem: string,
  passphrase?: string,
): { signer: NoteSigner; verifierKey: string } {
  const privateKey = parsePrivateKey(privateKeyPem, passphrase)
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' })
  const publicKey = Buffer.from(x ?? '', 'base64url')
  const published = verifierKey(name, publicKey)
  return { signer: { name, keyId: keyIdOf(name, publicKey), privateKey }, verifierKey: published }
}

function parsePrivateKey(pem: string, passphrase: string | undefined): KeyObject {
  const encrypted = isEncryptedKey(pem)
  if (encrypted && passphrase === undefined) {
    throw new Fault('bad_input', 'the log key is encrypted, and there is no passphrase for it', {
      fix: 'Set BAILIWICK_LOG_KEY_PASSPHRASE, or BAILIWICK_LOG_KEY_PASSPHRASE_FILE to a file that holds it.',
    })
  }
  const fix = encrypted
    ? 'Give the passphrase that the log key was encrypted with.'
    : 'Restore the log key from a backup, or create a new one.'
  let key: KeyObject
  try {
    key = createPrivateKey(encrypted && passphrase !== undefined ? { key: pem, passphrase } : pem)
  } catch (cause) {
    const what = encrypted ? 'cannot be decrypted with this passphrase' : 'is not a private key in PEM'
    throw new Fault('bad_input', `the log key ${what}`, { fix, cause })
  }
  if (key.asymmetricKeyType !== 'ed25519')
    throw new Fault('bad_input', 'the log key is not an Ed25519 key', { fix })
  return key
}
