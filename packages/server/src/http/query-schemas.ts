// What stands in the address of a request: which one is meant, and which ones are wanted.
import { z } from '@hono/zod-openapi'
import { firstInstant, waitSecondsMax } from '@bailiwick/core'
import { approvalStatus } from './approval-schemas.ts'
import { effect } from './rule-schemas.ts'
import { mustBe, name, oneOf, onlyKnown, wholeNumber } from './schema-parts.ts'

const page = {
  limit: wholeNumber(200)
    .refine((value) => value > 0, { error: 'must be at least 1' })
    .optional(),
  before: wholeNumber(Number.MAX_SAFE_INTEGER).optional(),
}

// No record bears such a name, and PostgreSQL takes no text with a zero character.
const sought = name.regex(/^\P{Cc}+$/u, { error: 'must not contain control characters' })

const instant = z
  .string(mustBe('a time'))
  .max(40, { error: 'must have at most 40 characters' })
  .refine((at) => /^\d{4}-\d\d-\d\dT/.test(at) && Date.parse(at) >= firstInstant, {
    error: 'must be a time such as 2026-03-01T09:00:00Z',
  })
  .transform((at) => new Date(at).toISOString())

export const decisionQuery = z
  .strictObject(
    {
      ...page,
      agent: sought.optional(),
      action: sought.optional(),
      effect: effect.optional(),
      policy: sought.optional(),
      since: instant.optional(),
      until: instant.optional(),
      text: sought
        .optional()
        .openapi({ description: 'In names, ids, rules and reasons, in whatever case; never in params.' }),
      brief: oneOf('true').optional().openapi({
        description: 'Without params and context, which are then null; up to 1,000 at a time.',
      }),
      limit: wholeNumber(1000)
        .refine((value) => value > 0, { error: 'must be at least 1' })
        .optional(),
    },
    onlyKnown,
  )
  .refine(({ limit = 0, brief }) => brief !== undefined || limit <= 200, {
    path: ['limit'],
    error: 'must be at most 200, or 1000 with `brief`',
  })

export const approvalQuery = z.strictObject({ ...page, status: approvalStatus.optional() }, onlyKnown)

export const waitQuery = z.strictObject({ wait: wholeNumber(waitSecondsMax).optional() }, onlyKnown)

export const proofQuery = z.strictObject({ size: wholeNumber(Number.MAX_SAFE_INTEGER).optional() }, onlyKnown)

export const consistencyQuery = z.strictObject(
  { from: wholeNumber(Number.MAX_SAFE_INTEGER), to: wholeNumber(Number.MAX_SAFE_INTEGER).optional() },
  onlyKnown,
)

export const idParam = z.object({ id: z.string().max(40, { error: 'must have at most 40 characters' }) })
