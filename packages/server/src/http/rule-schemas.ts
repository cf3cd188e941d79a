// What decisions, approvals and explanations say alike: of which policy, by which rules, to what effect.
import { z } from '@hono/zod-openapi'
import { oneOf } from './schema-parts.ts'

/** What names a policy. */
export const policyRef = z
  .object({ id: z.string(), version: z.int().nullable(), sha256: z.string() })
  .openapi('PolicyRef')

/** What a decision comes to. */
export const effect = oneOf('allow', 'deny', 'escalate')

/** What every view says of a rule. */
export const ruleFields = {
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

/** A rule that took part in a decision. */
export const rule = z
  .object({ ...ruleFields, because: z.enum(['matched', 'condition_error']) })
  .openapi('DeterminingRule')

/** Why a decision does not allow, for machines. */
export const code = z.string().openapi({ example: 'denied_by_rule' })
