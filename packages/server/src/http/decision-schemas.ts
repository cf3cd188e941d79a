// Calls: what is asked to have decided, what is answered, and what is shown of it later.
import { z } from '@hono/zod-openapi'
import { batchCallsMax, callbackLengthMax } from '@bailiwick/core'
import { approvalView, standingUse } from './approval-schemas.ts'
import { problemDocument } from './problem-schema.ts'
import { erased, presented, sealed } from './review-schemas.ts'
import { code, effect, policyRef, rule } from './rule-schemas.ts'
import { archived, comment, mustBe, name, object, oneOf, onlyKnown, text } from './schema-parts.ts'

/** What an agent asks to have decided. */
export const decisionRequest = z
  .strictObject(
    {
      action: name.openapi({ example: 'issue_refund' }),
      params: object.openapi({ example: { amount: 600, order_id: 'A-1001' } }),
      context: object.optional(),
      callId: name
        .optional()
        .openapi({ description: 'Chosen by the caller: a retry with it gets the same answer.' }),
      approvalId: name
        .optional()
        .openapi({ description: 'The approval that lets an escalated call through, once.' }),
      session: name.optional().openapi({
        description:
          "The host's name for the conversation or task; rules about information flows look back along it.",
      }),
      supports: z
        .array(name, mustBe('a list of names'))
        .max(20, { error: 'must have at most 20 entries' })
        .optional()
        .openapi({
          description: 'The obligations that the caller carries out, by kind.',
          example: ['redact'],
        }),
      callback: text(callbackLengthMax).optional().openapi({
        description:
          'Where to tell, once, that the approval which the call opens is over: a URL on a host that the service allows.',
        example: 'https://agents.example.com/told',
      }),
    },
    onlyKnown,
  )
  .openapi('DecisionRequest')

/** Several calls. Each is held to `decisionRequest` by itself, so that a wrong one spoils no other. */
export const batchRequest = z
  .strictObject(
    {
      calls: z
        .array(z.unknown(), mustBe('a list'))
        .min(1, { error: 'must not be empty' })
        .max(batchCallsMax, { error: `must have at most ${batchCallsMax} entries` })
        .openapi({ type: 'array', items: { $ref: '#/components/schemas/DecisionRequest' } }),
    },
    onlyKnown,
  )
  .openapi('DecisionBatchRequest')

export const outcomeRequest = z
  .strictObject(
    {
      status: oneOf('succeeded', 'failed', 'unknown'),
      detail: comment.optional(),
      result: z.unknown().optional(),
    },
    onlyKnown,
  )
  .openapi('OutcomeRequest')

const obligation = z
  .discriminatedUnion('kind', [
    z.object({ kind: z.literal('redact'), path: z.string() }),
    z.object({ kind: z.literal('notify'), channel: z.string() }),
  ])
  .openapi('Obligation')
const shadow = z
  .object({
    effect: z.enum(['deny', 'escalate']),
    code: code.optional(),
    reasons: z.array(z.string()),
    rules: z.array(rule),
  })
  .openapi('ShadowedDecision', {
    description: 'With a policy in shadow mode: what would have happened, had it been enforced.',
  })

const decided = {
  id: z.string().openapi({ example: 'dec_12' }),
  effect,
  reasons: z.array(z.string()).openapi({ example: ['Escalation required: human_approval_required'] }),
  rules: z.array(rule),
  policy: policyRef.nullable(),
  record: z.object({ index: z.int() }),
  approval: z
    .object({
      id: z.string(),
      url: z.string(),
      deadline: z.string(),
      retryAt: z
        .string()
        .optional()
        .openapi({ description: 'When it is worth asking what became of it; also in `Retry-After`.' }),
    })
    .optional(),
  obligations: z
    .array(obligation)
    .optional()
    .openapi({ description: 'With effect `allow`: what has to be done beside the action.' }),
  shadow: shadow.optional(),
  standing: standingUse.optional(),
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

export const batchAnswer = z
  .object({ decisions: z.array(z.union([decisionAnswer, problemDocument])) })
  .openapi('DecisionBatch', {
    description:
      'What has `effect` is a decision, as if asked for alone; what has `type` a problem, and no decision.',
  })

export const decisionView = z
  .object({
    ...decided,
    agent: z.string(),
    action: z.string(),
    callId: z.string().nullable(),
    session: z.string().optional(),
    at: z.string(),
    params: z.unknown().nullable().openapi({ description: 'Null where erased.' }),
    context: z.unknown().nullable(),
    erased,
    sealed,
    ...presented,
    outcome: z.object({ status: z.string(), at: z.string(), detail: z.string().optional() }).nullable(),
  })
  .openapi('DecisionView')

export const decisionList = z
  .object({ decisions: z.array(decisionView), next: z.int().nullable(), archived })
  .openapi('DecisionList')

export const outcomeAnswer = z
  .object({ decision: z.string(), status: z.string(), record: z.object({ index: z.int().nullable() }) })
  .openapi('Outcome')

export const callView = z
  .object({ callId: z.string(), decision: decisionView, approval: approvalView.nullable() })
  .openapi('Call')
