import { z } from 'zod'
import { needsOf } from '../decision/needs.ts'
import { parseCall, type ParsedCall } from '../execution/call.ts'
import type { Facts, LookupResult } from '../model/call.ts'
import type { CounterKey } from '../model/ids.ts'
import type { Json } from '../model/json.ts'
import type { CompiledPolicy } from '../model/policy.ts'
import { name, names } from '../policy/schema-values.ts'
import type { PolicyTestCase } from './suite.ts'

const used = z.record(
  name,
  z.number({ error: 'must be a number' }).min(0, { error: 'must not be negative' }),
  { error: 'must be a map from the id of a budget or rate to what has been used of it' },
)

const sessionError = { error: 'must be a map with labels or actions, or none' }
const session = z.union(
  [
    z.literal('none', sessionError),
    z.strictObject({ labels: names.optional(), actions: names.optional() }, sessionError),
  ],
  sessionError,
)

/** What a case may say of the world beside the call. */
export const givenKeys = {
  agent: name.optional(),
  env: name.optional(),
  session: session.optional(),
  used: used.optional(),
  lookups: z
    .record(name, z.json({ error: 'must be a value' }), { error: 'must be a map from a fact to its value' })
    .optional(),
  supports: names.optional(),
}

interface GivenSession {
  readonly labels?: readonly string[] | undefined
  readonly actions?: readonly string[] | undefined
}

/** What a case says of the world beside the call. */
export interface Given {
  /** Who calls; undefined: the policy's own agent, or the first of several. */
  readonly agent?: string | undefined
  readonly env?: string | undefined
  /** Undefined: a session in which nothing has happened yet. `none`: the call names no session. */
  readonly session?: 'none' | GivenSession | undefined
  /** By the id of a budget or rate; 0 for those that are not named. */
  readonly used?: Readonly<Record<string, number>> | undefined
  /** What was found of the facts that are looked up. What is not named could not be looked up. */
  readonly lookups?: Readonly<Record<string, Json>> | undefined
  /** The obligations that the caller carries out; undefined: all that there are. */
  readonly supports?: readonly string[] | undefined
}

/** What is said of the world in a case; undefined where nothing is. */
export function givenOf({
  agent,
  env,
  session: inSession,
  used: usedOf,
  lookups,
  supports,
}: Given): Given | undefined {
  const given: Given = { agent, env, session: inSession, used: usedOf, lookups, supports }
  return Object.values(given).every((value) => value === undefined) ? undefined : given
}

/** The call of a case, checked as the service would. @throws Fault where it is none */
export function callOf(
  policy: CompiledPolicy,
  { action, params, context, given = {} }: PolicyTestCase,
): ParsedCall {
  const named = given.session === 'none' ? {} : { session: 'policy-test' }
  return parseCall(given.agent ?? policy.agentId, { action, params, context, ...named })
}

/** What the service would have gathered for the call of a case. */
export function factsOf(
  policy: CompiledPolicy,
  { call }: ParsedCall,
  { now, given = {} }: PolicyTestCase,
): Facts {
  const { env, session: inSession, supports = ['redact'] } = given
  const lookups = new Map(
    Object.entries(given.lookups ?? {}).map(([fact, value]): [string, LookupResult] => [
      fact,
      { kind: 'value', value },
    ]),
  )
  const { counters } = needsOf(policy, call, { env, lookups })
  const usedBefore = counters.map(({ counter, key }): [CounterKey, number] => [
    key,
    given.used?.[counter] ?? 0,
  ])
  return {
    now,
    env,
    lookups,
    supports,
    session:
      inSession === 'none'
        ? undefined
        : { labels: inSession?.labels ?? [], actions: inSession?.actions ?? [] },
    counters: new Map(usedBefore),
  }
}

/** What a case says of budgets, rates and lookups that the policy does not have: it would be said in vain. */
export function saidInVain(
  policy: CompiledPolicy,
  { used: usedOf = {}, lookups = {} }: Given = {},
): readonly string[] {
  const counters = new Set(policy.counters.map(({ id }) => String(id)))
  return [
    ...Object.keys(usedOf).flatMap((id) =>
      counters.has(id) ? [] : [`there is no budget or rate \`${id}\``],
    ),
    ...Object.keys(lookups).flatMap((fact) =>
      policy.facts.get(fact)?.source === 'lookup' ? [] : [`no fact \`${fact}\` is looked up`],
    ),
  ]
}
