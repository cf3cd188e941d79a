import { z } from '@hono/zod-openapi'
import { nameLengthMax } from '@bailiwick/core'
import { onlyKnown, text } from './schema-parts.ts'

/** What no password is longer than, in UTF-16 units; which ones are taken is said where they are set. */
const passwordTextMax = 1024

export const sessionRequest = z.strictObject({ token: text(200) }, onlyKnown).openapi('SessionRequest')

export const passwordSignIn = z
  .strictObject({ person: text(nameLengthMax), password: text(passwordTextMax) }, onlyKnown)
  .openapi('PasswordSignIn')

export const secondFactorProof = z
  .union([
    z.strictObject({ step: text(200), code: text(20) }, onlyKnown),
    z.strictObject({ step: text(200), recoveryCode: text(100) }, onlyKnown),
  ])
  .openapi('SecondFactorProof')

export const nothing = z.strictObject({}, onlyKnown).openapi('Nothing')

const person = z.object({ id: z.string(), roles: z.array(z.string()) })

export const sessionView = z
  .object({
    person,
    permissions: z.array(z.string()).openapi({
      description: 'What the person may do: what endpoints name as `x-permission`.',
    }),
    session: z.object({
      id: z.string(),
      method: z.string().openapi({ description: 'How the person signed in.', example: 'password+totp' }),
      isPartial: z.boolean().openapi({
        description:
          'Whether a second factor is demanded that the person has still to set up: until then, nothing but the own account can be seen or changed.',
      }),
      createdAt: z.string(),
      expiresAt: z.string(),
    }),
  })
  .openapi('Session')

export const signInAnswer = z
  .union([
    z.object({ person }).openapi({ description: 'Signed in: the cookie carries the session.' }),
    z
      .object({
        secondFactor: z.object({
          step: z.string().openapi({ description: 'Names the sign-in under way. A secret.' }),
          factors: z.array(z.string()).openapi({ description: 'One of these is to be proven.' }),
          expiresAt: z.string(),
        }),
      })
      .openapi({
        description:
          'A second factor is asked for, at `/v1/session/second-factor`, or `/v1/session/second-factor/passkey` where that is one of them.',
      }),
  ])
  .openapi('SignIn')

export const signInWays = z
  .object({
    password: z.boolean(),
    passkey: z.boolean(),
    provider: z
      .object({ name: z.string().openapi({ description: 'What the button calls it.' }) })
      .nullable()
      .openapi({ description: 'The identity provider, where one is configured.' }),
  })
  .openapi('SignInWays')

export const providerStart = z
  .object({ url: z.string().openapi({ description: 'Where the browser goes next.' }) })
  .openapi('ProviderSignIn')

export const passwordRequest = z
  .strictObject(
    {
      password: text(passwordTextMax).openapi({ description: '12 to 128 characters.' }),
      current: text(passwordTextMax).optional().openapi({
        description: 'The one it replaces. Not needed within half an hour of signing in by a link.',
      }),
    },
    onlyKnown,
  )
  .openapi('PasswordRequest')

export const codeRequest = z.strictObject({ code: text(20) }, onlyKnown).openapi('CodeRequest')

export const accountView = z
  .object({
    person,
    rolesFrom: z.enum(['local', 'provider']),
    passwordSetAt: z.string().nullable(),
    totpSince: z.string().nullable(),
    recoveryCodesLeft: z.int(),
  })
  .openapi('Account')

export const totpOffer = z
  .object({
    secret: z.string().openapi({ description: 'To type into an authenticator app. Shown this once.' }),
    address: z.string().openapi({ description: 'The same as an `otpauth:` address, for a QR code.' }),
  })
  .openapi('TotpOffer')

export const recoveryCodes = z
  .object({
    recoveryCodes: z
      .array(z.string())
      .openapi({ description: 'Each stands in for the app once. Shown this once.' }),
  })
  .openapi('RecoveryCodes')
