import { z } from 'zod'
import { lookupCacheMsMax, lookupTimeoutMsMax } from '../model/limits.ts'
import { authors, route } from './schema-routes.ts'
import { budget, escalation, flow, rate, rule } from './schema-rules.ts'
import {
  condition,
  durationMs,
  identifierPattern,
  mode,
  name,
  names,
  patterns,
  someNames,
  timeWindow,
} from './schema-values.ts'

const factSourceError =
  'must say where the value comes from: a path such as params.amount or context.customer.is_vip, or a map with http or sql'
const callPathError = {
  error: 'must be params. or context. and a path of names, such as params.amount',
}
const callPath = z.string(callPathError).regex(/^(params|context)(\.[A-Za-z_][A-Za-z0-9_]*)+$/, callPathError)

const subjectError = { error: 'must be a path such as params.customer_id, or a list of them' }
const subject = z.union([callPath, z.array(callPath)], subjectError)

const lookup = z
  .strictObject(
    {
      http: z.string({ error: 'must be an address' }).max(2000, { error: 'is too long' }).optional(),
      select: z
        .string({ error: 'must be a path into the answer, such as data.tier' })
        .regex(/^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$/, {
          error: 'must be a path into the answer, such as data.tier',
        })
        .optional(),
      sql: z.string({ error: 'must be a query' }).max(4096, { error: 'is too long' }).optional(),
      args: z
        .array(callPath, { error: 'must be a list of paths such as params.customer_id' })
        .max(20, { error: 'must have at most 20 entries' })
        .optional(),
      source: name.optional(),
      timeout: durationMs(['ms', 's'], lookupTimeoutMsMax).optional(),
      cache: durationMs(['s', 'm', 'h', 'd'], lookupCacheMsMax).optional(),
    },
    { error: factSourceError },
  )
  .refine((value) => (value.http === undefined) !== (value.sql === undefined), {
    error: 'must have either `http` or `sql`',
  })
  .refine((value) => value.http === undefined || (value.args === undefined && value.source === undefined), {
    error: 'an `http` lookup has no `args` and no `source`: they belong to `sql`',
  })
  .refine((value) => value.sql === undefined || value.select === undefined, {
    error: 'a `sql` lookup has no `select`: its query gives one row with one column',
  })
  .refine((value) => value.sql === undefined || value.http !== undefined || value.source !== undefined, {
    error: 'a `sql` lookup needs `source`, the name of a data source of the service',
  })

const fact = z.strictObject(
  {
    type: z.enum(['number', 'bool', 'string', 'list<string>', 'list<number>'], {
      error: 'must be one of number, bool, string, list<string>, list<number>',
    }),
    from: z.union([callPath, lookup], { error: factSourceError }),
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

const resultPath = z
  .string({ error: 'must be a path such as result.card_number' })
  .regex(/^result(\.[A-Za-z_][A-Za-z0-9_]*)+$/, { error: 'must be a path such as result.card_number' })

const obligation = z
  .strictObject(
    { redact: resultPath.optional(), require: callPath.optional(), notify: name.optional() },
    { error: 'must be a map with redact, require or notify' },
  )
  .refine((value) => Object.keys(value).length === 1, {
    error: 'must have exactly one of `redact`, `require` and `notify`',
  })

const action = z.strictObject(
  {
    params: z
      .union([z.boolean(), z.record(z.string(), z.unknown())], { error: 'must be a JSON Schema' })
      .optional(),
    roles: someNames('role').optional(),
    when: condition.optional(),
    window: name.optional(),
    environments: someNames('environment').optional(),
    sensitive: z.array(callPath, { error: 'must be a list of paths such as params.iban' }).optional(),
    subject: subject.optional(),
    labels: names.optional(),
    obligations: z.array(obligation, { error: 'must be a list of obligations' }).optional(),
  },
  {
    error:
      'must be a map with params, roles, when, window, environments, sensitive, subject, labels or obligations',
  },
)

const path = z
  .string({ error: 'must be the path of a file' })
  .min(1, { error: 'must not be empty' })
  .max(500, { error: 'must have at most 500 characters' })
  .regex(/^[^\\\p{C}]+$/u, { error: 'must be a path with `/` between its parts' })
  .refine((text) => !text.startsWith('/') && !/^[A-Za-z][A-Za-z0-9+.-]*:/.test(text), {
    error: 'must be a path relative to this file',
  })

const identifier = z.string().regex(identifierPattern, { error: 'must be a name of letters, digits and _' })

/** What a policy file and a file that it extends may both say. */
const common = {
  domain: z.string({ error: 'must be a text' }).optional(),
  extends: z
    .union([path, z.array(path).min(1, { error: 'must name at least one file' })], {
      error: 'must be the path of a file, or a list of paths',
    })
    .optional(),
  forbidden_actions: names.optional(),
  escalation_rules: z.array(escalation, { error: 'must be a list of rules' }).optional(),
  audit_frequency: z
    .literal('every_action_logged', { error: 'must be every_action_logged: nothing less is recorded' })
    .optional(),
  version: z.int({ error: 'must be a whole number' }).min(0, { error: 'must not be negative' }).optional(),
  mode: mode.optional(),
  environments: someNames('environment').optional(),
  roles: z
    .record(name, someNames('agent'), { error: 'must be a map from a role to the agents that have it' })
    .optional(),
  windows: z.record(name, timeWindow, { error: 'must be a map from a name to a time window' }).optional(),
  facts: z.record(identifier, fact, { error: 'must be a map from a name to its type and source' }).optional(),
  subject: subject.optional(),
  actions: z
    .record(name, action, {
      error:
        'must be a map from an action to its constraints; what is allowed is listed in `allowed_actions`',
    })
    .optional(),
  rules: z.array(rule, { error: 'must be a list of rules' }).optional(),
  budgets: z.array(budget, { error: 'must be a list of budgets' }).optional(),
  rates: z.array(rate, { error: 'must be a list of rates' }).optional(),
  flows: z.array(flow, { error: 'must be a list of flows' }).optional(),
  authors: authors.optional(),
  approvals: z.record(name, route, { error: 'must be a map from a route to its terms' }).optional(),
}

const policyError = { error: 'must be a map: a policy starts with agent_id and allowed_actions' }

/** A policy file for one agent. Keys that are not listed are errors: what is not enforced must not be promised. */
export const policySchema = z.strictObject({ agent_id: name, allowed_actions: names, ...common }, policyError)

/** A policy file for several agents. */
export const policyOfAgentsSchema = z.strictObject(
  { agents: someNames('agent'), allowed_actions: names, ...common },
  policyError,
)

/** A file that others extend: it binds no agent. */
export const parentSchema = z.strictObject(
  { allowed_actions: names.optional(), ...common },
  { error: 'must be a map with keys of a policy, without agent_id' },
)

/** Any of the three, as an editor needs to know them. */
export const writtenSchema = z.strictObject({
  agent_id: name.optional(),
  agents: someNames('agent').optional(),
  allowed_actions: names.optional(),
  ...common,
})

/** A file's content, its shape checked. */
export type PolicyFile = z.output<typeof writtenSchema>

/** Keys that the language plans for; refused until something enforces them. */
export const plannedKeys: ReadonlySet<string> = new Set(['invariants'])
