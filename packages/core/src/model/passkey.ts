/**
 * A passkey as the record of its registration says it. What is signed with it can be checked with nothing else, so this
 * never changes: a key for another address of the console is another registration.
 */
export interface RegisteredPasskey {
  /** The credential's id, base64url. */
  readonly id: string
  /** The public key in COSE form (RFC 9052), base64url. */
  readonly publicKey: string
  /** The relying party's id: the host of the console, to which the key is bound. */
  readonly rpId: string
  /** The origin of the console; what is signed on a page of another one does not count. */
  readonly origin: string
}

/** What an authenticator returns when it signs (a WebAuthn assertion), each part base64url. */
export interface Assertion {
  /** The credential's id. */
  readonly credential: string
  readonly authenticatorData: string
  readonly clientDataJSON: string
  readonly signature: string
}
