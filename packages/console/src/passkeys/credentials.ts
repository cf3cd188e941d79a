import { Problem } from '../problem.ts'

/** What the service asks an authenticator to make. */
export interface CreationOptions {
  readonly challenge: string
  readonly rp: { readonly id: string; readonly name: string }
  readonly user: { readonly id: string; readonly name: string; readonly displayName: string }
  readonly pubKeyCredParams: readonly { readonly alg: number }[]
  readonly timeout: number
  readonly excludeCredentials: readonly { readonly id: string }[]
}

/** A passkey that an authenticator has made; all but `transports` is base64url. */
export interface NewPasskey {
  readonly credential: string
  readonly clientDataJSON: string
  readonly attestationObject: string
  readonly transports: readonly string[]
}

/** What an authenticator signed, base64url. */
export interface Signed {
  readonly credential: string
  readonly authenticatorData: string
  readonly clientDataJSON: string
  readonly signature: string
}

/** Whether this browser has passkeys at this address. */
export function hasPasskeys(): boolean {
  return window.isSecureContext && 'PublicKeyCredential' in window
}

/** Has the device make a passkey. @throws Problem where the person or the device would not */
export async function makePasskey(options: CreationOptions): Promise<NewPasskey> {
  const { challenge, rp, user, pubKeyCredParams, timeout, excludeCredentials } = options
  const credential = await asked(() =>
    navigator.credentials.create({
      publicKey: {
        challenge: bytesOf(challenge),
        rp,
        user: { ...user, id: bytesOf(user.id) },
        pubKeyCredParams: pubKeyCredParams.map(({ alg }) => ({ type: 'public-key', alg })),
        timeout,
        excludeCredentials: excludeCredentials.map(({ id }) => ({ type: 'public-key', id: bytesOf(id) })),
        authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
        attestation: 'none',
      },
    }),
  )
  const { response } = credential
  if (!(response instanceof AuthenticatorAttestationResponse)) throw notSigned()
  return {
    credential: textOf(credential.rawId),
    clientDataJSON: textOf(response.clientDataJSON),
    attestationObject: textOf(response.attestationObject),
    transports: response.getTransports(),
  }
}

/**
 * Has a passkey sign.
 *
 * @param allowed the ids of the passkeys that may; empty: whichever the person picks
 * @throws Problem where the person or the device would not
 */
export async function signWith(
  rpId: string,
  challenge: string,
  allowed: readonly string[],
): Promise<Signed & { readonly userHandle?: string }> {
  const credential = await asked(() =>
    navigator.credentials.get({
      publicKey: {
        challenge: bytesOf(challenge),
        rpId,
        allowCredentials: allowed.map((id) => ({ type: 'public-key', id: bytesOf(id) })),
        userVerification: 'required',
      },
    }),
  )
  const { response } = credential
  if (!(response instanceof AuthenticatorAssertionResponse)) throw notSigned()
  const { userHandle } = response
  return {
    credential: textOf(credential.rawId),
    authenticatorData: textOf(response.authenticatorData),
    clientDataJSON: textOf(response.clientDataJSON),
    signature: textOf(response.signature),
    ...(userHandle === null ? {} : { userHandle: textOf(userHandle) }),
  }
}

async function asked(ask: () => Promise<Credential | null>): Promise<PublicKeyCredential> {
  if (!hasPasskeys()) throw noPasskeys()
  try {
    const credential = await ask()
    if (credential instanceof PublicKeyCredential) return credential
  } catch (thrown) {
    if (!(thrown instanceof DOMException)) throw thrown
    if (thrown.name === 'InvalidStateError') throw alreadyThere()
    if (thrown.name === 'SecurityError') throw otherAddress()
  }
  throw notSigned()
}

// Refusals of this page rather than of the service: nothing was sent, so nothing is unknown.
const refused = 403

function notSigned(): Problem {
  return new Problem(
    refused,
    'Nothing was signed',
    'The device did not confirm that it is you, or it took too long.',
    'Try again and confirm with your fingerprint, face, PIN or security key.',
  )
}

function alreadyThere(): Problem {
  return new Problem(
    refused,
    'This device has a passkey of yours already',
    null,
    'Use the one that is listed here, or another device.',
  )
}

function otherAddress(): Problem {
  return new Problem(
    refused,
    'Passkeys belong to another address of this console',
    null,
    'Open the console at the address that its operator has set.',
  )
}

function noPasskeys(): Problem {
  return new Problem(
    refused,
    'This browser offers no passkeys here',
    'They need a recent browser, and an address with TLS or on localhost.',
    'Open the console at such an address, or sign in with a link.',
  )
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const padded = text.replaceAll('-', '+').replaceAll('_', '/')
  return Uint8Array.from(atob(padded), (character) => character.charCodeAt(0))
}

/** Bytes as base64url. */
export function textOf(bytes: ArrayBuffer): string {
  const binary = Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join('')
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}
