import { z } from '@hono/zod-openapi'
import { batchCallsMax, callbackLengthMax, waitSecondsMax } from '@bailiwick/core'
import { policyRef, standing, standingUse, terms, voteChannel } from './approval-schemas.ts'
import { presented } from './review-schemas.ts'
import { comment, mustBe, name, object, oneOf, onlyKnown, text, wholeNumber } from './schema-parts.ts'

export * from './channel-schemas.ts'
export * from './log-schemas.ts'
export * from './review-schemas.ts'
export * from './service-schemas.ts'
export {
  cancellationRequest,
  delegationAnswer,
  delegationList,
  delegationRequest,
  grantAnswer,
  grantList,
  revocationRequest,
  voteRequest,
  votesRequest,
} from './approval-schemas.ts'

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

const effect = oneOf('allow', 'deny', 'escalate')
const ruleFields = {
  id: z.string(),
  effect,
  condition: z.string().optional(),
  detail: z.string().optional(),
  route: z.string().optional(),
  line: z.int(),
  file: z
    .string()
    .optional()
    .openapi({ description: "Where it does not stand in the agent's own policy file." }),
  link: z.string().optional(),
  shadow: z
    .literal(true)
    .optional()
    .openapi({ description: 'In shadow mode: it matched, and did not count.' }),
}
const rule = z
  .object({ ...ruleFields, because: z.enum(['matched', 'condition_error']) })
  .openapi('DeterminingRule')
const obligation = z
  .discriminatedUnion('kind', [
    z.object({ kind: z.literal('redact'), path: z.string() }),
    z.object({ kind: z.literal('notify'), channel: z.string() }),
  ])
  .openapi('Obligation')
const code = z.string().openapi({ example: 'denied_by_rule' })
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

const erased = z
  .literal(true)
  .optional()
  .openapi({ description: 'Params and context were erased; the record stays.' })

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
    ...presented,
    outcome: z.object({ status: z.string(), at: z.string(), detail: z.string().optional() }).nullable(),
  })
  .openapi('DecisionView')

export const decisionList = z
  .object({ decisions: z.array(decisionView), next: z.int().nullable() })
  .openapi('DecisionList')

export const outcomeAnswer = z
  .object({ decision: z.string(), status: z.string(), record: z.object({ index: z.int().nullable() }) })
  .openapi('Outcome')

interface Part {
  text: string
  value: string | null
  error: string | null
  parts: Part[]
}

const part: z.ZodType<Part> = z
  .object({
    text: z.string().openapi({ example: 'refund_amount > 500' }),
    value: z.string().nullable().openapi({ description: 'What it came to; null where nothing.' }),
    error: z.string().nullable().openapi({ description: 'Why it came to nothing; null where nobody asked.' }),
    parts: z.lazy(() => z.array(part)),
  })
  .openapi('ExplainedPart')

export const explanationView = z
  .object({
    decision: z.string().openapi({ example: 'dec_12' }),
    same: z.boolean().openapi({ description: 'Whether it came out as it was recorded.' }),
    differences: z
      .array(z.string())
      .openapi({ description: 'The members of the record that came out otherwise.' }),
    effect,
    code: code.optional(),
    reasons: z.array(z.string()),
    approval: terms.optional(),
    standing: standingUse
      .extend({ by: z.array(z.string()) })
      .optional()
      .openapi({
        description: 'The standing grant that let the call through, and whose votes it rests on.',
      }),
    rules: z
      .array(
        z
          .object({
            ...ruleFields,
            because: z.enum(['matched', 'condition_error', 'not_matched']),
            parts: z.array(part),
          })
          .openapi('ExplainedRule'),
      )
      .openapi({ description: 'Every rule that speaks of the action, matched or not.' }),
    rulesElsewhere: z.int().openapi({ description: 'How many rules speak of other actions only.' }),
    facts: z.array(
      z
        .object({
          name: z.string(),
          type: z.string(),
          value: z.string().nullable(),
          from: z.string().openapi({ example: 'params.amount' }),
          source: z.enum(['params', 'context', 'lookup']).openapi({
            description: "Whose word it is: `params` is the model's, `context` the host's.",
          }),
          note: z.string().optional(),
        })
        .openapi('ExplainedFact'),
    ),
    counters: z.array(
      z
        .object({
          id: z.string(),
          limit: z.string(),
          used: z.number().nullable().openapi({ description: 'Before this call, in its window.' }),
          amount: z.number().nullable().openapi({ description: 'By this call.' }),
          masked: z
            .literal(true)
            .optional()
            .openapi({ description: 'Both are null because they would tell something sensitive.' }),
          max: z.number(),
        })
        .openapi('ExplainedCounter'),
    ),
    session: z.object({ labels: z.array(z.string()), actions: z.array(z.string()) }).optional(),
    changes: z
      .array(z.object({ change: z.string(), effect, reason: z.string() }).openapi('ExplainedChange'))
      .openapi({ description: 'Single changes that would have led to another effect.' }),
  })
  .openapi('Explanation')

const approvalStatus = oneOf('pending', 'approved', 'rejected', 'expired', 'cancelled', 'consumed')

export const approvalView = z
  .object({
    id: z.string().openapi({ example: 'apr_12' }),
    decision: z.string(),
    url: z.string(),
    agent: z.string(),
    action: z.string(),
    params: z.unknown().nullable(),
    context: z.unknown().nullable(),
    erased,
    ...presented,
    reasons: z.array(z.string()),
    rules: z.array(rule),
    policy: policyRef.nullable(),
    status: approvalStatus,
    openedAt: z.string(),
    deadline: z.string(),
    retryAt: z
      .string()
      .optional()
      .openapi({ description: 'While it is pending: when it is worth asking again; also in `Retry-After`.' }),
    terms,
    digest: z.string().openapi({ description: 'What a vote is for; it has to name it.' }),
    votes: z.array(
      z.object({
        person: z.string(),
        for: z.string().optional().openapi({ description: 'In whose stead, where it was cast so.' }),
        vote: z.enum(['approve', 'reject', 'acknowledge']),
        breakGlass: z.literal(true).optional().openapi({ description: 'Cast in an emergency.' }),
        standing: standing.optional(),
        channel: voteChannel.optional().openapi({ description: 'Over which channel it came.' }),
        comment: z.string().nullable(),
        at: z.string(),
      }),
    ),
    standingUntil: z.string().optional().openapi({
      description:
        'While it is pending, and `terms.standing` is there: the latest `standing.until` that a vote may name now.',
    }),
    consumedBy: z.string().nullable(),
    cancelled: z
      .object({ by: z.string(), reason: z.string().nullable(), at: z.string() })
      .optional()
      .openapi({ description: 'Where it was withdrawn: by a person, `operator` or `agent`.' }),
    mayVote: z.boolean().openapi({ description: 'Whether the person who asks may vote for themself.' }),
    mayVoteFor: z
      .array(z.string())
      .optional()
      .openapi({ description: 'In whose stead the person who asks may vote, as these have delegated it.' }),
    mayBreakGlass: z
      .literal(true)
      .optional()
      .openapi({ description: 'Where the person who asks may let it through in an emergency.' }),
  })
  .openapi('Approval')

export const approvalList = z
  .object({ approvals: z.array(approvalView), next: z.int().nullable() })
  .openapi('ApprovalList')

export const callView = z
  .object({ callId: z.string(), decision: decisionView, approval: approvalView.nullable() })
  .openapi('Call')

export const problemDocument = z
  .object({
    type: z.string().openapi({ example: 'urn:bailiwick:problem:not_found' }),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    fix: z.string().openapi({ description: 'What the caller can do next.' }),
    recorded: z.enum(['no', 'unknown']).optional().openapi({
      description:
        'With 5xx, of what was to be recorded: `no`, it is certainly not in the log; `unknown`, it may be. Nothing runs either way.',
    }),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .openapi('Problem')

export const votesAnswer = z
  .object({
    votes: z.array(z.union([z.object({ approval: z.string(), status: z.string() }), problemDocument])),
  })
  .openapi('Votes', {
    description:
      'What has `status` is where the approval stands after the vote; what has `type` a problem, and no vote.',
  })

export const batchAnswer = z
  .object({ decisions: z.array(z.union([decisionAnswer, problemDocument])) })
  .openapi('DecisionBatch', {
    description:
      'What has `effect` is a decision, as if asked for alone; what has `type` a problem, and no decision.',
  })

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
  .refine((at) => /^\d{4}-\d\d-\d\dT/.test(at) && !Number.isNaN(Date.parse(at)), {
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
