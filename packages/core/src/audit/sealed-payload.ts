import { createCipheriv, createDecipheriv, createHash, hkdfSync, timingSafeEqual } from 'node:crypto'
import { canonicalJson } from '../model/canonical-json.ts'
import { Fault } from '../model/fault.ts'

/** A person's key: what is sealed with it can be read for as long as it exists. */
export interface SubjectKey {
  /** 32 hexadecimal digits, random: it tells nothing of whose it is. */
  readonly id: string
  /** 32 bytes. */
  readonly key: Uint8Array
}

/** Where a sealed payload stands; it opens nowhere else. */
export interface SealedPlace {
  readonly ledger: string
  readonly index: number
}

const algorithm = 'HKDF-SHA256+A256GCM'
const keyBytes = 32
const saltLength = 32
const tagBytes = 16
// A key is derived for each payload and used once, so its nonce never repeats.
const nonce = Buffer.alloc(12)
const start = '{"sealed":{'
const form =
  /^\{"sealed":\{"alg":"HKDF-SHA256\+A256GCM","commit":"([0-9a-f]{64})","data":"([A-Za-z0-9_-]*)","keys":\[("[0-9a-f]{32}"(?:,"[0-9a-f]{32}")*)\],"salt":"([0-9a-f]{64})"\}\}$/

interface Sealed {
  readonly commit: Buffer
  readonly data: Buffer
  readonly keys: readonly string[]
  readonly salt: Buffer
}

/**
 * A payload that only all of these keys together open, as canonical JSON on one line. It takes a payload's place wherever
 * one is stored, hashed or proved, and none of that needs a key.
 *
 * @param body canonical JSON
 * @param keys at least one; their order does not matter
 * @param salt 32 random bytes, used for this payload only
 */
export function sealPayload(
  body: string,
  keys: readonly SubjectKey[],
  place: SealedPlace,
  salt: Uint8Array,
): string {
  const ordered = inOrder(keys)
  const { contentKey, commit } = derived(ordered, place, salt)
  const cipher = createCipheriv('aes-256-gcm', contentKey, nonce)
  const data = Buffer.concat([cipher.update(body, 'utf8'), cipher.final(), cipher.getAuthTag()])
  const ids = ordered.map(({ id }) => `"${id}"`).join(',')
  return `${start}"alg":"${algorithm}","commit":"${commit.toString('hex')}","data":"${data.toString('base64url')}","keys":[${ids}],"salt":"${Buffer.from(salt).toString('hex')}"}}`
}

/** The ids of the keys that open a payload; undefined where it is not sealed. */
export function sealedKeys(text: string): readonly string[] | undefined {
  return text.startsWith(start) ? parsed(text)?.keys : undefined
}

/**
 * The payload that was sealed.
 *
 * @param keys those that `sealedKeys` names, in any order
 * @throws Fault `log_broken` where they do not open it, it is of another place, or a byte of it was changed
 */
export function openPayload(text: string, keys: readonly SubjectKey[], place: SealedPlace): string {
  const sealed = parsed(text)
  const ordered = inOrder(keys)
  if (sealed === undefined || sealed.keys.join() !== ordered.map(({ id }) => id).join()) throw unopened(place)
  const { contentKey, commit } = derived(ordered, place, sealed.salt)
  // GCM alone lets one text open under two keys to two payloads.
  if (!timingSafeEqual(commit, sealed.commit)) throw unopened(place)
  const decipher = createDecipheriv('aes-256-gcm', contentKey, nonce, { authTagLength: tagBytes })
  decipher.setAuthTag(sealed.data.subarray(-tagBytes))
  try {
    const first = decipher.update(sealed.data.subarray(0, -tagBytes))
    return Buffer.concat([first, decipher.final()]).toString('utf8')
  } catch (cause) {
    throw unopened(place, cause)
  }
}

function parsed(text: string): Sealed | undefined {
  const found = form.exec(text)
  if (found === null) return undefined
  const [commit = '', encoded = '', list = '', salt = ''] = found.slice(1)
  const data = Buffer.from(encoded, 'base64url')
  // The last digit has bits that decode to nothing: one text for each payload, and no other.
  if (data.toString('base64url') !== encoded || data.length < tagBytes) return undefined
  const keys = list.split(',').map((id) => id.slice(1, -1))
  if (keys.some((id, at) => at > 0 && id <= (keys[at - 1] ?? ''))) return undefined
  return { commit: Buffer.from(commit, 'hex'), data, keys, salt: Buffer.from(salt, 'hex') }
}

function inOrder(keys: readonly SubjectKey[]): readonly SubjectKey[] {
  return keys.toSorted((one, other) => (one.id < other.id ? -1 : 1))
}

// Both come out of all keys at once, for this payload in this place: without any one of them, neither can be worked out.
function derived(
  keys: readonly SubjectKey[],
  { ledger, index }: SealedPlace,
  salt: Uint8Array,
): { readonly contentKey: Buffer; readonly commit: Buffer } {
  if (keys.length === 0 || salt.length !== saltLength || keys.some(({ key }) => key.length !== keyBytes)) {
    throw new Fault('internal', 'a payload cannot be sealed with what is no key or no salt', {
      fix: `Pass one key at least, each of ${keyBytes} bytes, and a salt of ${saltLength}.`,
    })
  }
  const context = canonicalJson({ index, keys: keys.map(({ id }) => id), ledger, v: 1 })
  const info = createHash('sha256').update('bailiwick sealed payload\n').update(context).digest()
  const secret = Buffer.concat(keys.map(({ key }) => key))
  const both = Buffer.from(hkdfSync('sha256', secret, salt, info, keyBytes * 2))
  return { contentKey: both.subarray(0, keyBytes), commit: both.subarray(keyBytes) }
}

function unopened({ index }: SealedPlace, cause?: unknown): Fault {
  return new Fault('log_broken', `the sealed payload of record ${index} does not open with its keys`, {
    fix: 'Keep the database as evidence, and run `bailiwick log verify`: the payload or a key was changed.',
    cause,
  })
}
