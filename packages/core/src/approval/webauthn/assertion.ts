import { hash } from 'node:crypto'
import type { Assertion, RegisteredPasskey } from '../../model/passkey.ts'
import { readAuthenticatorData } from './authenticator-data.ts'
import { fromBase64url } from './base64url.ts'
import { clientProblem } from './client-data.ts'
import { readCoseKey } from './cose-key.ts'

/** What an assertion came to: the authenticator's counter, or what is wrong with it. */
export type CheckedAssertion =
  | { readonly kind: 'valid'; readonly signCount: number }
  | { readonly kind: 'invalid'; readonly problem: string }

/**
 * Whether the key signed the challenge, on a page of its own origin, with a person present whom the authenticator
 * recognised (WebAuthn level 3, section 7.2). A pure function of its arguments, so that whoever has the log gets the
 * answer that the service got. Whether the counter has moved on is for `countsOn` to say.
 *
 * @param challenge base64url
 */
export function checkAssertion(
  assertion: Assertion,
  key: RegisteredPasskey,
  challenge: string,
): CheckedAssertion {
  const data = fromBase64url(assertion.authenticatorData)
  const client = fromBase64url(assertion.clientDataJSON)
  const signature = fromBase64url(assertion.signature)
  const publicKey = fromBase64url(key.publicKey)
  const verifying = publicKey && readCoseKey(publicKey)
  if (!data || !client || !signature) return invalid('a part of it is not base64url')
  if (!verifying) return invalid('the registered key is none that can be verified with')
  if (assertion.credential !== key.id) return invalid('it is of another passkey')
  const problem = clientProblem(client, { type: 'webauthn.get', challenge, origin: key.origin })
  if (problem !== undefined) return invalid(problem)
  const read = readAuthenticatorData(data, key.rpId)
  if (typeof read === 'string') return invalid(read)
  const signed = Buffer.concat([data, hash('sha256', client, 'buffer')])
  if (!verifying.verifies(signature, signed)) return invalid('the registered key did not make the signature')
  return { kind: 'valid', signCount: read.signCount }
}

/**
 * Whether a counter may follow on the one seen before: greater, or both zero, as with passkeys that are kept on several
 * devices and do not count. Else somebody uses a copy of the key.
 */
export function countsOn(before: number, signCount: number): boolean {
  return signCount > before || (signCount === 0 && before === 0)
}

function invalid(problem: string): CheckedAssertion {
  return { kind: 'invalid', problem }
}
