import type { Facts, ToolCall } from '../model/call.ts'
import type { CallPath } from '../model/lookup.ts'
import type { Json } from '../model/json.ts'
import type { CounterNeed, DecisionNeeds, LookupNeed } from '../model/needs.ts'
import type { CompiledPolicy, FactDeclaration } from '../model/policy.ts'
import type { Instant } from '../model/ids.ts'
import { valueAt } from '../policy/readers.ts'
import { planFor } from './plan.ts'

/** How long one value may be that goes into an address or a query. */
const argumentLengthMax = 500

const nothingNeeded: DecisionNeeds = Object.freeze({
  session: false,
  standing: false,
  lookups: [],
  counters: [],
})
const grantsNeeded: DecisionNeeds = Object.freeze({ ...nothingNeeded, standing: true })

/**
 * What has to be gathered before the call can be decided. Depends on no clock.
 *
 * Counters may add up what is looked up: ask again with `lookups` once they are there. A lookup whose arguments the
 * call does not have, or a counter whose amount cannot be told, is not among the needs: there is nothing to gather,
 * and `decide` counts it against the call.
 */
export function needsOf(
  policy: CompiledPolicy,
  call: ToolCall,
  known: Pick<Facts, 'env' | 'lookups'> = {},
): DecisionNeeds {
  const plan = planFor(policy, call.action)
  if (plan.settled !== undefined && policy.mode === 'enforce') return nothingNeeded
  const { needsSession: session, mayStand: standing, lookups, counters } = plan
  if (lookups.length === 0 && counters.length === 0) {
    const needs = standing ? grantsNeeded : nothingNeeded
    return session ? { ...needs, session } : needs
  }
  // No reader of a counter asks for the time, so any will do.
  const given = { call, facts: { ...known, now: 0 as Instant } }
  return {
    session,
    standing,
    lookups: lookups.flatMap((fact) => lookupNeed(fact, call) ?? []),
    counters: counters.flatMap((planned): readonly CounterNeed[] => {
      const used = planned.use(given)
      if (typeof used === 'string') return []
      return [{ counter: used.counter, key: used.key, amount: used.amount, window: planned.rule.window }]
    }),
  }
}

function lookupNeed({ name: fact, lookup }: FactDeclaration, call: ToolCall): LookupNeed | undefined {
  if (lookup === undefined) return undefined
  const { timeoutMs, cacheMs } = lookup
  if (lookup.kind === 'sql') {
    const args = lookup.args.map((path) => argumentAt(path, call))
    if (!allThere(args)) return undefined
    return { kind: 'sql', fact, source: lookup.source, text: lookup.text, args, timeoutMs, cacheMs }
  }
  const parts = lookup.url.map((part) =>
    typeof part === 'string' ? part : inAddress(argumentAt(part, call)),
  )
  if (!allThere(parts)) return undefined
  return { kind: 'http', fact, url: parts.join(''), select: lookup.select, timeoutMs, cacheMs }
}

function allThere<Value>(values: readonly (Value | undefined)[]): values is readonly Value[] {
  return values.every((value) => value !== undefined)
}

type Argument = string | number | boolean

function argumentAt([root, ...path]: CallPath, call: ToolCall): Argument | undefined {
  const value: Json | undefined = valueAt(root === 'context' ? call.context : call.params, path)
  if (typeof value === 'string') return value.length <= argumentLengthMax ? value : undefined
  return typeof value === 'number' || typeof value === 'boolean' ? value : undefined
}

// One part of a path and no more: what names no part, or the part above, would ask for something else.
function inAddress(value: Argument | undefined): string | undefined {
  const text = value === undefined ? '' : String(value)
  if (text === '' || text === '.' || text === '..' || /\p{Surrogate}/u.test(text)) return undefined
  return encodeURIComponent(text)
}
