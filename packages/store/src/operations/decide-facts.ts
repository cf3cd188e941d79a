import {
  canonicalJson,
  recordedFacts,
  windowStart,
  type ApprovalFact,
  type CounterKey,
  type Decision,
  type Facts,
  type Instant,
  type ParsedCall,
} from '@bailiwick/core'
import type { Fold } from '../log/fold.ts'
import type { Place } from '../log/operation.ts'
import type { Gathered } from './gather.ts'

/** What is known when the call takes its place. What was not read is absent, and counts against the call. */
export function factsFor(
  { parsed, gathered }: { readonly parsed: ParsedCall; readonly gathered: Gathered },
  fold: Fold,
  place: Place,
  approval: ApprovalFact | undefined,
): Facts {
  const { env, lookups, counters } = gathered
  const session =
    gathered.session && parsed.call.session !== undefined ? fold.session(parsed.call.session) : undefined
  return {
    now: place.at,
    approval,
    env,
    suspension: fold.suspension(parsed.call.agent),
    lookups,
    session,
    supports: parsed.supports,
    counters: counters.length === 0 ? undefined : usedBefore(counters, fold, place.at),
  }
}

function usedBefore(counters: Gathered['counters'], fold: Fold, at: Instant): Map<CounterKey, number> {
  const used = new Map<CounterKey, number>()
  for (const { key, digest, window } of counters) {
    const sum = fold.counters.used(digest, windowStart(window, at))
    if (sum !== undefined) used.set(key, sum)
  }
  return used
}

/**
 * What the record commits to: the call, what was known when it was decided, and the keys of what it consumes, as
 * canonical JSON. The parsed call has its text already, which is kept where there is nothing to add.
 */
export function payloadOf(parsed: ParsedCall, facts: Facts, decision: Decision): string {
  if (parsed.malformed !== undefined) return parsed.payload
  const recorded = recordedFacts(facts)
  const consumes = decision.effect === 'allow' ? decision.consumes : []
  let more = ''
  if (Object.keys(recorded).length > 0) more = `,"facts":${canonicalJson(recorded)}`
  if (consumes.length > 0) more += `,"keys":${canonicalJson(consumes.map(({ key }) => key))}`
  const text = more === '' ? parsed.payload : withMore(parsed, more)
  // Only an approval is told of. The member's name sorts before all others.
  if (parsed.callback === undefined || decision.effect !== 'escalate') return text
  return `{"callback":${canonicalJson(parsed.callback)},${text.slice(1)}`
}

function withMore({ call, payload }: ParsedCall, more: string): string {
  const head = `{"context":${canonicalJson(call.context)}`
  return `${head}${more}${payload.slice(head.length)}`
}
