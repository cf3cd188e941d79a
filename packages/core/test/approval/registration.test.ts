import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkRegistration } from '../../src/index.ts'
import { algorithms, flags, SoftAuthenticator, type Saying } from './authenticator.ts'

const challenge = Buffer.from('a fresh challenge').toString('base64url')

test.each(algorithms)('a passkey for %s is read with its id and its key', (algorithm) => {
  const authenticator = new SoftAuthenticator('one', algorithm)
  const { id, publicKey } = authenticator.passkey
  const answer = authenticator.register({ challenge, signCount: 3 })
  expect(checkRegistration(answer, authenticator.party, challenge)).toEqual({
    kind: 'valid',
    id,
    publicKey,
    signCount: 3,
  })
})

describe('an answer', () => {
  const authenticator = new SoftAuthenticator()
  const checked = (saying: Partial<Saying>) =>
    checkRegistration(authenticator.register({ challenge, ...saying }), authenticator.party, challenge)

  test.each([
    ['to another challenge', { challenge: 'AAAA' }],
    ['that is an assertion', { type: 'webauthn.get' }],
    ['from a page of another origin', { origin: 'https://evil.example' }],
    ['from inside a page of another site', { client: { crossOrigin: true } }],
    ['for another relying party', { rpId: 'evil.example' }],
    ['without a person', { flags: flags.verified | flags.credential }],
    ['of a person whom nobody verified', { flags: flags.present | flags.credential }],
    ['that announces no credential', { flags: flags.present | flags.verified }],
    ['with bytes after the key', { more: Buffer.from([0]) }],
  ])('%s registers nothing', (_, saying) => {
    expect(checked(saying).kind).toBe('invalid')
  })

  test('that names another credential than the one it holds registers nothing', () => {
    const answer = { ...authenticator.register({ challenge }), credential: 'AAAA' }
    expect(checkRegistration(answer, authenticator.party, challenge).kind).toBe('invalid')
  })

  test('with any byte missing or changed is read or not, and never an error', () => {
    const honest = authenticator.register({ challenge })
    const bytes = Buffer.from(honest.attestationObject, 'base64url')
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), fc.boolean(), (at, byte, cut) => {
        const changed = Buffer.from(cut ? bytes.subarray(0, at) : bytes)
        if (!cut) changed.writeUInt8(byte, at)
        const answer = { ...honest, attestationObject: changed.toString('base64url') }
        const result = checkRegistration(answer, authenticator.party, challenge)
        if (cut) expect(result.kind).toBe('invalid')
      }),
    )
  })
})
