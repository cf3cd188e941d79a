import { verifyAuthenticationResponse, verifyRegistrationResponse } from '@simplewebauthn/server'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkAssertion, checkRegistration } from '../../src/index.ts'
import { algorithms, flags, SoftAuthenticator, type Saying } from './authenticator.ts'

const challenge = Buffer.from('what is to be signed').toString('base64url')
const usual = flags.present | flags.verified

/** What an authenticator or a browser may say, right and wrong. */
function saying(type: string, more: number): fc.Arbitrary<Saying> {
  const mostly = <T>(right: T, ...wrong: T[]) =>
    fc.oneof(
      { weight: 6, arbitrary: fc.constant(right) },
      { weight: 1, arbitrary: fc.constantFrom(...wrong) },
    )
  return fc.record({
    challenge: mostly(challenge, 'AAAA', ''),
    origin: mostly('http://localhost', 'http://localhost:1', 'https://evil.example', ''),
    rpId: mostly('localhost', 'evil.example'),
    type: mostly(type, 'webauthn.get', 'webauthn.create', ''),
    flags: mostly(usual | more, flags.present | more, flags.verified | more, more),
    signCount: mostly(7, 8, 0xffffffff),
  })
}

/** Whether the other library takes what was said. */
async function takes(verify: () => Promise<{ readonly verified: boolean }>): Promise<boolean> {
  return await verify().then(
    ({ verified }) => verified,
    () => false,
  )
}

describe.each(algorithms)('another implementation of WebAuthn, of %s,', (algorithm) => {
  const authenticator = new SoftAuthenticator('one', algorithm)
  const { id, publicKey } = authenticator.passkey
  const expected = {
    expectedChallenge: challenge,
    expectedOrigin: 'http://localhost',
    expectedRPID: 'localhost',
    requireUserVerification: true,
  }

  test('takes the assertions that we take, and refuses those that we refuse', async () => {
    await fc.assert(
      fc.asyncProperty(saying('webauthn.get', 0), async (said) => {
        const { credential, ...response } = authenticator.sign(said)
        const theirs = await takes(() =>
          verifyAuthenticationResponse({
            response: { id, rawId: id, type: 'public-key', clientExtensionResults: {}, response },
            credential: { id, publicKey: new Uint8Array(Buffer.from(publicKey, 'base64url')), counter: 0 },
            ...expected,
          }),
        )
        const ours = checkAssertion({ credential, ...response }, authenticator.passkey, challenge)
        expect({ said, taken: ours.kind === 'valid' }).toEqual({ said, taken: theirs })
      }),
      { numRuns: 150 },
    )
  })

  test('takes the registrations that we take, and reads the same key', async () => {
    await fc.assert(
      fc.asyncProperty(saying('webauthn.create', flags.credential), async (said) => {
        const { credential, ...response } = authenticator.register(said)
        let key: string | undefined
        const theirs = await takes(async () => {
          const verified = await verifyRegistrationResponse({
            response: { id, rawId: id, type: 'public-key', clientExtensionResults: {}, response },
            ...expected,
          })
          key =
            verified.registrationInfo?.credential.publicKey &&
            Buffer.from(verified.registrationInfo.credential.publicKey).toString('base64url')
          return verified
        })
        const ours = checkRegistration({ credential, ...response }, authenticator.party, challenge)
        expect({ said, taken: ours.kind === 'valid' }).toEqual({ said, taken: theirs })
        if (ours.kind === 'valid') expect(ours.publicKey).toBe(key)
      }),
      { numRuns: 150 },
    )
  })
})
