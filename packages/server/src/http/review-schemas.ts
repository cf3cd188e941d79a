import { z } from '@hono/zod-openapi'
import { commentLengthMax } from '@bailiwick/core'
import { mustBe, onlyKnown, text } from './schema-parts.ts'

const effect = z.enum(['allow', 'deny', 'escalate'])
const pointer = z.string().openapi({ example: '/params/iban', description: 'A JSON Pointer (RFC 6901).' })

/** Whether there is anything left to show of a call. */
export const erased = z
  .literal(true)
  .optional()
  .openapi({ description: 'Params and context were erased; the record stays.' })

/** Whether what is left of a call can be shown here. */
export const sealed = z.literal(true).optional().openapi({
  description:
    'Params and context are there and sealed, and this service cannot open them: it does not have the payload key, or what is stored of the key of a person was changed.',
})

/** What every view of a call says of its params and context, to people. */
export const presented = {
  masked: z
    .array(pointer)
    .optional()
    .openapi({ description: 'Where something is masked. `POST /v1/decisions/{id}/reveal` shows it.' }),
  units: z
    .record(z.string(), z.string())
    .optional()
    .openapi({
      description: 'What numbers count, by where they stand.',
      example: { '/params/amount': 'USD' },
    }),
}

export const revealRequest = z
  .strictObject(
    {
      path: z
        .string(mustBe('a string'))
        .min(1, { error: 'must not be empty' })
        .max(1000, { error: 'must have at most 1000 characters' })
        .openapi({ example: '/params/iban' }),
      reason: text(commentLengthMax).openapi({ description: 'Recorded with who was shown what.' }),
    },
    onlyKnown,
  )
  .openapi('RevealRequest')

export const revealAnswer = z
  .object({
    path: pointer,
    value: z.unknown().openapi({ description: 'What stands there, unmasked.' }),
    record: z.object({ index: z.int().openapi({ description: 'The record that says who was shown it.' }) }),
  })
  .openapi('Revealed')

const pastDecision = z
  .object({
    id: z.string().openapi({ example: 'dec_12' }),
    action: z.string(),
    at: z.string(),
    effect,
    approval: z
      .object({ id: z.string(), status: z.string() })
      .nullable()
      .openapi({ description: 'The approval that it opened, and where that stands.' }),
  })
  .openapi('PastDecision')

const activity = {
  of: z.int().openapi({ description: 'How many decisions were looked at, the newest first.' }),
  counts: z.object({ allow: z.int(), deny: z.int(), escalate: z.int() }),
  approvals: z
    .record(z.string(), z.int())
    .openapi({ description: 'How many of the approvals among them stand where.', example: { approved: 2 } }),
  recent: z.array(pastDecision),
}

export const activityView = z.object({ agent: z.string(), ...activity }).openapi('AgentActivity')

export const approvalContext = z
  .object({
    approval: z.string().openapi({ example: 'apr_12' }),
    rules: z
      .array(z.object({ id: z.string(), text: z.string() }))
      .openapi({ description: 'The rules that matched, as their author wrote them.' }),
    voters: z
      .array(
        z.object({
          person: z.string(),
          voted: z.boolean(),
          deputies: z.array(z.string()).openapi({ description: 'Who may vote in their stead, now.' }),
        }),
      )
      .openapi({ description: 'Who may vote, or has voted.' }),
    mayReveal: z.boolean().openapi({ description: 'Whether the person who asks may see what is masked.' }),
    history: z.object(activity).openapi({ description: 'This agent and action, before this call.' }),
    similar: z
      .object({
        id: z.string(),
        at: z.string(),
        effect,
        params: z.unknown().nullable(),
        context: z.unknown().nullable(),
        masked: presented.masked,
      })
      .nullable()
      .openapi({ description: "The agent's last call of this action that was allowed, or else its last." }),
  })
  .openapi('ApprovalContext')

const policyRef = z.object({ id: z.string(), version: z.int().nullable(), sha256: z.string() })

const recordedPolicy = z
  .object({ policy: policyRef, at: z.string(), record: z.object({ index: z.int() }) })
  .openapi('RecordedPolicy')

const listedPolicy = {
  policy: policyRef,
  agents: z.array(z.string()).openapi({ description: 'Some of them may be patterns.' }),
  domain: z.string().nullable(),
  mode: z.enum(['enforce', 'shadow']),
  extends: z.array(z.string()).openapi({ description: 'The files that it extends.' }),
  since: recordedPolicy.nullable().openapi({ description: 'The record with which it came into force.' }),
  earlier: z
    .array(recordedPolicy)
    .openapi({ description: 'What was in force under its id before, the newest first.' }),
}

export const policyList = z
  .object({ policies: z.array(z.object(listedPolicy).openapi('ListedPolicy')) })
  .openapi('PolicyList')

export const policyView = z
  .object({
    policy: policyRef,
    inForce: z.boolean(),
    source: z.string(),
    parents: z
      .array(z.object({ file: z.string(), source: z.string() }))
      .openapi({ description: 'What it extends, each file once.' }),
  })
  .openapi('Policy')

export const policyParam = z.object({
  policy: z.string().regex(/^[0-9a-f]{64}$/, { error: 'must be a SHA-256 in lower-case hexadecimal' }),
})
