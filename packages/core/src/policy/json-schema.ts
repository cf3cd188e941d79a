import { z } from 'zod'
import type { Json, JsonObject } from '../model/json.ts'
import { writtenSchema } from './schema.ts'

/** What editors show of a key. `[]` stands for the items of a list, `*` for the entries of a map. */
const descriptions: Readonly<Record<string, string>> = {
  agent_id: 'The agent that this policy binds, as its API key names it.',
  agents:
    'The agents that this policy binds, in place of agent_id: names, and patterns in which * stands for any run of characters.',
  domain: 'For people.',
  extends:
    'Files whose rules bind this policy, too. It may only narrow what they allow. Paths are seen from this file.',
  allowed_actions: 'Patterns of actions. What none of them covers is denied.',
  forbidden_actions: 'Patterns of actions that are denied, whatever else allows them.',
  escalation_rules: 'Conditions under which people have to agree.',
  'escalation_rules[].condition': 'CEL. One that cannot be evaluated counts as matched.',
  'escalation_rules[].action': 'The approval route to ask for.',
  audit_frequency: 'Every decision is recorded in any case.',
  version: 'Shown with each decision.',
  mode: 'shadow: decide and record, and stop nothing.',
  environments: 'The environments that this policy is made for. Calls in others are denied.',
  roles: 'Groups of agents: role to names and patterns of agents.',
  windows: 'Named time windows.',
  'windows.*.zone': 'An IANA time zone such as Europe/Berlin.',
  'windows.*.days': 'The days on which the window begins; all where absent.',
  'windows.*.from': 'A time of day such as "08:00"; midnight where absent.',
  'windows.*.to': 'A time of day, not inside any more. At or before from: on the next day.',
  facts: 'What conditions may name, and where it comes from.',
  'facts.*.from':
    "params.… is the model's word, context.… the host's. http and sql are looked up before each decision.",
  'facts.*.for': 'The actions for which the fact exists; all where absent.',
  'facts.*.default': 'The value where none is there. Not where one of the wrong type is there.',
  'facts.*.unit': 'For people.',
  subject:
    'Whose data a call holds: a path such as params.customer_id, or several. What is recorded of a person is found and erased by it.',
  actions: 'Constraints of actions, by name or pattern. All entries that cover an action apply.',
  'actions.*.params': 'A JSON Schema that the parameters have to fit.',
  'actions.*.roles': 'The agent needs one of these roles.',
  'actions.*.when': 'CEL. Where it is false, or cannot be evaluated, the call is denied.',
  'actions.*.window': 'Outside this window the call is denied.',
  'actions.*.environments': 'In other environments the call is denied.',
  'actions.*.sensitive': 'Paths such as params.iban that are masked wherever people or webhooks see them.',
  'actions.*.subject':
    'Whose data a call holds: a path such as params.customer_id, or several. In place of the top-level subject.',
  'actions.*.labels': 'What the session is marked with once the action was allowed.',
  'actions.*.obligations': 'What has to be there, or has to be done, beside the action.',
  rules: 'Rules that deny or escalate. There are no priorities.',
  'rules[].on': 'The actions that the rule speaks of; all where absent.',
  'rules[].condition': 'CEL. One that cannot be evaluated counts as matched.',
  'rules[].unless': 'CEL. Where it is true, the rule does not match.',
  'rules[].window': 'The rule matches inside this window only.',
  'rules[].outside': 'The rule matches outside this window only.',
  'rules[].mode': 'shadow: a match is listed and does not count.',
  'rules[].link': 'Where people can read why the rule is there.',
  budgets: 'What may be used up in a window, added up or counted.',
  'budgets[].sum': 'What to add up: a fact, or a path such as params.amount.',
  'budgets[].per': 'Counted apart for each value of these: facts, or paths such as context.customer.id.',
  'budgets[].window': 'A length of time that slides, such as 24h, or {calendar: day, zone: Europe/Berlin}.',
  'budgets[].max': 'The call that would pass it matches.',
  'budgets[].action': 'The approval route to ask for. In place of effect: deny.',
  rates: 'How many calls there may be in a window.',
  flows: 'What may not follow on something earlier in the session.',
  'flows[].after': 'A label that the session has, or a pattern of actions that were allowed in it.',
  authors: 'The e-mail addresses of the people who wrote the policy; a route may exclude them.',
  approvals: 'What a route means: who is asked, how many have to agree, and by when.',
  'approvals.*.standing':
    'What who approves may grant beside the one call: so many more like it, for a while.',
  'approvals.*.standing.may_differ':
    'The parameters in which they may differ: any, or a number up_to that of the approved call.',
}

/**
 * The JSON Schema of policy files, and of files that they extend, for editors. It knows the shape; names, types and
 * conditions are checked by `parsePolicy` alone.
 */
export function policyJsonSchema(): JsonObject {
  const generated = z.toJSONSchema(writtenSchema, { io: 'input', target: 'draft-2020-12' }) as JsonObject
  const { $schema = '', ...rest } = generated
  return {
    $schema,
    title: 'Bailiwick policy',
    ...(described(rest, '') as JsonObject),
    not: { required: ['agent_id', 'agents'] },
    dependentRequired: { agent_id: ['allowed_actions'], agents: ['allowed_actions'] },
  }
}

function described(schema: Json, path: string): Json {
  if (!isObject(schema)) return schema
  const description = Object.hasOwn(descriptions, path) ? descriptions[path] : undefined
  const copy: Record<string, Json> = description === undefined ? {} : { description }
  for (const [keyword, value] of Object.entries(schema)) {
    if (keyword === 'properties' && isObject(value)) {
      copy[keyword] = Object.fromEntries(
        Object.entries(value).map(([name, member]) => [
          name,
          described(member, path === '' ? name : `${path}.${name}`),
        ]),
      )
    } else if (keyword === 'items') copy[keyword] = described(value, `${path}[]`)
    else if (keyword === 'additionalProperties') copy[keyword] = described(value, `${path}.*`)
    else copy[keyword] = value
  }
  return copy
}

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
