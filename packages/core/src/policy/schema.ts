import { z } from 'zod'
import { approvalDeadlineMsMax, nameLengthMax } from '../model/limits.ts'

// No white space and no control characters: names are compared as they stand, and shown to people.
const namePattern = /^[^\s\p{C}]+$/u
const identifierPattern = /^[A-Za-z_][A-Za-z0-9_]*$/

/** A name as calls carry it: of an action, an agent, a rule. */
export const name = z
  .string({ error: 'must be a text' })
  .min(1, { error: 'must not be empty' })
  .max(nameLengthMax, { error: `must have at most ${nameLengthMax} characters` })
  .regex(namePattern, { error: 'must not contain white space or control characters' })

const names = z.array(name, { error: 'must be a list of names' })
// An empty list would make a rule or a fact that never applies, without a word.
const patterns = z.union([name, names.min(1, { error: 'must name at least one action' })], {
  error: 'must be a name or a list of names',
})
const condition = z.string({ error: 'must be a text with a condition, such as "refund_amount > 500"' })
const reason = z.string({ error: 'must be a text' }).min(1, { error: 'must not be empty' }).max(500, {
  error: 'must have at most 500 characters',
})

/** A length of time such as `30s`, `5m`, `2h` or `1d`, in milliseconds. */
const durationMs = z
  .string({ error: 'must be a length of time such as 30s, 5m, 2h or 1d' })
  .regex(/^[1-9][0-9]{0,6}(s|m|h|d)$/, { error: 'must be a length of time such as 30s, 5m, 2h or 1d' })
  .transform((text) => Number(text.slice(0, -1)) * unitMs(text.slice(-1)))
  .refine((ms) => ms <= approvalDeadlineMsMax, { error: 'must be at most 30d' })

function unitMs(unit: string): number {
  if (unit === 's') return 1000
  if (unit === 'm') return 60_000
  return unit === 'h' ? 3_600_000 : 86_400_000
}

const fact = z.strictObject(
  {
    type: z.enum(['number', 'bool', 'string', 'list<string>', 'list<number>'], {
      error: 'must be one of number, bool, string, list<string>, list<number>',
    }),
    from: z
      .string({
        error: 'must say where the value comes from, such as params.amount or context.customer.is_vip',
      })
      .regex(/^(params|context)(\.[A-Za-z_][A-Za-z0-9_]*)+$/, {
        error: 'must be params. or context. and a path of names, such as params.amount',
      }),
    for: patterns.optional(),
    unit: z.string({ error: 'must be a text such as USD' }).optional(),
    default: z
      .union([z.number(), z.boolean(), z.string(), z.array(z.string()), z.array(z.number())], {
        error: 'must be a value of the type of the fact',
      })
      .optional(),
  },
  { error: 'must be a map with type and from' },
)

const escalation = z.strictObject(
  { id: name.optional(), on: patterns.optional(), condition, action: name, reason: reason.optional() },
  { error: 'must be a map with condition and action' },
)

const rule = z
  .strictObject(
    {
      id: name.optional(),
      on: patterns.optional(),
      condition: condition.optional(),
      effect: z.enum(['deny', 'escalate'], { error: 'must be deny or escalate' }),
      action: name.optional(),
      reason: reason.optional(),
    },
    { error: 'must be a map with effect and, usually, on and condition' },
  )
  .refine((value) => value.effect !== 'escalate' || value.action !== undefined, {
    error: 'an escalating rule needs `action`, the approval route to ask for',
  })
  .refine((value) => value.effect !== 'deny' || value.action === undefined, {
    error: 'a denying rule has no `action`: nobody is asked; remove it, or write `effect: escalate`',
    path: ['action'],
  })

const route = z.strictObject(
  {
    approvers: z
      .array(
        z.string().regex(/^(role:[a-z0-9-]+|person:[^\s\p{C}]+@[^\s\p{C}]+)$/u, {
          error: 'must be role:NAME or person:EMAIL',
        }),
        { error: 'must be a list of role:NAME or person:EMAIL' },
      )
      .optional(),
    quorum: z
      .int({ error: 'must be a whole number' })
      .min(1, { error: 'must be at least 1' })
      .max(20, { error: 'must be at most 20' })
      .optional(),
    deadline: durationMs.optional(),
  },
  { error: 'must be a map with approvers, quorum or deadline' },
)

/** The policy file of this version. Keys that are not listed are errors: what is not enforced must not be promised. */
export const policySchema = z.strictObject(
  {
    agent_id: name,
    domain: z.string({ error: 'must be a text' }).optional(),
    allowed_actions: names,
    forbidden_actions: names.optional(),
    escalation_rules: z.array(escalation, { error: 'must be a list of rules' }).optional(),
    audit_frequency: z
      .literal('every_action_logged', { error: 'must be every_action_logged: nothing less is recorded' })
      .optional(),
    version: z.int({ error: 'must be a whole number' }).min(0, { error: 'must not be negative' }).optional(),
    mode: z
      .literal('enforce', { error: 'must be enforce: this version does not know another mode' })
      .optional(),
    facts: z
      .record(
        z.string().regex(identifierPattern, { error: 'must be a name of letters, digits and _' }),
        fact,
        {
          error: 'must be a map from a name to its type and source',
        },
      )
      .optional(),
    rules: z.array(rule, { error: 'must be a list of rules' }).optional(),
    approvals: z.record(name, route, { error: 'must be a map from a route to its terms' }).optional(),
  },
  { error: 'must be a map: a policy starts with agent_id and allowed_actions' },
)

/** A policy file's content, its shape checked. */
export type PolicyFile = z.output<typeof policySchema>

/** Keys that the language plans for; refused until something enforces them. */
export const plannedKeys: ReadonlySet<string> = new Set([
  'extends',
  'actions',
  'budgets',
  'rates',
  'flows',
  'invariants',
  'escalate_to',
  'when',
  'unless',
  'roles',
  'sensitive',
])
