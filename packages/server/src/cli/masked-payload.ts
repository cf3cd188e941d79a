import { maskText, type CompiledPolicy, type Json, type JsonObject, type LogRecord } from '@bailiwick/core'
import { lastPolicies, type Ledger } from '@bailiwick/store'
import { Masking } from '../http/masking.ts'

/** What of a record's payload may be shown without a reason; null where there is no payload. */
export type PayloadMask = (record: LogRecord, body: string | null) => Promise<Json>

/**
 * Masks payloads as the service does wherever people look: by the policy that decided, and by the one that was recorded
 * last for the agent. What no view shows at all, such as facts, keys of counters and results of outcomes, is masked whole.
 */
export async function payloadMask(ledger: Ledger): Promise<PayloadMask> {
  const { pool, name, cold } = ledger
  const last = await lastPolicies(pool, name)
  const policies = { all: last, warnings: [], for: (agent: string) => policyFor(last, agent) }
  const masking = new Masking({ pool, name, cold, policies })
  return async (record, body) => {
    if (body === null) return null
    const payload = JSON.parse(body) as JsonObject | null
    if (payload === null) return null
    if (record.kind === 'outcome') return hiding(payload, ['result'])
    // Versions before this one kept the text that was searched for, which may name anybody.
    if (record.kind === 'read') return hiding(payload, ['filter'])
    if (record.kind !== 'decision') return payload
    const { params = null, context = null, ...rest } = payload
    const { agent, action, policy } = record
    const shown = await masking.forPeople({ agent, action, policy, params, context })
    return { ...hiding(rest, Object.keys(rest)), params: shown.params, context: shown.context }
  }
}

/** Of policies in the order in which they were recorded, the newest first, the one that binds an agent. */
export function policyFor(policies: readonly CompiledPolicy[], agent: string): CompiledPolicy | undefined {
  return policies.find(({ agents }) => agents.some((pattern) => pattern.matches(agent)))
}

function hiding(payload: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(
    Object.entries(payload).map(([name, value]) => [
      name,
      names.includes(name) && value !== null ? maskText : value,
    ]),
  )
}
