import { z } from 'zod'
import { counterWindowMsMax } from '../model/limits.ts'
import {
  condition,
  durationMs,
  link,
  mode,
  name,
  patterns,
  reason,
  someNames,
  zone,
} from './schema-values.ts'

const effect = z.enum(['deny', 'escalate'], { error: 'must be deny or escalate' })

/** An entry of `escalation_rules`, the form that people know from the original format. */
export const escalation = z.strictObject(
  { id: name.optional(), on: patterns.optional(), condition, action: name, reason: reason.optional() },
  { error: 'must be a map with condition and action' },
)

interface WithRoute {
  readonly effect?: 'deny' | 'escalate' | undefined
  readonly action?: string | undefined
}

const denyWithRoute = {
  error: 'a denying rule has no `action`: nobody is asked; remove it, or write `effect: escalate`',
  path: ['action'],
}

function noDenyWithRoute(value: WithRoute): boolean {
  return value.effect !== 'deny' || value.action === undefined
}

/** An entry of `rules`. */
export const rule = z
  .strictObject(
    {
      id: name.optional(),
      on: patterns.optional(),
      condition: condition.optional(),
      unless: condition.optional(),
      window: name.optional(),
      outside: name.optional(),
      environments: someNames('environment').optional(),
      effect,
      action: name.optional(),
      reason: reason.optional(),
      link: link.optional(),
      mode: mode.optional(),
    },
    { error: 'must be a map with effect and, usually, on and condition' },
  )
  .refine((value) => value.effect !== 'escalate' || value.action !== undefined, {
    error: 'an escalating rule needs `action`, the approval route to ask for',
  })
  .refine(noDenyWithRoute, denyWithRoute)

// Without `effect`, an `action` says that people are to be asked.
const needsEffect = { error: 'needs `effect: deny`, or `action`, the approval route to ask for' }

function hasEffect(value: WithRoute): boolean {
  return value.action !== undefined || value.effect === 'deny'
}

const counterWindow = z.union(
  [
    durationMs(['s', 'm', 'h', 'd'], counterWindowMsMax),
    z.strictObject(
      {
        calendar: z.enum(['day', 'week', 'month'], { error: 'must be day, week or month' }),
        zone,
      },
      { error: 'must be a length of time such as 24h, or a map with calendar and zone' },
    ),
  ],
  { error: 'must be a length of time such as 24h, or a map with calendar and zone' },
)

const valueSource = z
  .string({ error: 'must be the name of a fact, or a path such as context.customer.id' })
  .regex(/^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$/, {
    error: 'must be the name of a fact, or a path such as context.customer.id',
  })
  .max(500, { error: 'must have at most 500 characters' })

const perError = {
  error: 'must be the name of a fact, a path such as context.customer.id, or a list of up to 5 of them',
}

const counterBase = {
  id: name,
  on: patterns.optional(),
  per: z.union([valueSource, z.array(valueSource).min(1, perError).max(5, perError)], perError).optional(),
  window: counterWindow,
  effect: effect.optional(),
  action: name.optional(),
  reason: reason.optional(),
  link: link.optional(),
  mode: mode.optional(),
}

/** An entry of `budgets`. */
export const budget = z
  .strictObject(
    {
      ...counterBase,
      sum: valueSource.optional(),
      count: z.literal(true, { error: 'must be true' }).optional(),
      max: z.number({ error: 'must be a number' }).min(0, { error: 'must not be negative' }),
    },
    { error: 'must be a map with id, sum or count, window, max, and effect or action' },
  )
  .refine((value) => (value.sum === undefined) !== (value.count === undefined), {
    error: 'needs either `sum`, what to add up, or `count: true`',
  })
  .refine(hasEffect, needsEffect)
  .refine(noDenyWithRoute, denyWithRoute)

/** An entry of `rates`. */
export const rate = z
  .strictObject(
    {
      ...counterBase,
      max: z.int({ error: 'must be a whole number' }).min(1, { error: 'must be at least 1' }),
    },
    { error: 'must be a map with id, window, max, and effect or action' },
  )
  .refine(hasEffect, needsEffect)
  .refine(noDenyWithRoute, denyWithRoute)

/** An entry of `flows`. */
export const flow = z
  .strictObject(
    {
      id: name.optional(),
      after: z
        .strictObject(
          { label: name.optional(), action: name.optional() },
          { error: 'must be a map with label or action' },
        )
        .refine((value) => (value.label === undefined) !== (value.action === undefined), {
          error: 'must have either `label` or `action`',
        }),
      on: patterns.optional(),
      unless: condition.optional(),
      effect: effect.optional(),
      action: name.optional(),
      reason: reason.optional(),
      link: link.optional(),
      mode: mode.optional(),
    },
    { error: 'must be a map with after and on, and effect or action' },
  )
  .refine(hasEffect, needsEffect)
  .refine(noDenyWithRoute, denyWithRoute)
