import { flag, listOf, number, object, orNull, text } from '../shape.ts'
import type { Shaped } from '../shape.ts'
import type { CreationOptions, NewPasskey, Signed } from './credentials.ts'

const party = object({ rpId: text, origin: text })

const passkeyList = object({
  party,
  passkeys: listOf(
    object({
      id: text,
      name: text,
      createdAt: text,
      usedAt: orNull(text),
      usable: flag,
      record: object({ index: number }),
    }),
  ),
})

const creationOptions = object({
  challenge: text,
  rp: object({ id: text, name: text }),
  user: object({ id: text, name: text, displayName: text }),
  pubKeyCredParams: listOf(object({ alg: number })),
  timeout: number,
  excludeCredentials: listOf(object({ id: text })),
})

const requestParts = { challenge: text, rpId: text, origin: text }
const requestOptions = object(requestParts)
const proofOptions = object({ ...requestParts, allowCredentials: listOf(object({ id: text })) })

/** The passkeys of who is signed in, and what they are bound to. */
export type PasskeyList = Shaped<typeof passkeyList>
/** One of them. */
export type Passkey = PasskeyList['passkeys'][number]
/** What a passkey signs to sign in. */
export type SignInChallenge = Shaped<typeof requestOptions>

/** The same as a second factor: by one of these. */
type ProofChallenge = Shaped<typeof proofOptions>

/** The requests about passkeys. Each throws `Problem` or `ShapeMismatch` where no answer came. */
export interface PasskeyApi {
  list(signal?: AbortSignal): Promise<PasskeyList>
  begin(): Promise<CreationOptions>
  register(name: string, made: NewPasskey): Promise<void>
  remove(id: string): Promise<void>
  beginSignIn(): Promise<SignInChallenge>
  /** The answer is a session, as of any sign-in. */
  signIn(signed: Signed): Promise<unknown>
  /** @param step the sign-in under way, after its first factor */
  beginProof(step: string): Promise<ProofChallenge>
  /** The answer is a session, as of any sign-in. */
  prove(step: string, signed: Signed): Promise<unknown>
}

const secondFactor = '/v1/session/second-factor/passkey'

/** @param request sends a request and gives the body of its answer */
export function createPasskeyApi(
  request: (
    method: string,
    path: string,
    options?: { readonly body?: unknown; readonly signal?: AbortSignal | undefined },
  ) => Promise<unknown>,
): PasskeyApi {
  return {
    list: async (signal) => passkeyList(await request('GET', '/v1/passkeys', { signal }), ''),
    begin: async () => creationOptions(await request('POST', '/v1/passkeys/options', { body: {} }), ''),
    register: async (name, made) => {
      await request('POST', '/v1/passkeys', { body: { name, ...made } })
    },
    remove: async (id) => {
      await request('DELETE', `/v1/passkeys/${encodeURIComponent(id)}`)
    },
    beginSignIn: async () =>
      requestOptions(await request('POST', '/v1/session/passkey/options', { body: {} }), ''),
    signIn: (signed) => request('POST', '/v1/session/passkey', { body: signed }),
    beginProof: async (step) =>
      proofOptions(await request('POST', `${secondFactor}/options`, { body: { step } }), ''),
    prove: (step, signed) => request('POST', secondFactor, { body: { step, ...signed } }),
  }
}
