import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'
import type { Assertion, Attestation, RegisteredPasskey } from '../../src/index.ts'

/** The kinds of keys that passkeys have. */
export const algorithms = ['ES256', 'RS256', 'EdDSA'] as const
export type Algorithm = (typeof algorithms)[number]

/** What an authenticator and a browser say when they sign; a test changes some of it. */
export interface Saying {
  readonly challenge: string
  readonly origin?: string
  readonly rpId?: string
  readonly type?: string
  /** User present and verified, unless given. */
  readonly flags?: number
  readonly signCount?: number
  readonly client?: Readonly<Record<string, unknown>>
  /** Put after the counter. */
  readonly more?: Buffer
}

export const flags = { present: 0x01, verified: 0x04, credential: 0x40, extensions: 0x80 } as const
const usual = flags.present | flags.verified

/** Keys take long to make, and what they are is no matter of any test. */
const pairs = new Map<string, ReturnType<typeof newPair>>()

/** An authenticator with one passkey, which really signs. */
export class SoftAuthenticator {
  readonly party: { readonly rpId: string; readonly origin: string }
  readonly id: string
  readonly #key: KeyObject
  readonly #cose: Buffer
  readonly #algorithm: Algorithm
  #count = 0

  /** @param name tells its key from those of others */
  constructor(
    name = 'one',
    algorithm: Algorithm = 'ES256',
    party = { rpId: 'localhost', origin: 'http://localhost' },
  ) {
    const known = pairs.get(`${algorithm} ${name}`) ?? newPair(algorithm)
    pairs.set(`${algorithm} ${name}`, known)
    this.#key = known.privateKey
    this.#cose = coseKey(algorithm, known.publicKey)
    this.#algorithm = algorithm
    this.party = party
    this.id = createHash('sha256').update(this.#cose).update(randomBytes(8)).digest('base64url')
  }

  /** What the log keeps of it. */
  get passkey(): RegisteredPasskey {
    return { id: this.id, publicKey: this.#cose.toString('base64url'), ...this.party }
  }

  /** Answers a request to make a passkey. */
  register(saying: Saying): Attestation {
    const id = Buffer.from(this.id, 'base64url')
    const length = Buffer.alloc(2)
    length.writeUInt16BE(id.length)
    const credential = Buffer.concat([
      Buffer.alloc(16),
      length,
      id,
      this.#cose,
      saying.more ?? Buffer.alloc(0),
    ])
    const data = this.#data({ flags: usual | flags.credential, ...saying, more: credential })
    return {
      credential: this.id,
      clientDataJSON: this.#client({ type: 'webauthn.create', ...saying }).toString('base64url'),
      attestationObject: attestationObject(data).toString('base64url'),
    }
  }

  /** Signs, and counts on unless the test says where it stands. */
  sign(saying: Saying): Assertion {
    const data = this.#data({ signCount: (this.#count += 1), ...saying })
    const client = this.#client({ type: 'webauthn.get', ...saying })
    const signed = Buffer.concat([data, createHash('sha256').update(client).digest()])
    const signature = sign(this.#algorithm === 'EdDSA' ? null : 'sha256', signed, this.#key)
    return {
      credential: this.id,
      authenticatorData: data.toString('base64url'),
      clientDataJSON: client.toString('base64url'),
      signature: signature.toString('base64url'),
    }
  }

  #data({
    rpId = this.party.rpId,
    flags: said = usual,
    signCount = 0,
    more = Buffer.alloc(0),
  }: Saying): Buffer {
    const count = Buffer.alloc(4)
    count.writeUInt32BE(signCount)
    return Buffer.concat([createHash('sha256').update(rpId).digest(), Buffer.from([said]), count, more])
  }

  #client({ type, challenge, origin = this.party.origin, client = {} }: Saying): Buffer {
    return Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false, ...client }))
  }
}

function newPair(algorithm: Algorithm): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
  if (algorithm === 'ES256') return generateKeyPairSync('ec', { namedCurve: 'P-256' })
  if (algorithm === 'RS256') return generateKeyPairSync('rsa', { modulusLength: 2048 })
  return generateKeyPairSync('ed25519')
}

/** A public key as authenticators write it (COSE, CTAP2 canonical CBOR). */
export function coseKey(algorithm: Algorithm, key: KeyObject): Buffer {
  const jwk = key.export({ format: 'jwk' })
  const bytes = (member: 'x' | 'y' | 'n' | 'e') => Buffer.from(jwk[member] ?? '', 'base64url')
  switch (algorithm) {
    case 'ES256':
      return cborMap([1, 2], [3, -7], [-1, 1], [-2, bytes('x')], [-3, bytes('y')])
    case 'RS256':
      return cborMap([1, 3], [3, -257], [-1, bytes('n')], [-2, bytes('e')])
    case 'EdDSA':
      return cborMap([1, 1], [3, -8], [-1, 6], [-2, bytes('x')])
  }
}

function attestationObject(data: Buffer): Buffer {
  return cborMap(['fmt', 'none'], ['attStmt', new Map<never, never>()], ['authData', data])
}

/** What `cbor` writes. */
export type Written = number | string | Buffer | ReadonlyMap<never, never>

/** A map as CBOR. */
export function cborMap(...members: readonly (readonly [number | string, Written])[]): Buffer {
  return Buffer.concat([head(5, members.length), ...members.flat().map(cbor)])
}

function cbor(value: Written): Buffer {
  if (typeof value === 'number') return value >= 0 ? head(0, value) : head(1, -1 - value)
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)])
  return value instanceof Buffer ? Buffer.concat([head(2, value.length), value]) : head(5, 0)
}

function head(major: number, value: number): Buffer {
  const kind = major << 5
  if (value < 24) return Buffer.from([kind | value])
  if (value < 256) return Buffer.from([kind | 24, value])
  return Buffer.from([kind | 25, value >> 8, value & 0xff])
}
