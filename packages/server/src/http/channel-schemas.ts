import { z } from '@hono/zod-openapi'
import { name, oneOf, onlyKnown, wholeNumber } from './schema-parts.ts'

export const approvalStream = z.string().openapi({
  example:
    'id: pending\nevent: approval\ndata: {"id":"apr_6","status":"pending","retryAt":"…","deadline":"…"}\n\n',
})

const deliveryState = oneOf('waiting', 'delivered', 'dead')

export const deliveryList = z
  .object({
    deliveries: z.array(
      z
        .object({
          id: z.string().openapi({ description: 'Receivers see the same id.' }),
          target: z.string().openapi({ example: 'approvals.mail' }),
          recipient: z.string().nullable(),
          kind: z.string().openapi({ example: 'approval.requested' }),
          record: z.object({ index: z.int() }),
          state: deliveryState.openapi({ description: '`dead`: given up after every attempt failed.' }),
          attempts: z.int(),
          enqueuedAt: z.string(),
          nextAttemptAt: z.string().nullable(),
          deliveredAt: z.string().nullable(),
          deadAt: z.string().nullable(),
          lastError: z.string().nullable(),
        })
        .openapi('Delivery'),
    ),
  })
  .openapi('DeliveryList')

export const nothing = z.strictObject({}, onlyKnown)

export const retryAnswer = z.object({ id: z.string(), state: z.literal('waiting') }).openapi('DeliveryRetry')

export const deliveryParam = z.object({ id: name })

export const deliveryQuery = z.strictObject(
  {
    limit: wholeNumber(200)
      .refine((value) => value > 0, { error: 'must be at least 1' })
      .optional(),
    state: deliveryState.optional(),
  },
  onlyKnown,
)

export const tokenParam = z.object({
  token: z.string().max(100, { error: 'must have at most 100 characters' }),
})

export const slackAccountParam = z.object({
  account: z
    .string()
    .regex(/^[UW][A-Z0-9]{2,29}$/, { error: 'must be the id of a Slack account' })
    .openapi({ example: 'U0123456789' }),
})

export const callParam = z.object({ call: name })
