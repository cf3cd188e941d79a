// Checks a proof bundle: all that spec/bundle-format.md asks for, in one file that needs nothing but a browser. It is
// written apart from the service's own verifier, so that a mistake in the one is not one in the other.

const bundleFormat = 'bailiwick-proof-bundle/v1'
const proofFirstLine = 'c2sp.org/tlog-proof@v1'
const textLengthMax = 4 * 1024 * 1024
const encoder = new TextEncoder()

/** A bundle that cannot be read, or that proves nothing; the message is for people. */
class Refusal extends Error {}

/**
 * Checks the text of a bundle or of a tlog-proof.
 *
 * @param {string} text
 * @param {readonly string[]} trustedKeys the log's keys by the reader's own knowledge; none: the bundle's
 * @returns {Promise<{outcome: 'proven' | 'self-signed' | 'keyless' | 'refuted' | 'unsupported', checks: object[], bundle?: object,
 *   record?: object, checkpoint?: object, payload?: object, signers: string[]}>} never rejects for bad input. `keyless`:
 *   all fits together, and there was no key to check the signature with. A check has `title`, `passed`, `detail`, and
 *   `made`: false where nothing spoke against it because there was nothing to check
 */
export async function verifyText(text, trustedKeys) {
  const found = { outcome: 'refuted', checks: [], signers: [] }
  const check = async (title, work) => {
    try {
      const said = await work()
      const made = typeof said === 'string' ? { made: true, detail: said } : said
      found.checks.push({ title, passed: true, ...made })
      return true
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      found.checks.push({ title, passed: false, made: true, detail: error.message })
      return false
    }
  }
  // Each step rests on those before it.
  const steps = [
    ['The file is a proof bundle', () => readBundle(text, found)],
    ['The record is well formed', () => readRecord(found)],
    [checkpointTitle, () => readCheckpoint(found, trustedKeys)],
    ['The record is in the log of that checkpoint', () => checkInclusion(found)],
    [payloadTitle, () => checkPayload(found)],
  ]
  for (const [title, work] of steps) {
    const named = typeof title === 'string' ? title : title(found, trustedKeys)
    if (!(await check(named, work))) {
      if (found.outcome !== 'unsupported') found.outcome = 'refuted'
      return found
    }
  }
  found.outcome =
    trustedKeys.length > 0 ? 'proven' : isKeyless(found, trustedKeys) ? 'keyless' : 'self-signed'
  return found
}

/** Whether nobody has named a key: neither the reader nor the bundle, as a tlog-proof never does. */
function isKeyless(found, trustedKeys) {
  return trustedKeys.length === 0 && found.bundle.verifierKeys.length === 0
}

function checkpointTitle(found, trustedKeys) {
  if (isKeyless(found, trustedKeys)) return 'Who signed the checkpoint was not checked: there is no key'
  return trustedKeys.length > 0
    ? 'The checkpoint is signed with the key you entered'
    : 'The checkpoint is signed with the key in the bundle'
}

function payloadTitle(found) {
  const { state } = found.bundle.payload
  if (found.record.payload === null && state === 'none') return 'The record has no payload'
  return found.record.payload !== null && isAbsent(state)
    ? 'Whether a payload belongs to the record was not checked: there is none in the bundle'
    : 'The payload belongs to the record'
}

/** Whether there was a payload, and the bundle does not show it: of that nothing can be checked. */
function isAbsent(state) {
  return state === 'withheld' || state === 'erased'
}

/** What a step says that found nothing wrong because there was nothing to check. */
function notMade(detail) {
  return { made: false, detail }
}

function readBundle(text, found) {
  if (text.length > textLengthMax) throw new Refusal('It is too long to be one.')
  found.bundle = text.startsWith(`${proofFirstLine}\n`) ? proofBundleOf(text) : jsonBundleOf(text)
  return text.startsWith('{') ? 'Bailiwick proof bundle, version 1' : 'C2SP tlog-proof, version 1'
}

function jsonBundleOf(text) {
  const bundle = parseJson(text, 'It is not JSON. Open the whole file that `bailiwick log prove` wrote.')
  if (!isObject(bundle) || bundle.format !== bundleFormat) {
    throw new Refusal(`Its “format” is not ${bundleFormat}.`)
  }
  const shapes = {
    index: isIndex,
    record: isText,
    payload: isPayload,
    size: isIndex,
    proof: (value) => isTexts(value, 64),
    checkpoint: (value) => value === null || typeof value === 'string',
    verifierKeys: (value) => isTexts(value, 16),
  }
  for (const [member, hasShape] of Object.entries(shapes)) {
    if (!hasShape(bundle[member])) throw new Refusal(`Its “${member}” is missing or not what it should be.`)
  }
  return bundle
}

function proofBundleOf(text) {
  const end = text.indexOf('\n\n')
  const [, extraLine = '', indexLine = '', ...proof] = text.slice(0, Math.max(end, 0)).split('\n')
  const extra = /^extra ([A-Za-z0-9+/=]+)$/.exec(extraLine)
  const index = /^index (0|[1-9][0-9]{0,15})$/.exec(indexLine)
  if (extra === null || index === null) throw new Refusal('It lacks the record or its index.')
  const record = utf8(base64Bytes(extra[1]))
  const checkpoint = text.slice(end + 2)
  const hasPayload = typeof parseJson(record, 'The record in it is not JSON.')?.payload === 'string'
  return {
    index: Number(index[1]),
    record,
    payload: { state: hasPayload ? 'withheld' : 'none' },
    size: Number(checkpoint.split('\n')[1]),
    proof,
    checkpoint,
    verifierKeys: [],
  }
}

function readRecord(found) {
  const { record: text, index } = found.bundle
  const record = parseJson(text, 'The record is not JSON.')
  if (!isObject(record) || canonical(record) !== text)
    throw new Refusal('The record is not canonical JSON (RFC 8785).')
  if (record.v !== 1)
    throw new Refusal(`The record has version ${plain(record.v)}, which this page does not know.`)
  if (record.index !== index) {
    throw new Refusal(
      `The record says that it is number ${plain(record.index)}, the bundle that it is ${index}.`,
    )
  }
  if (typeof record.ledger !== 'string' || typeof record.at !== 'string')
    throw new Refusal('The record does not say of which ledger it is, or when it was written.')
  found.record = record
  return `Record ${index} of the ledger “${record.ledger}”, written at ${record.at}`
}

// What a record says may be anything, also what cannot be made a text.
function plain(value) {
  return typeof value === 'number' ? String(value) : 'none'
}

async function readCheckpoint(found, trustedKeys) {
  const { checkpoint: note, size, verifierKeys } = found.bundle
  if (note === null) throw new Refusal('The bundle has no checkpoint.')
  const keys = await parseKeys(found, trustedKeys, verifierKeys)
  const { text, signatures } = parseNote(note)
  if (keys.length === 0) return notMade(countedCheckpoint(found, text, size))
  for (const { name, id, signature } of signatures) {
    const key = keys.find((known) => known.name === name && known.id === id)
    if (key === undefined) continue
    if (!(await isSigned(found, key, signature, encoder.encode(text)))) {
      throw new Refusal(`The signature of ${name} does not match the checkpoint.`)
    }
    if (!found.signers.includes(key.text)) found.signers.push(key.text)
  }
  if (found.signers.length === 0) {
    throw new Refusal(
      trustedKeys.length > 0
        ? 'It is not signed by the key that you entered. It may be of another log, or forged.'
        : 'It is not signed by the key in the bundle.',
    )
  }
  return countedCheckpoint(found, text, size)
}

/** The keys to check signatures with. A malformed one that the reader entered says nothing about the bundle. */
async function parseKeys(found, trustedKeys, verifierKeys) {
  if (trustedKeys.length === 0) return await Promise.all(verifierKeys.map(parseKey))
  try {
    return await Promise.all(trustedKeys.map(parseKey))
  } catch (error) {
    if (error instanceof Refusal) found.outcome = 'unsupported'
    throw error
  }
}

function countedCheckpoint(found, text, size) {
  found.checkpoint = parseCheckpoint(text)
  if (found.checkpoint.size !== size) {
    throw new Refusal(`It counts ${found.checkpoint.size} records, the proof is for ${size}.`)
  }
  return `${found.checkpoint.origin}, ${size} records`
}

async function checkInclusion(found) {
  const { index, size, record, proof } = found.bundle
  const { root } = found.checkpoint
  if (index >= size) throw new Refusal(`A log of ${size} records has no record ${index}.`)
  const leaf = await sha256(joined([0], encoder.encode(record)))
  const hashes = proof.map(base64Bytes)
  if (hashes.some(({ length }) => length !== 32)) throw new Refusal('The proof has a hash that is none.')
  const reached = await foldedRoot(leaf, index, size, hashes)
  if (reached === undefined || hex(reached) !== hex(root)) {
    throw new Refusal('The record and the proof do not lead to the root in the checkpoint.')
  }
  return `${hashes.length} hashes lead from the record to the root in the checkpoint`
}

async function checkPayload(found) {
  const { payload } = found.bundle
  const commitment = found.record.payload
  if (commitment === null) {
    if (payload.state !== 'none') throw new Refusal('The bundle speaks of a payload, the record has none.')
    return 'It commits to none, and the bundle brings none'
  }
  if (payload.state === 'none')
    throw new Refusal('The record has a payload, the bundle says that there is none.')
  if (payload.state === 'withheld')
    return notMade('It was left out of this bundle; the record only commits to it')
  if (payload.state === 'erased') return notMade('It has been erased, by the word of whoever made the bundle')
  if (!/^[0-9a-f]{64}$/.test(payload.salt)) throw new Refusal('The salt is none.')
  const salt = Uint8Array.from(payload.salt.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))
  if (hex(await sha256(joined(salt, encoder.encode(payload.body)))) !== commitment) {
    throw new Refusal('The payload or its salt is not the one that the record commits to.')
  }
  found.payload = parseJson(payload.body, 'The payload is not JSON.')
  return 'It is the one that the record commits to'
}

// RFC 9162, section 2.1.3.2. Indices pass 2^31, so no bit operators.
async function foldedRoot(leaf, index, size, proof) {
  const half = (value) => Math.floor(value / 2)
  let [hash, node, last] = [leaf, index, size - 1]
  for (const sibling of proof) {
    if (last === 0) return undefined
    if (node % 2 === 1 || node === last) {
      hash = await sha256(joined([1], sibling, hash))
      while (node % 2 === 0 && node > 0) [node, last] = [half(node), half(last)]
    } else {
      hash = await sha256(joined([1], hash, sibling))
    }
    ;[node, last] = [half(node), half(last)]
  }
  return last === 0 ? hash : undefined
}

async function parseKey(text) {
  const [, name, id, encoded] = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(text) ?? []
  const bytes = encoded === undefined ? undefined : base64Bytes(encoded)
  if (bytes?.length !== 33 || bytes[0] !== 1) {
    throw new Refusal(
      'A key is malformed. It looks like name+8 hexadecimal digits+base64, and is an Ed25519 key.',
    )
  }
  const digest = await sha256(joined(encoder.encode(`${name}\n`), bytes))
  if (hex(digest.subarray(0, 4)) !== id)
    throw new Refusal(`The id in the key of ${name} does not fit the key.`)
  return { text, name, id, raw: bytes.subarray(1) }
}

function parseNote(note) {
  const malformed = new Refusal('The checkpoint is not a signed note.')
  const split = note.lastIndexOf('\n\n')
  // oxlint-disable-next-line no-control-regex -- notes must not contain them
  if (split === -1 || !note.endsWith('\n') || /[\u0000-\u0009\u000b-\u001f]|\p{Surrogate}/u.test(note))
    throw malformed
  const signatures = note
    .slice(split + 2, -1)
    .split('\n')
    .map((line) => {
      const [, name, encoded] = /^— ([^\s+]+) ([A-Za-z0-9+/=]+)$/u.exec(line) ?? []
      const bytes = encoded === undefined ? undefined : base64Bytes(encoded)
      if (bytes === undefined || bytes.length <= 4) throw malformed
      return { name, id: hex(bytes.subarray(0, 4)), signature: bytes.subarray(4) }
    })
  return { text: note.slice(0, split + 1), signatures }
}

function parseCheckpoint(text) {
  const [origin = '', size = '', root = ''] = text.split('\n')
  const bytes = /^[A-Za-z0-9+/=]+$/.test(root) ? base64Bytes(root) : new Uint8Array()
  if (origin === '' || !/^(0|[1-9][0-9]{0,15})$/.test(size) || bytes.length !== 32) {
    throw new Refusal('The note is no checkpoint.')
  }
  return { origin, size: Number(size), root: bytes }
}

async function isSigned(found, key, signature, signed) {
  const { subtle } = globalThis.crypto ?? {}
  try {
    if (subtle === undefined) throw new DOMException('no WebCrypto here', 'NotSupportedError')
    const imported = await subtle.importKey('raw', key.raw, { name: 'Ed25519' }, false, ['verify'])
    return await subtle.verify({ name: 'Ed25519' }, imported, signature, signed)
  } catch (error) {
    if (error?.name !== 'NotSupportedError')
      throw new Refusal(`The key of ${key.name} is not an Ed25519 key.`)
    found.outcome = 'unsupported'
    throw new Refusal(
      'This browser cannot check Ed25519 signatures here, so nothing has been proven or disproven. Save this page as a file and open it in Chrome or Edge 137, Firefox 129, Safari 17 or newer, or run `bailiwick log verify --bundle FILE`.',
    )
  }
}

/** SHA-256 by the browser, or by the code below where the page is not in a secure context. */
async function sha256(bytes) {
  const { subtle } = globalThis.crypto ?? {}
  return subtle === undefined ? plainSha256(bytes) : new Uint8Array(await subtle.digest('SHA-256', bytes))
}

const primes = Array.from({ length: 312 }, (_, at) => at).filter((n) => n > 1 && !divisible(n))
function divisible(n) {
  for (let by = 2; by * by <= n; by++) if (n % by === 0) return true
  return false
}
const fraction = (value) => Math.floor((value - Math.floor(value)) * 2 ** 32) | 0
const initial = primes.slice(0, 8).map((prime) => fraction(Math.sqrt(prime)))
const constants = primes.map((prime) => fraction(Math.cbrt(prime)))

/** SHA-256 by FIPS 180-4, section 6.2. */
export function plainSha256(bytes) {
  const length = Math.ceil((bytes.length + 9) / 64) * 64
  const padded = new Uint8Array(length)
  padded.set(bytes)
  padded[bytes.length] = 0x80
  const view = new DataView(padded.buffer)
  view.setUint32(length - 8, Math.floor(bytes.length / 2 ** 29))
  view.setUint32(length - 4, (bytes.length * 8) >>> 0)
  const state = Int32Array.from(initial)
  for (let block = 0; block < length; block += 64) compress(state, view, block)
  const digest = new DataView(new ArrayBuffer(32))
  state.forEach((word, at) => digest.setInt32(at * 4, word))
  return new Uint8Array(digest.buffer)
}

function compress(state, view, block) {
  const turn = (word, by) => (word >>> by) | (word << (32 - by))
  const words = new Int32Array(64)
  for (let at = 0; at < 64; at++) {
    if (at < 16) words[at] = view.getInt32(block + at * 4)
    else {
      const [w2, w15] = [words[at - 2], words[at - 15]]
      const small1 = turn(w2, 17) ^ turn(w2, 19) ^ (w2 >>> 10)
      const small0 = turn(w15, 7) ^ turn(w15, 18) ^ (w15 >>> 3)
      words[at] = small1 + words[at - 7] + small0 + words[at - 16]
    }
  }
  let [a, b, c, d, e, f, g, h] = state
  for (let at = 0; at < 64; at++) {
    const big1 = turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)
    const big0 = turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)
    const one = (h + big1 + ((e & f) ^ (~e & g)) + constants[at] + words[at]) | 0
    const two = (big0 + ((a & b) ^ (a & c) ^ (b & c))) | 0
    ;[h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0]
  }
  ;[a, b, c, d, e, f, g, h].forEach((word, at) => (state[at] += word))
}

/** RFC 8785: members by their UTF-16 units, no spaces, numbers and texts as JavaScript writes them. */
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (!isObject(value)) return JSON.stringify(value)
  const members = Object.keys(value)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`)
  return `{${members.join(',')}}`
}

function parseJson(text, otherwise) {
  try {
    return JSON.parse(text)
  } catch {
    throw new Refusal(otherwise)
  }
}

function base64Bytes(text) {
  try {
    const bytes = Uint8Array.from(atob(text), (unit) => unit.charCodeAt(0))
    // One spelling for one value: padding bits that are not zero are refused.
    if (btoa(String.fromCharCode(...bytes.subarray(0, 1e5))) === text || bytes.length > 1e5) return bytes
  } catch {
    // Told below, like every other spelling that is none.
  }
  throw new Refusal('A base64 text in it is malformed.')
}

function utf8(bytes) {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new Refusal('The record in it is not UTF-8.')
  }
}

function joined(...parts) {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isIndex(value) {
  return Number.isSafeInteger(value) && value >= 0
}

// As UTF-8, half of a surrogate pair is another character: another text would have the hash of the one that was recorded.
function isText(value) {
  return typeof value === 'string' && !/\p{Surrogate}/u.test(value)
}

function isTexts(value, lengthMax) {
  return Array.isArray(value) && value.length <= lengthMax && value.every((item) => typeof item === 'string')
}

function isPayload(value) {
  if (!isObject(value)) return false
  if (value.state === 'included') return isText(value.salt) && isText(value.body)
  return ['withheld', 'erased', 'none'].includes(value.state)
}
