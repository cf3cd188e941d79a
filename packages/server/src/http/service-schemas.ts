import { z } from '@hono/zod-openapi'
import { commentLengthMax } from '@bailiwick/core'
import { policyRef } from './rule-schemas.ts'
import { name, oneOf, onlyKnown, text } from './schema-parts.ts'

export const eventStream = z.string().openapi({
  example:
    'event: log\ndata: {"size":42}\n\nevent: approval\ndata: {"id":"apr_41","agent":"a","action":"b","deadline":"…","mayVote":true}\n\n',
})

export const health = z.object({ status: z.literal('ok') }).openapi('Health')

export const readiness = z
  .object({
    status: z.literal('ready'),
    log: z.object({ size: z.int() }),
    at: z.string(),
    payloadKey: z.literal('missing').optional().openapi({
      description: 'There where calls that hold data of people are refused for want of the key.',
    }),
  })
  .openapi('Readiness')

export const suspensionRequest = z
  .strictObject(
    {
      state: oneOf('suspended', 'active'),
      reason: text(commentLengthMax).openapi({ description: 'Told to the agent with every denial.' }),
    },
    onlyKnown,
  )
  .openapi('SuspensionRequest')

export const suspensionAnswer = z
  .object({
    agent: z.string(),
    state: z.enum(['suspended', 'active']),
    record: z.object({ index: z.int().nullable().openapi({ description: 'Null where it was so already.' }) }),
  })
  .openapi('Suspension')

export const agentList = z
  .object({
    agents: z.array(
      z
        .object({
          agent: z
            .string()
            .openapi({ description: '`*` stands for every agent, and is listed while all are suspended.' }),
          policy: policyRef.nullable(),
          keys: z.int().openapi({ description: 'How many keys speak for it.' }),
          suspension: z.object({ reason: z.string(), since: z.string(), by: z.string() }).nullable(),
        })
        .openapi('Agent'),
    ),
  })
  .openapi('AgentList')

export const agentParam = z.object({ agent: name })
