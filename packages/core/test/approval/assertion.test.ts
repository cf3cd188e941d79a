import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkAssertion, countsOn, type Assertion } from '../../src/index.ts'
import { algorithms, flags, SoftAuthenticator } from './authenticator.ts'

const challenge = Buffer.from('what is to be signed').toString('base64url')

describe.each(algorithms)('a passkey for %s', (algorithm) => {
  const authenticator = new SoftAuthenticator('one', algorithm)
  const key = authenticator.passkey

  test('signs a challenge, and the counter is told', () => {
    const assertion = authenticator.sign({ challenge, signCount: 7 })
    expect(checkAssertion(assertion, key, challenge)).toEqual({ kind: 'valid', signCount: 7 })
  })

  test('does not sign for the key of another authenticator', () => {
    const other = new SoftAuthenticator('other', algorithm)
    const assertion = { ...other.sign({ challenge }), credential: key.id }
    expect(checkAssertion(assertion, key, challenge)).toMatchObject({
      problem: 'the registered key did not make the signature',
    })
  })

  test('does not count with any byte of its answer changed', () => {
    const honest = authenticator.sign({ challenge })
    const members = ['authenticatorData', 'clientDataJSON', 'signature'] as const
    const change = fc.tuple(fc.constantFrom(...members), fc.nat(), fc.integer({ min: 1, max: 255 }))
    fc.assert(
      fc.property(change, ([member, at, by]) => {
        const bytes = Buffer.from(honest[member], 'base64url')
        bytes.writeUInt8((bytes[at % bytes.length] ?? 0) ^ by, at % bytes.length)
        const changed: Assertion = { ...honest, [member]: bytes.toString('base64url') }
        expect(checkAssertion(changed, key, challenge).kind).toBe('invalid')
      }),
      { numRuns: 300 },
    )
  })

  test('does not count with any character of its registered key changed', () => {
    const honest = authenticator.sign({ challenge })
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 255 }), (at, by) => {
        const bytes = Buffer.from(key.publicKey, 'base64url')
        bytes.writeUInt8((bytes[at % bytes.length] ?? 0) ^ by, at % bytes.length)
        const changed = { ...key, publicKey: bytes.toString('base64url') }
        expect(checkAssertion(honest, changed, challenge).kind).toBe('invalid')
      }),
    )
  })
})

describe('an assertion', () => {
  const authenticator = new SoftAuthenticator()
  const key = authenticator.passkey
  const problemOf = (assertion: Assertion) => {
    const checked = checkAssertion(assertion, key, challenge)
    return checked.kind === 'invalid' ? checked.problem : undefined
  }

  test.each([
    ['another challenge', { challenge: 'AAAA' }, 'it answers another challenge'],
    ['a registration', { type: 'webauthn.create' }, 'it was made for something else'],
    [
      'a page of another origin',
      { origin: 'https://evil.example' },
      'it was made on a page of another origin',
    ],
    ['another port', { origin: 'http://localhost:8080' }, 'it was made on a page of another origin'],
    ['a frame', { client: { crossOrigin: true } }, 'it was made inside a page of another site'],
    [
      'a frame of a site',
      { client: { topOrigin: 'https://evil.example' } },
      'it was made inside a page of another site',
    ],
    ['another relying party', { rpId: 'evil.example' }, 'it was made for another site'],
    ['an absent person', { flags: flags.verified }, 'nobody was present when it was made'],
    [
      'a person nobody verified',
      { flags: flags.present },
      'the authenticator did not verify who was present',
    ],
    [
      'bytes that no flag announces',
      { more: Buffer.from([0xa0]) },
      'its authenticator data has the wrong length',
    ],
  ])('of %s does not count', (_, saying, problem) => {
    expect(problemOf(authenticator.sign({ challenge, ...saying }))).toBe(problem)
  })

  test('with extensions that the authenticator announces counts', () => {
    const said = flags.present | flags.verified | flags.extensions
    expect(
      problemOf(authenticator.sign({ challenge, flags: said, more: Buffer.from([0xa0]) })),
    ).toBeUndefined()
    const trailing = Buffer.from([0xa0, 0x00])
    expect(problemOf(authenticator.sign({ challenge, flags: said, more: trailing }))).toBeDefined()
  })

  test('that names another credential does not count', () => {
    expect(problemOf({ ...authenticator.sign({ challenge }), credential: 'AAAA' })).toBe(
      'it is of another passkey',
    )
  })

  test.each(['', ' ', '{"type":"webauthn.get"', '[]', 'null', '\uFEFF{}'])(
    'whose client data is %j does not count',
    (text) => {
      const clientDataJSON = Buffer.from(text).toString('base64url')
      expect(problemOf({ ...authenticator.sign({ challenge }), clientDataJSON })).toBeDefined()
    },
  )

  test('in another alphabet, with padding or with idle bits is not read', () => {
    const honest = authenticator.sign({ challenge })
    for (const signature of [
      `${honest.signature}=`,
      `${honest.signature} `,
      honest.signature.replace(/.$/, '!'),
    ])
      expect(problemOf({ ...honest, signature })).toBe('a part of it is not base64url')
  })

  test('of anything at all is an answer and never an error', () => {
    const text = fc.oneof(
      fc.string(),
      fc.base64String(),
      fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('base64url')),
    )
    const anything = fc.record({
      credential: fc.constant(key.id),
      authenticatorData: text,
      clientDataJSON: text,
      signature: text,
    })
    fc.assert(
      fc.property(anything, text, (assertion, publicKey) => {
        expect(checkAssertion(assertion, key, challenge).kind).toBe('invalid')
        expect(checkAssertion(assertion, { ...key, publicKey }, challenge).kind).toBe('invalid')
      }),
    )
  })
})

test('a counter has to move on, unless the passkey never counts', () => {
  expect([countsOn(0, 0), countsOn(0, 1), countsOn(4, 5)]).toEqual([true, true, true])
  expect([countsOn(5, 5), countsOn(5, 4), countsOn(5, 0)]).toEqual([false, false, false])
})
