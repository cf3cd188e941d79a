import type { ApprovalFact, Facts, LookupResult, SessionFact, StandingFact } from '../model/call.ts'
import type { CounterKey, Instant } from '../model/ids.ts'
import type { Json, JsonObject } from '../model/json.ts'

/**
 * What was known when a call was decided, as JSON, so that the decision can be replayed; the time is the record's.
 * Empty where nothing was known but the time. It may hold personal data: what was looked up, and keys of counters.
 */
export function recordedFacts(facts: Facts): JsonObject {
  const { approval, suspension, env, session, standing, counters, lookups, supports } = facts
  const recorded: Record<string, Json> = {}
  if (approval !== undefined) recorded['approval'] = { ...approval }
  if (counters !== undefined && counters.size > 0) recorded['counters'] = Object.fromEntries(counters)
  if (env !== undefined) recorded['env'] = env
  if (lookups !== undefined && lookups.size > 0) recorded['lookups'] = Object.fromEntries(lookups)
  if (session !== undefined) recorded['session'] = { actions: session.actions, labels: session.labels }
  if (standing !== undefined) recorded['standing'] = { ...standing }
  if (supports !== undefined && supports.length > 0) recorded['supports'] = supports
  if (suspension !== undefined) recorded['suspension'] = { reason: suspension.reason }
  return recorded
}

/** The facts that `recordedFacts` wrote, and the time of their record. What was not written there stays absent. */
export function factsFromRecord(recorded: JsonObject, now: Instant): Facts {
  const { approval, counters, env, lookups, session, standing, supports, suspension } = recorded as {
    readonly approval?: ApprovalFact
    readonly counters?: Readonly<Record<CounterKey, number>>
    readonly env?: string
    readonly lookups?: Readonly<Record<string, LookupResult>>
    readonly session?: SessionFact
    readonly standing?: StandingFact
    readonly supports?: readonly string[]
    readonly suspension?: { readonly reason: string }
  }
  return {
    now,
    approval,
    env,
    session,
    standing,
    supports,
    suspension,
    counters: counters && new Map(Object.entries(counters) as [CounterKey, number][]),
    lookups: lookups && new Map(Object.entries(lookups)),
  }
}
