import { z } from '@hono/zod-openapi'
import { standingUse, terms } from './approval-schemas.ts'
import { code, effect, ruleFields } from './rule-schemas.ts'

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

/** Why a call was decided as it was. */
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
