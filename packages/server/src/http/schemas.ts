import { z } from '@hono/zod-openapi'
import { commentLengthMax, nameLengthMax, waitSecondsMax } from '@bailiwick/core'

const name = z.string().min(1).max(nameLengthMax)
const object = z.record(z.string(), z.unknown())

/** What an agent asks to have decided. */
export const decisionRequest = z
  .strictObject({
    action: name.openapi({ example: 'issue_refund' }),
    params: object.openapi({ example: { amount: 600, order_id: 'A-1001' } }),
    context: object.optional(),
    callId: name
      .optional()
      .openapi({ description: 'Chosen by the caller: a retry with it gets the same answer.' }),
    approvalId: name
      .optional()
      .openapi({ description: 'The approval that lets an escalated call through, once.' }),
  })
  .openapi('DecisionRequest')

export const outcomeRequest = z
  .strictObject({
    status: z.enum(['succeeded', 'failed', 'unknown']),
    detail: z.string().max(commentLengthMax).optional(),
    result: z.unknown().optional(),
  })
  .openapi('OutcomeRequest')

export const voteRequest = z
  .strictObject({ vote: z.enum(['approve', 'reject']), comment: z.string().max(commentLengthMax).optional() })
  .openapi('VoteRequest')

export const sessionRequest = z.strictObject({ token: z.string().min(1).max(200) }).openapi('SessionRequest')

const effect = z.enum(['allow', 'deny', 'escalate'])
const policyRef = z
  .object({ id: z.string(), version: z.int().nullable(), sha256: z.string() })
  .openapi('PolicyRef')
const rule = z
  .object({
    id: z.string(),
    effect,
    because: z.enum(['matched', 'condition_error']),
    condition: z.string().optional(),
    detail: z.string().optional(),
    route: z.string().optional(),
    line: z.int(),
  })
  .openapi('DeterminingRule')

const decided = {
  id: z.string().openapi({ example: 'dec_12' }),
  effect,
  reasons: z.array(z.string()).openapi({ example: ['Escalation required: human_approval_required'] }),
  rules: z.array(rule),
  policy: policyRef.nullable(),
  record: z.object({ index: z.int() }),
  approval: z.object({ id: z.string(), url: z.string(), deadline: z.string() }).optional(),
}

export const decisionAnswer = z
  .object({
    ...decided,
    replayed: z.literal(true).optional().openapi({
      description:
        'The call id was decided before: whoever got that answer first may have run. Do not run again.',
    }),
    outcome: z
      .object({ status: z.enum(['succeeded', 'failed', 'unknown']) })
      .nullable()
      .optional(),
  })
  .openapi('Decision')

export const decisionView = z
  .object({
    ...decided,
    agent: z.string(),
    action: z.string(),
    callId: z.string().nullable(),
    at: z.string(),
    params: z.unknown().nullable().openapi({ description: 'Null where erased.' }),
    context: z.unknown().nullable(),
    outcome: z.object({ status: z.string(), at: z.string(), detail: z.string().optional() }).nullable(),
  })
  .openapi('DecisionView')

export const decisionList = z
  .object({ decisions: z.array(decisionView), next: z.int().nullable() })
  .openapi('DecisionList')

export const outcomeAnswer = z
  .object({ decision: z.string(), status: z.string(), record: z.object({ index: z.int().nullable() }) })
  .openapi('Outcome')

const approvalStatus = z.enum(['pending', 'approved', 'rejected', 'expired', 'consumed'])

export const approvalView = z
  .object({
    id: z.string().openapi({ example: 'apr_12' }),
    decision: z.string(),
    url: z.string(),
    agent: z.string(),
    action: z.string(),
    params: z.unknown().nullable(),
    context: z.unknown().nullable(),
    reasons: z.array(z.string()),
    rules: z.array(rule),
    policy: policyRef.nullable(),
    status: approvalStatus,
    openedAt: z.string(),
    deadline: z.string(),
    terms: z.object({
      routes: z.array(z.string()),
      approvers: z.array(z.array(z.string())),
      quorum: z.int(),
      deadlineMs: z.int(),
    }),
    votes: z.array(
      z.object({
        person: z.string(),
        vote: z.enum(['approve', 'reject']),
        comment: z.string().nullable(),
        at: z.string(),
      }),
    ),
    consumedBy: z.string().nullable(),
    mayVote: z.boolean(),
  })
  .openapi('Approval')

export const approvalList = z
  .object({ approvals: z.array(approvalView), next: z.int().nullable() })
  .openapi('ApprovalList')

export const personView = z
  .object({ person: z.object({ id: z.string(), roles: z.array(z.string()) }) })
  .openapi('Session')

export const signedNote = z
  .string()
  .openapi({ example: 'bailiwick.local/main\n42\nroot hash…\n\n— bailiwick.local/main signature…\n' })

export const eventStream = z.string().openapi({ example: 'event: log\ndata: {"size":42}\n\n' })

export const health = z.object({ status: z.literal('ok') }).openapi('Health')

export const readiness = z
  .object({ status: z.literal('ready'), log: z.object({ size: z.int() }), at: z.string() })
  .openapi('Readiness')

export const problemDocument = z
  .object({
    type: z.string().openapi({ example: 'urn:bailiwick:problem:not_found' }),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    fix: z.string().openapi({ description: 'What the caller can do next.' }),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .openapi('Problem')

const wholeNumber = (max: number) =>
  z
    .string()
    .regex(/^[0-9]{1,15}$/, { error: 'must be a whole number' })
    .transform(Number)
    .refine((value) => value <= max, { error: `must be at most ${max}` })

const page = {
  limit: wholeNumber(200)
    .refine((value) => value > 0, { error: 'must be at least 1' })
    .optional(),
  before: wholeNumber(Number.MAX_SAFE_INTEGER).optional(),
}

// No record bears such a name, and PostgreSQL takes no text with a zero character.
const sought = name.regex(/^\P{Cc}+$/u, { error: 'must not contain control characters' })

export const decisionQuery = z.strictObject({
  ...page,
  agent: sought.optional(),
  action: sought.optional(),
  effect: effect.optional(),
})

export const approvalQuery = z.strictObject({ ...page, status: approvalStatus.optional() })

export const waitQuery = z.strictObject({ wait: wholeNumber(waitSecondsMax).optional() })

export const idParam = z.object({ id: z.string().max(40) })
