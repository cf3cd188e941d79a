import { Fault } from '../model/fault.ts'
import type { LogRecord } from '../model/record.ts'
import { openCheckpoint } from './checkpoint.ts'
import type { Checkpoint } from './checkpoint.ts'
import { commitPayload, saltBytes } from './commitment.ts'
import { hashBytes, isSize, leafHash } from './frontier.ts'
import { verifyInclusion } from './merkle.ts'
import { recordText } from './record.ts'
import { parseRecord } from './record-shape.ts'
import { sealedKeys } from './sealed-payload.ts'
import { decodeBase64 } from './signed-note.ts'

/** How a proof bundle says what it is. */
export const proofBundleFormat = 'bailiwick-proof-bundle/v1'

/** Longest text of a bundle that is read: a record, a payload and a proof at their largest, with room to spare. */
export const proofBundleLengthMax = 4 * 1024 * 1024
const proofHashesMax = 64
const loneSurrogate = /\p{Surrogate}/u
const verifierKeysMax = 16

/** A record's payload in a bundle: there, kept back by whoever made the bundle, erased, or never there. */
export type BundledPayload =
  | { readonly state: 'included'; readonly salt: string; readonly body: string }
  | { readonly state: 'withheld' | 'erased' | 'none' }

/** All that it takes to check offline that one record is in a log. `spec/bundle-format.md` has every member. */
export interface ProofBundle {
  readonly format: typeof proofBundleFormat
  readonly index: number
  /** The record's text exactly as it was hashed. */
  readonly record: string
  readonly payload: BundledPayload
  /** Of the tree that the proof is for. */
  readonly size: number
  /** Sibling hashes in base64, nearest the leaf first. */
  readonly proof: readonly string[]
  /** The signed note of the tree of this size; null where the asker has one of their own. */
  readonly checkpoint: string | null
  /** The keys of the log, by the word of whoever made the bundle. */
  readonly verifierKeys: readonly string[]
}

/** Proof that the log of `to` records continues the one of `from`. Hashes and roots are base64. */
export interface ConsistencyProof {
  readonly from: number
  readonly to: number
  readonly fromRoot: string
  readonly toRoot: string
  /** By RFC 9162, section 2.1.4. */
  readonly proof: readonly string[]
}

/** What a bundle proves. */
export type ProofVerdict = ProvenRecord | RefutedProof

/** The record is in the log that signed the checkpoint, at this index. */
export interface ProvenRecord {
  readonly kind: 'proven'
  readonly record: LogRecord
  readonly checkpoint: Checkpoint
  /** The keys that signed it. */
  readonly signedBy: readonly string[]
  /** Whose word the keys are: `given` by the caller, or only `bundled`, which says nothing of who signed. */
  readonly keys: 'given' | 'bundled'
  /**
   * `committed`: the payload is the one that the record commits to; `sealed`: the same, as it is stored, and what opens it
   * is not in the bundle. The others are the bundle's word.
   */
  readonly payload: 'committed' | 'sealed' | 'withheld' | 'erased' | 'none'
}

/** It proves nothing. */
export interface RefutedProof {
  readonly kind: 'refuted'
  readonly problem: string
  readonly fix: string
}

/**
 * The bundle that a text is, as JSON.
 *
 * @throws Fault `bad_input` for what is none; whether it proves anything is for `verifyProofBundle`
 */
export function parseProofBundle(text: string): ProofBundle {
  if (text.length > proofBundleLengthMax) throw notBundle('it is too long')
  const value = parseJson(text)
  if (namesTwice(text, value)) throw notBundle('one of its objects has two members of one name')
  if (!isObject(value)) throw notBundle('it is not a JSON object')
  if (value['format'] !== proofBundleFormat) throw notBundle(`its \`format\` is not \`${proofBundleFormat}\``)
  const { index, record, payload, size, proof, checkpoint, verifierKeys } = value
  if (!isIndex(index)) throw wrongMember('index')
  if (!isText(record)) throw wrongMember('record')
  if (!isPayload(payload)) throw wrongMember('payload')
  if (!isIndex(size)) throw wrongMember('size')
  if (!isTexts(proof, proofHashesMax)) throw wrongMember('proof')
  if (typeof checkpoint !== 'string' && checkpoint !== null) throw wrongMember('checkpoint')
  if (!isTexts(verifierKeys, verifierKeysMax)) throw wrongMember('verifierKeys')
  return { format: proofBundleFormat, index, record, payload, size, proof, checkpoint, verifierKeys }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw notBundle('it is not JSON', cause)
  }
}

/** Whether an object in JSON has a name twice: `JSON.parse` keeps the last, and another reader may show the first. */
function namesTwice(text: string, parsed: unknown): boolean {
  let left = 0
  let isInText = false
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (isInText && character === '\\') at++
    else if (character === '"') isInText = !isInText
    else if (character === ':' && !isInText) left++
  }
  const nested = [parsed]
  for (let value = nested.pop(); value !== undefined; value = nested.pop()) {
    if (isObject(value)) left -= Object.keys(value).length
    if (typeof value === 'object' && value !== null)
      for (const each of Object.values(value)) nested.push(each)
  }
  return left > 0
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isIndex(value: unknown): value is number {
  return typeof value === 'number' && isSize(value)
}

// As UTF-8, half of a surrogate pair is another character: another text would have the hash of the one that was recorded.
function isText(value: unknown): value is string {
  return typeof value === 'string' && !loneSurrogate.test(value)
}

function isTexts(value: unknown, lengthMax: number): value is string[] {
  return Array.isArray(value) && value.length <= lengthMax && value.every((item) => typeof item === 'string')
}

function isPayload(value: unknown): value is BundledPayload {
  if (!isObject(value)) return false
  const { state, salt, body } = value
  if (state === 'included') return isText(salt) && isText(body)
  return state === 'withheld' || state === 'erased' || state === 'none'
}

function wrongMember(name: string): Fault {
  return notBundle(`its \`${name}\` is missing or not what it should be`)
}

function notBundle(why: string, cause?: unknown): Fault {
  return new Fault('bad_input', `this is no proof bundle: ${why}`, {
    fix: 'Give a file that `bailiwick log prove` wrote, whole and unchanged.',
    cause,
  })
}

/**
 * Checks a bundle against its own checkpoint, offline: the record's bytes and place, the inclusion proof, the
 * checkpoint's signature, the payload's commitment.
 *
 * @param verifierKeys the keys that the caller trusts to be the log's; one must have signed. Without them the bundle's
 *   own are taken, and it proves only that whoever holds those keys signed
 * @throws Fault `bad_input` for a malformed key of the caller's
 */
export function verifyProofBundle(bundle: ProofBundle, verifierKeys?: readonly string[]): ProofVerdict {
  const keys = verifierKeys ?? bundle.verifierKeys
  const record = readRecord(bundle)
  if (record instanceof Fault) return refuted(record.message)
  const checkpoint = signedCheckpoint(bundle, keys, verifierKeys !== undefined)
  if (checkpoint instanceof Fault) return refuted(checkpoint.message, checkpoint.fix)
  const problem = inclusionProblem(bundle, checkpoint) ?? payloadProblem(bundle.payload, record.payload)
  if (problem !== undefined) return refuted(problem)
  return {
    kind: 'proven',
    record,
    checkpoint,
    signedBy: keys.filter((key) => hasSigned(bundle, key)),
    keys: verifierKeys === undefined ? 'bundled' : 'given',
    payload: shownAs(bundle.payload),
  }
}

function shownAs(payload: ProofBundle['payload']): ProvenRecord['payload'] {
  if (payload.state !== 'included') return payload.state
  return sealedKeys(payload.body) === undefined ? 'committed' : 'sealed'
}

const fixBundle = 'Get the bundle again from its source; if it stays so, treat it as forged.'

function refuted(problem: string, fix = fixBundle): RefutedProof {
  return { kind: 'refuted', problem, fix }
}

function broken(message: string, fix = fixBundle): Fault {
  return new Fault('log_broken', message, { fix })
}

function readRecord({ record: text, index }: ProofBundle): LogRecord | Fault {
  try {
    const record = parseRecord(text)
    if (recordText(record) !== text) return broken('the record is not canonical JSON')
    if (record.index === index) return record
    return broken(`the record says that it is record ${record.index}, the bundle that it is ${index}`)
  } catch (error) {
    if (error instanceof Fault) return error
    throw error
  }
}

function signedCheckpoint(
  { checkpoint: note, size }: ProofBundle,
  keys: readonly string[],
  areGiven: boolean,
): Checkpoint | Fault {
  if (note === null) {
    return broken('the bundle has no checkpoint', 'Ask for the proof at the size of a published checkpoint.')
  }
  try {
    const checkpoint = openCheckpoint(note, keys)
    if (checkpoint.size === size) return checkpoint
    return broken(`the proof is for a log of ${size} records, the checkpoint for ${checkpoint.size}`)
  } catch (error) {
    // A key that the caller gave and that is none is the caller's mistake, not the bundle's.
    if (error instanceof Fault && (error.code === 'log_broken' || !areGiven)) return error
    throw error
  }
}

function hasSigned({ checkpoint }: ProofBundle, key: string): boolean {
  try {
    return openCheckpoint(checkpoint ?? '', [key]).size >= 0
  } catch (error) {
    if (error instanceof Fault) return false
    throw error
  }
}

function inclusionProblem(
  { index, size, record, proof: encoded }: ProofBundle,
  { root }: Checkpoint,
): string | undefined {
  const proof = encoded.flatMap((hash) => decodeBase64(hash) ?? [])
  if (proof.length !== encoded.length || proof.some(({ length }) => length !== hashBytes)) {
    return 'the inclusion proof has a hash that is none'
  }
  const holds = verifyInclusion({ index, size, leaf: leafHash(record), proof, root })
  return holds ? undefined : 'the inclusion proof does not lead from the record to the root that was signed'
}

function payloadProblem(payload: BundledPayload, commitment: string | null): string | undefined {
  if (commitment === null) {
    return payload.state === 'none'
      ? undefined
      : 'the bundle speaks of a payload that the record does not have'
  }
  if (payload.state === 'none')
    return 'the record commits to a payload, and the bundle says that there is none'
  if (payload.state !== 'included') return undefined
  const salt = Buffer.from(payload.salt, 'hex')
  const matches =
    salt.length === saltBytes &&
    salt.toString('hex') === payload.salt &&
    commitPayload(salt, payload.body) === commitment
  return matches ? undefined : 'the payload or its salt is not the one that the record commits to'
}
