import { Fault } from '../model/fault.ts'

/** What a time-stamping authority says of a digest. */
export interface TimeStamp {
  /** `YYYYMMDDhhmmss[.f…]Z`, as the token says it. */
  readonly genTime: string
  /** The token with the answer around it, as it came. */
  readonly response: Buffer
}

const sha256Oid = Buffer.from('0609608648016503040201', 'hex')
const tstInfoOid = Buffer.from('060b2a864886f70d0109100104', 'hex')

/**
 * A request for a time-stamp of a SHA-256 digest, in DER, that asks for the authority's certificate.
 *
 * @param digest 32 bytes
 * @param nonce 8 random bytes: the answer has to repeat them
 * @see https://www.rfc-editor.org/rfc/rfc3161 section 2.4.1
 */
export function timeStampRequest(digest: Uint8Array, nonce: Uint8Array): Buffer {
  const algorithm = der(0x30, sha256Oid, der(0x05))
  const imprint = der(0x30, algorithm, der(0x04, digest))
  return der(0x30, integer(Uint8Array.of(1)), imprint, integer(nonce), der(0x01, Uint8Array.of(0xff)))
}

/**
 * Reads an authority's answer and holds it against the request. Its signature and certificate are for an auditor to check
 * (`openssl ts -verify`), who alone knows which authorities to trust.
 *
 * @throws Fault `bad_input` where it was refused, is malformed, or is about something else
 * @see https://www.rfc-editor.org/rfc/rfc3161 section 2.4.2
 */
export function readTimeStamp(response: Uint8Array, digest: Uint8Array, nonce: Uint8Array): TimeStamp {
  const bytes = Buffer.from(response)
  const [status, token] = childrenOf(elementAt(bytes, 0))
  const code = status === undefined ? undefined : childrenOf(status)[0]
  // 0: granted; 1: granted with modifications.
  if (code === undefined || code.content.length !== 1 || (code.content[0] ?? 2) > 1 || token === undefined) {
    throw refusedStamp('the time-stamping authority refused')
  }
  const info = childrenOf(elementAt(tstInfoOf(token), 0))
  const [, , imprint, , genTime, ...rest] = info
  const [algorithm, hashed] = imprint === undefined ? [] : childrenOf(imprint)
  const sameAlgorithm = algorithm?.content.subarray(0, sha256Oid.length).equals(sha256Oid) === true
  const stamped = sameAlgorithm && hashed?.content.equals(digest) === true
  const answered = rest.some(({ tag, content }) => tag === 0x02 && content.equals(integerContent(nonce)))
  if (!stamped || !answered || genTime?.tag !== 0x18) {
    throw refusedStamp('the time-stamp is not about what was asked')
  }
  return { genTime: genTime.content.toString('latin1'), response: bytes }
}

// ContentInfo → SignedData → EncapsulatedContentInfo → the octets of TSTInfo.
function tstInfoOf(token: Element): Buffer {
  const [, wrapped] = childrenOf(token)
  const [signedData] = wrapped === undefined ? [] : childrenOf(wrapped)
  const parts = signedData === undefined ? [] : childrenOf(signedData)
  for (const part of parts) {
    if (part.tag !== 0x30 || !part.content.subarray(0, tstInfoOid.length).equals(tstInfoOid)) continue
    const [, octets] = childrenOf(part)
    const [text] = octets === undefined ? [] : childrenOf(octets)
    if (text?.tag === 0x04) return text.content
  }
  throw refusedStamp('the time-stamp holds no time')
}

function refusedStamp(message: string): Fault {
  return new Fault('bad_input', message, { fix: 'Check the address of the time-stamping authority.' })
}

interface Element {
  readonly tag: number
  readonly content: Buffer
  /** Where the next one begins, counted from where this one was read. */
  readonly end: number
}

function elementAt(bytes: Buffer, at: number): Element {
  const tag = bytes[at]
  const short = bytes[at + 1]
  const lengthBytes = short !== undefined && short > 0x80 ? short - 0x80 : 0
  if (tag === undefined || short === undefined || short === 0x80 || lengthBytes > 4) {
    throw refusedStamp('the answer of the time-stamping authority is malformed')
  }
  const start = at + 2 + lengthBytes
  const length =
    lengthBytes === 0 ? short : start <= bytes.length ? bytes.readUIntBE(at + 2, lengthBytes) : Infinity
  if (start + length > bytes.length)
    throw refusedStamp('the answer of the time-stamping authority is cut off')
  return { tag, content: bytes.subarray(start, start + length), end: start + length }
}

function childrenOf({ content }: Element): Element[] {
  const children: Element[] = []
  for (let at = 0; at < content.length;) {
    const child = elementAt(content, at)
    children.push(child)
    at = child.end
  }
  return children
}

function der(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents)
  if (content.length < 0x80) return Buffer.concat([Buffer.of(tag, content.length), content])
  const length = Buffer.from(content.length.toString(16).padStart(4, '0'), 'hex')
  return Buffer.concat([Buffer.of(tag, 0x80 + length.length), length, content])
}

function integer(magnitude: Uint8Array): Buffer {
  return der(0x02, integerContent(magnitude))
}

// As short as it can be, and never negative.
function integerContent(magnitude: Uint8Array): Buffer {
  let first = 0
  while (first < magnitude.length - 1 && magnitude[first] === 0) first += 1
  const short = Buffer.from(magnitude.subarray(first))
  return (short[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), short]) : short
}
