import { z } from '@hono/zod-openapi'
import { mustBe, onlyKnown, text } from './schema-parts.ts'

/** Bytes as WebAuthn's JSON forms write them. */
function base64url(lengthMax: number) {
  return z
    .string(mustBe('a string'))
    .regex(/^[A-Za-z0-9_-]+$/, { error: 'must be base64url without padding' })
    .max(lengthMax, { error: `must have at most ${lengthMax} characters` })
}

/** 1,023 bytes, the longest that there are. */
const credentialId = base64url(1364)

const assertionFields = {
  credential: credentialId.openapi({ description: "The credential's id." }),
  authenticatorData: base64url(8192),
  clientDataJSON: base64url(8192),
  signature: base64url(2048),
}

/** A WebAuthn assertion over a vote's statement. */
export const voteSignature = z.strictObject(assertionFields, onlyKnown).openapi('VoteSignature', {
  description:
    'A WebAuthn assertion whose challenge is the SHA-256 of the canonical JSON of `{v: 1, type: "bailiwick/vote", digest, person, vote}`, with `for` where the vote has it.',
})

export const passkeySignInRequest = z
  .strictObject(
    {
      ...assertionFields,
      userHandle: base64url(88)
        .optional()
        .openapi({ description: 'What the authenticator calls the person. Always there in practice.' }),
    },
    onlyKnown,
  )
  .openapi('PasskeySignIn')

/** Names are for people, who have to tell one from the other. */
const passkeyName = text(100).regex(/^\P{Cc}+$/u, { error: 'must not contain control characters' })

export const passkeyRequest = z
  .strictObject(
    {
      name: passkeyName.openapi({ example: 'Laptop' }),
      credential: credentialId,
      clientDataJSON: base64url(8192),
      attestationObject: base64url(64 * 1024),
      transports: z
        .array(text(32).regex(/^[a-z-]+$/, { error: 'must be lower-case letters' }), mustBe('a list'))
        .max(8, { error: 'must have at most 8 entries' })
        .optional(),
    },
    onlyKnown,
  )
  .openapi('NewPasskey')

/** Nothing has to be said to begin. */
export const nothingRequest = z.strictObject({}, onlyKnown).openapi('Nothing')

const listedPasskey = z
  .object({
    id: z.string(),
    name: z.string(),
    transports: z.array(z.string()),
    createdAt: z.string(),
    usedAt: z.string().nullable(),
    usable: z
      .boolean()
      .openapi({ description: "Whether it is bound to the console's address as it is now." }),
    record: z.object({ index: z.int() }).openapi({ description: 'The record that registered it.' }),
  })
  .openapi('Passkey')

const party = z.object({ rpId: z.string(), origin: z.string() }).openapi('RelyingParty', {
  description: 'What passkeys are bound to. Pages of another origin cannot use them.',
})

export const passkeyList = z.object({ party, passkeys: z.array(listedPasskey) }).openapi('PasskeyList')

export const passkeyAnswer = z
  .object({ id: z.string(), record: z.object({ index: z.int() }) })
  .openapi('RegisteredPasskey')

const descriptor = z.object({ type: z.literal('public-key'), id: z.string() })

export const creationOptions = z
  .object({
    challenge: z.string(),
    rp: z.object({ id: z.string(), name: z.string() }),
    user: z.object({ id: z.string(), name: z.string(), displayName: z.string() }),
    pubKeyCredParams: z.array(z.object({ type: z.literal('public-key'), alg: z.int() })),
    timeout: z.int(),
    excludeCredentials: z.array(descriptor),
    authenticatorSelection: z.object({ residentKey: z.string(), userVerification: z.string() }),
    attestation: z.string(),
  })
  .openapi('PasskeyCreationOptions', {
    description: 'For `PublicKeyCredential.parseCreationOptionsFromJSON`.',
  })

export const requestOptions = z
  .object({
    challenge: z.string(),
    rpId: z.string(),
    timeout: z.int(),
    userVerification: z.string(),
    origin: z
      .string()
      .openapi({ description: 'Where it has to be answered; for the page, not the browser.' }),
  })
  .openapi('PasskeyRequestOptions', {
    description: 'For `PublicKeyCredential.parseRequestOptionsFromJSON`.',
  })

export const stepRequest = z
  .strictObject({ step: text(200).openapi({ description: 'Names the sign-in under way.' }) }, onlyKnown)
  .openapi('SignInStep')

export const passkeyProof = passkeySignInRequest.extend({ step: text(200) }).openapi('PasskeyProof')

export const secondFactorOptions = requestOptions
  .extend({ allowCredentials: z.array(descriptor) })
  .openapi('PasskeyProofOptions', {
    description: 'For `PublicKeyCredential.parseRequestOptionsFromJSON`.',
  })

export const passkeyParam = z.object({ id: credentialId })
