import { readAuthenticatorData } from './authenticator-data.ts'
import { fromBase64url } from './base64url.ts'
import { readCbor } from './cbor.ts'
import { clientProblem } from './client-data.ts'
import { readCoseKey } from './cose-key.ts'

/** What an authenticator answers when it has made a passkey, each part base64url. */
export interface Attestation {
  readonly credential: string
  readonly clientDataJSON: string
  readonly attestationObject: string
}

/** A passkey that was made, or what is wrong with the answer. */
export type CheckedRegistration =
  | { readonly kind: 'valid'; readonly id: string; readonly publicKey: string; readonly signCount: number }
  | { readonly kind: 'invalid'; readonly problem: string }

const attestationBytesMax = 64 * 1024

/**
 * Reads a new passkey (WebAuthn level 3, section 7.1): made for this challenge, on a page of the relying party's
 * origin, with a person present whom the authenticator verified, and with a key of an algorithm that `readCoseKey` reads.
 * What the authenticator attests about its make is asked of no browser, and looked at in no answer.
 *
 * @param challenge base64url
 */
export function checkRegistration(
  { credential, clientDataJSON, attestationObject }: Attestation,
  party: { readonly rpId: string; readonly origin: string },
  challenge: string,
): CheckedRegistration {
  const client = fromBase64url(clientDataJSON)
  const attestation = fromBase64url(attestationObject)
  if (!client || !attestation) return invalid('a part of it is not base64url')
  const problem = clientProblem(client, { type: 'webauthn.create', challenge, origin: party.origin })
  if (problem !== undefined) return invalid(problem)
  const data = authenticatorDataIn(attestation)
  const read = data && readAuthenticatorData(data, party.rpId)
  if (typeof read === 'string') return invalid(read)
  const made = read?.credential
  if (made === undefined) return invalid('it holds no credential')
  if (made.id !== credential) return invalid('it is of another passkey')
  const key = fromBase64url(made.publicKey)
  if (!key || !readCoseKey(key)) return invalid('its key is not for ES256, RS256 or EdDSA')
  return { kind: 'valid', ...made, signCount: read?.signCount ?? 0 }
}

function authenticatorDataIn(attestation: Buffer): Buffer | undefined {
  const item = attestation.length > attestationBytesMax ? undefined : readCbor(attestation, 0)
  if (item?.end !== attestation.length || !(item.value instanceof Map)) return undefined
  const data: unknown = item.value.get('authData')
  return data instanceof Buffer ? data : undefined
}

function invalid(problem: string): CheckedRegistration {
  return { kind: 'invalid', problem }
}
