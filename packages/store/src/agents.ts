import type { PolicyRef } from '@bailiwick/core'
import type { Access } from './access.ts'
import type { Ledger } from './ledger.ts'
import { everyAgent, type SuspendedAgent } from './log/suspensions.ts'

/** An agent that the service knows of. */
export interface KnownAgent {
  /** Its id; `*` stands for every agent, and is listed only while all are suspended. */
  readonly agent: string
  /** The policy that binds it now. */
  readonly policy: PolicyRef | null
  /** How many keys speak for it. */
  readonly keys: number
  readonly suspension: Omit<SuspendedAgent, 'agent' | 'index'> | null
}

/** Agents that policies name, that have keys or that are suspended, by name. Patterns of policies are no agents. */
export async function agentsOf(ledger: Ledger, access: Access): Promise<KnownAgent[]> {
  const [keys, suspended] = await Promise.all([access.listKeys(), ledger.suspended()])
  const now = ledger.now()
  const inUse = keys.filter(
    ({ revokedAt, expiresAt }) => revokedAt === null && (expiresAt === null || Date.parse(expiresAt) > now),
  )
  const named = ledger.policies.all.flatMap(({ agents }) =>
    agents.flatMap(({ exact, text }) => (exact ? [text] : [])),
  )
  const ids = new Set([...named, ...inUse.map(({ agent }) => agent), ...suspended.map(({ agent }) => agent)])
  return [...ids].sort().map((agent) => {
    const row = suspended.find((each) => each.agent === agent)
    return {
      agent,
      policy: agent === everyAgent ? null : (ledger.policies.for(agent)?.ref ?? null),
      keys: inUse.filter((key) => key.agent === agent).length,
      suspension: row === undefined ? null : { reason: row.reason, since: row.since, by: row.by },
    }
  })
}
