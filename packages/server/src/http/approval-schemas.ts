import { z } from '@hono/zod-openapi'
import { batchCallsMax, commentLengthMax, voteChannels } from '@bailiwick/core'
import { voteSignature } from './passkey-schemas.ts'
import { problemDocument } from './problem-schema.ts'
import { erased, presented, sealed } from './review-schemas.ts'
import { policyRef, rule } from './rule-schemas.ts'
import { archived, comment, mustBe, name, oneOf, onlyKnown, text } from './schema-parts.ts'

const usesValue = z.int(mustBe('a whole number')).min(1, { error: 'must be at least 1' })

const digest = z
  .string(mustBe('a string'))
  .regex(/^[0-9a-f]{64}$/, { error: 'must be 64 lower-case hexadecimal digits' })

const instant = z
  .string(mustBe('a string'))
  .max(40, { error: 'must have at most 40 characters' })
  .openapi({ example: '2026-12-01T00:00:00Z' })

export const voteRequest = z
  .strictObject(
    {
      vote: oneOf('approve', 'reject', 'acknowledge').openapi({
        description:
          '`acknowledge` where the approval asks for acknowledgement, `approve` where it asks for consent.',
      }),
      comment: comment.optional(),
      digest: digest.openapi({ description: 'The `digest` that the approval shows: what the vote is for.' }),
      for: name
        .optional()
        .openapi({ description: 'The person in whose stead it is cast, who has delegated it.' }),
      signature: voteSignature
        .optional()
        .openapi({ description: 'Required where the approval asks for signed votes, refused elsewhere.' }),
      breakGlass: z
        .boolean(mustBe('true or false'))
        .optional()
        .openapi({ description: 'In an emergency, by who may break the glass; `comment` has to say why.' }),
      standing: z.strictObject({ uses: usesValue, until: instant }, onlyKnown).optional().openapi({
        description:
          'So many more calls like this one, before `until`: only with `approve`, and within `terms.standing` of the approval. It becomes a standing grant once everybody whose approval counts has sent one; the fewest uses and the earliest `until` hold.',
      }),
    },
    onlyKnown,
  )
  .openapi('VoteRequest')

export const votesRequest = z
  .strictObject(
    {
      votes: z
        .array(voteRequest.extend({ approval: name.openapi({ example: 'apr_12' }) }), mustBe('a list'))
        .min(1, { error: 'must not be empty' })
        .max(batchCallsMax, { error: `must have at most ${batchCallsMax} entries` }),
    },
    onlyKnown,
  )
  .openapi('VotesRequest')

export const votesAnswer = z
  .object({
    votes: z.array(z.union([z.object({ approval: z.string(), status: z.string() }), problemDocument])),
  })
  .openapi('Votes', {
    description:
      'What has `status` is where the approval stands after the vote; what has `type` a problem, and no vote.',
  })

/** Over which channel a vote comes. */
const voteChannel = z.enum(voteChannels)

const mayDiffer = z.array(z.object({ how: z.enum(['any', 'up_to']), param: z.string() })).openapi({
  description:
    'The parameters in which such calls may differ: `any`, in whatever way; `up_to`, a number from 0 to that of the approved call. In all else, context included, they are equal.',
})

/** Under which terms people are asked. */
export const terms = z.object({
  routes: z.array(z.string()),
  approvers: z.array(z.array(z.string())),
  quorum: z.int(),
  quorumOf: z.record(z.string(), z.int()).optional(),
  deadlineMs: z.int(),
  escalateTo: z
    .array(z.object({ afterMs: z.int(), approvers: z.array(z.string()), set: z.int() }))
    .optional()
    .openapi({
      description: 'Who is asked as well later; `set` is the list of `approvers` that they are added to.',
    }),
  remindMs: z.array(z.int()).optional(),
  hours: z
    .object({ zone: z.string(), days: z.array(z.string()), fromMinute: z.int(), toMinute: z.int() })
    .optional()
    .openapi({ description: 'Outside of these hours the clocks of the approval stand still.' }),
  exclude: z.array(z.string()).optional(),
  asks: z.enum(['consent', 'acknowledgement']).openapi({
    description: 'Whether somebody must agree, or must have looked.',
  }),
  channels: z
    .array(voteChannel)
    .optional()
    .openapi({ description: 'Over which channels votes are taken; all, where absent.' }),
  signed: z.literal(true).optional().openapi({ description: 'Votes have to be signed with a passkey.' }),
  survivesPolicyChange: z.literal(true).optional(),
  breakGlass: z
    .object({ approvers: z.array(z.array(z.string())), quorum: z.int() })
    .optional()
    .openapi({ description: 'Who may let it through in an emergency, and how many of them.' }),
  standing: z.object({ uses: z.int(), lastsMs: z.int(), mayDiffer }).optional().openapi({
    description:
      'What people may grant beside the one call: so many more like it, for so long after the vote.',
  }),
})

/** What a vote grants beside the one call. */
const standing = z
  .object({ uses: z.int(), until: z.string() })
  .openapi('Standing', { description: 'So many more calls like this one, before `until`.' })

/** That a standing grant let a call through. */
export const standingUse = z
  .object({
    grant: z.string().openapi({ example: 'grt_12' }),
    use: z.int().openapi({ description: '1 for the first.' }),
    uses: z.int(),
  })
  .openapi('StandingUse', { description: 'The standing grant that let the call through.' })

/** Where an approval may stand. */
export const approvalStatus = oneOf('pending', 'approved', 'rejected', 'expired', 'cancelled', 'consumed')

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
    sealed,
    ...presented,
    reasons: z.array(z.string()),
    rules: z.array(rule),
    policy: policyRef.nullable(),
    status: approvalStatus,
    voidedBy: z.literal('policy_change').optional().openapi({
      description:
        'Where it is pending or approved, and can let nothing through: the policy of its agent has changed since, and the call would be denied for that, whatever people answer.',
    }),
    openedAt: z.string(),
    deadline: z.string(),
    escalatesAt: z.array(z.string()).optional().openapi({
      description: 'From when on those of `terms.escalateTo` are asked as well, in their order.',
    }),
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
  .object({ approvals: z.array(approvalView), next: z.int().nullable(), archived })
  .openapi('ApprovalList')

const grant = z
  .object({
    id: z.string().openapi({ example: 'grt_12' }),
    approval: z.string().openapi({ example: 'apr_12', description: 'The approval that it came of.' }),
    agent: z.string(),
    action: z.string(),
    params: z.unknown().nullable().openapi({ description: 'Those of the approved call.' }),
    context: z.unknown().nullable(),
    ...presented,
    policy: policyRef,
    routes: z.array(z.string()),
    mayDiffer,
    uses: z.int(),
    used: z.int().openapi({ description: 'How many calls it has let through.' }),
    until: z.string(),
    madeAt: z.string(),
    by: z.array(z.object({ person: z.string(), for: z.string().optional() })),
    mayRevoke: z.boolean().openapi({ description: 'Whether the person who asks may revoke it.' }),
  })
  .openapi('StandingGrant')

export const grantList = z.object({ grants: z.array(grant) }).openapi('StandingGrantList')

export const grantAnswer = z
  .object({ id: z.string(), record: z.object({ index: z.int() }) })
  .openapi('GrantAnswer')

export const cancellationRequest = z
  .strictObject(
    { reason: text(commentLengthMax).openapi({ description: 'Recorded with the cancellation.' }) },
    onlyKnown,
  )
  .openapi('CancellationRequest')

export const delegationRequest = z
  .strictObject(
    {
      to: name.openapi({ description: 'Who casts the votes.' }),
      from: name.optional().openapi({
        description: "Whose votes they are; the caller's own unless an administrator says otherwise.",
      }),
      starts: instant.optional().openapi({ description: 'From now on, where absent.' }),
      ends: instant,
      reason: text(commentLengthMax),
    },
    onlyKnown,
  )
  .openapi('DelegationRequest')

export const revocationRequest = z
  .strictObject({ reason: text(commentLengthMax) }, onlyKnown)
  .openapi('RevocationRequest')

const delegationView = z
  .object({
    id: z.string().openapi({ example: 'dlg_12' }),
    from: z.string(),
    to: z.string(),
    starts: z.string(),
    ends: z.string(),
  })
  .openapi('Delegation')

export const delegationList = z.object({ delegations: z.array(delegationView) }).openapi('DelegationList')

export const delegationAnswer = z
  .object({ id: z.string(), record: z.object({ index: z.int() }) })
  .openapi('DelegationAnswer')
