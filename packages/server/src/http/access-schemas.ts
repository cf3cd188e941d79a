import { z } from '@hono/zod-openapi'
import { nameLengthMax, roleOrGroup } from '@bailiwick/core'
import { roles } from './permissions.ts'
import { mustBe, name, onlyKnown, text } from './schema-parts.ts'

/** Longest life of a key, and longest overlap, as seconds. */
const dayS = 24 * 60 * 60
const keyLifeMaxS = 3_650 * dayS
const overlapMaxS = 90 * dayS

const address = text(nameLengthMax).openapi({ description: 'An e-mail address.', example: 'pat@example.com' })
const role = z.string(mustBe('a string')).regex(roleOrGroup, {
  error: `must be ${roles.join(', ')}, or what a policy names: lower-case letters, digits and hyphens, 64 at most, or group:NAME`,
})
const seconds = (max: number, what: string) =>
  z
    .int(mustBe('a whole number'))
    .min(0, { error: 'must not be negative' })
    .max(max, { error: `must be at most ${max}` })
    .openapi({ description: what })

export const personParam = z.object({ person: address })
export const keyParam = z.object({ key: z.string().max(40, { error: 'must have at most 40 characters' }) })
export const sessionParam = z.object({
  session: z.string().max(40, { error: 'must have at most 40 characters' }),
})

export const personRequest = z
  .strictObject(
    {
      id: address,
      roles: z
        .array(role, mustBe('a list'))
        .min(1, { error: 'must name a role' })
        .max(50, { error: 'must have at most 50 entries' })
        .openapi({ description: 'They replace those that the person has.' }),
    },
    onlyKnown,
  )
  .openapi('PersonRequest')

const listedPerson = z
  .object({
    id: z.string(),
    roles: z.array(z.string()),
    createdAt: z.string(),
    rolesFrom: z.enum(['local', 'provider']).openapi({
      description: '`provider`: the identity provider says at each sign-in which roles the person has.',
    }),
    hasPassword: z.boolean(),
    hasTotp: z.boolean(),
    sessions: z.int().openapi({ description: 'How many sessions go on.' }),
  })
  .openapi('ListedPerson')

export const peopleList = z.object({ people: z.array(listedPerson) }).openapi('PeopleList')

export const personSet = z.object({ id: z.string(), roles: z.array(z.string()) }).openapi('PersonSet')

export const signInLink = z
  .object({
    id: z.string(),
    url: z.string().openapi({ description: 'Signs the person in, once, within a day. Shown this once.' }),
  })
  .openapi('SignInLink')

export const keyRequest = z
  .strictObject(
    {
      agent: name,
      lifetimeSeconds: seconds(keyLifeMaxS, 'How long the key is good for; for ever, unless given.')
        .min(60, { error: 'must be at least 60' })
        .optional(),
    },
    onlyKnown,
  )
  .openapi('KeyRequest')

export const rotationRequest = z
  .strictObject(
    {
      overlapSeconds: seconds(overlapMaxS, 'How long the old key stays good; 0: not at all.'),
      lifetimeSeconds: seconds(
        keyLifeMaxS,
        'How long the new key is good for; as long as the old one was made for, unless given.',
      )
        .min(60, { error: 'must be at least 60' })
        .optional(),
    },
    onlyKnown,
  )
  .openapi('KeyRotationRequest')

const newKeyFields = {
  id: z.string(),
  key: z.string().openapi({ description: 'The key itself. Shown this once.' }),
  agent: z.string(),
  expiresAt: z.string().nullable(),
}

export const newKey = z.object(newKeyFields).openapi('NewKey')

export const rotatedKey = z
  .object({ ...newKeyFields, replaces: z.string(), oldEndsAt: z.string() })
  .openapi('RotatedKey')

export const keyList = z
  .object({
    keys: z.array(
      z
        .object({
          id: z.string(),
          prefix: z.string().openapi({ description: 'What the key begins with.' }),
          agent: z.string(),
          createdAt: z.string(),
          expiresAt: z.string().nullable(),
          revokedAt: z.string().nullable(),
          state: z.enum(['good', 'ended', 'revoked']).openapi({
            description: '`ended`: `expiresAt` has come. Only a good one is let in.',
          }),
          lastUsedAt: z.string().nullable().openapi({ description: 'To the hour.' }),
          replaces: z.string().nullable().openapi({ description: 'The id of the key whose place it took.' }),
        })
        .openapi('Key'),
    ),
  })
  .openapi('KeyList')

export const sessionQuery = z.strictObject(
  {
    person: z
      .string()
      .max(nameLengthMax, { error: `must have at most ${nameLengthMax} characters` })
      .optional(),
  },
  onlyKnown,
)

export const sessionList = z
  .object({
    sessions: z.array(
      z
        .object({
          id: z.string(),
          person: z.string(),
          method: z.string().openapi({ description: 'How the person signed in.', example: 'password+totp' }),
          client: z.string().openapi({ description: 'What the browser said of itself.' }),
          createdAt: z.string(),
          seenAt: z.string().openapi({ description: 'To the minute.' }),
          expiresAt: z.string(),
          isThis: z.boolean().openapi({ description: 'Whether it is the one that asks.' }),
        })
        .openapi('ListedSession'),
    ),
  })
  .openapi('SessionList')
