import { flag, listOf, object, orNull, text } from './shape.ts'
import type { Shaped } from './shape.ts'

const signInStep = object({ step: text, factors: listOf(text) })
const signInAnswer = object({ secondFactor: orNull(signInStep) })
const signInWays = object({ password: flag, provider: orNull(object({ name: text })) })
const providerStart = object({ url: text })

/** A sign-in under way: one of its factors is asked for next. */
export type SignInStep = Shaped<typeof signInStep>
/** How people can sign in here, beside links. */
export type SignInWays = Shaped<typeof signInWays>

/** What a person shows to be let in. */
export type SignInProof =
  | { readonly kind: 'link'; readonly token: string }
  | { readonly kind: 'password'; readonly person: string; readonly password: string }
  | { readonly kind: 'code'; readonly step: string; readonly code: string }
  | { readonly kind: 'recoveryCode'; readonly step: string; readonly recoveryCode: string }

const proofPaths = {
  link: '/v1/session',
  password: '/v1/session/password',
  code: '/v1/session/second-factor',
  recoveryCode: '/v1/session/second-factor',
} as const satisfies Record<SignInProof['kind'], string>

/** Requests of whoever is not signed in yet. Each throws as those of `Api` do. */
export interface SignInApi {
  /** Null: signed in. */
  prove(proof: SignInProof): Promise<SignInStep | null>
  ways(signal?: AbortSignal): Promise<SignInWays>
  /** Where the identity provider's sign-in page is. */
  startProvider(): Promise<string>
}

/** Sends one request and returns the answer's body. */
type Send = (method: string, path: string, body?: unknown, signal?: AbortSignal) => Promise<unknown>

/** The requests, over `send`. */
export function createSignInApi(send: Send): SignInApi {
  return {
    prove: async ({ kind, ...body }) =>
      signInAnswer(await send('POST', proofPaths[kind], body), '').secondFactor,
    ways: async (signal) => signInWays(await send('GET', '/v1/sign-in', undefined, signal), ''),
    startProvider: async () => providerStart(await send('POST', '/v1/session/provider', {}), '').url,
  }
}
