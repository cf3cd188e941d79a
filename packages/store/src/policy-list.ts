import { parseRecord, type CompiledPolicy, type PolicyRef } from '@bailiwick/core'
import pg from 'pg'
import { whileConnected } from './engine/one-connection.ts'
import { batchesBackwards, type Queryable } from './log/batches.ts'
import { inSchema } from './migrate.ts'
import type { PolicySet } from './policies.ts'
import { compiledPolicy } from './replay.ts'

/** A policy as it was recorded when it came into force. */
export interface RecordedPolicy {
  readonly policy: PolicyRef
  readonly at: string
  readonly record: { readonly index: number }
}

/** A policy that is in force. */
export interface ListedPolicy {
  readonly policy: PolicyRef
  /** The agents that it binds, some of them as patterns. */
  readonly agents: readonly string[]
  readonly domain: string | null
  readonly mode: 'enforce' | 'shadow'
  /** The files that it extends, those that the others extend first. */
  readonly extends: readonly string[]
  /** When it came into force; null where that record is no longer in the database. */
  readonly since: RecordedPolicy | null
  /** What else was in force under its id, the newest first; normally before it. */
  readonly earlier: readonly RecordedPolicy[]
}

/** The policies in force, by id, with what the log says of them. */
export async function listPolicies(
  client: Queryable,
  ledger: string,
  policies: PolicySet,
): Promise<ListedPolicy[]> {
  const recorded = await recordedPolicies(client, ledger)
  return policies.all
    .map((policy): ListedPolicy => {
      const ofId = recorded.filter((each) => each.policy.id === policy.ref.id)
      const since = ofId.find((each) => each.policy.sha256 === policy.ref.sha256)
      return {
        policy: policy.ref,
        agents: policy.agents.map(({ text }) => text),
        domain: policy.domain ?? null,
        mode: policy.mode,
        extends: policy.parents.map(({ file }) => file),
        since: since ?? null,
        earlier: ofId.filter((each) => each !== since),
      }
    })
    .sort((one, other) => (one.policy.id < other.policy.id ? -1 : 1))
}

/**
 * The policies that were recorded last, one for each id, for whoever has no service at hand: one that was taken out of
 * force is among them. The newest comes first. What was erased, or this version does not read, is left out.
 */
export async function lastPolicies(client: Queryable, ledger: string): Promise<CompiledPolicy[]> {
  const found = new Map<string, CompiledPolicy | undefined>()
  const everything = batchesBackwards(client, ledger, Number.MAX_SAFE_INTEGER, ['kind=policy'])
  for await (const { entries } of everything) {
    for (const { record: text, payload } of entries.toReversed()) {
      const record = parseRecord(text)
      if (record.kind !== 'policy' || found.has(record.policy.id)) continue
      found.set(
        record.policy.id,
        typeof payload === 'string' ? undefined : compiledPolicy(payload.body, record.policy),
      )
    }
  }
  return [...found.values()].filter((policy) => policy !== undefined)
}

/** `lastPolicies` of a stored log. Needs no opened ledger and changes nothing. */
export async function lastStoredPolicies(
  connection: pg.ClientConfig,
  ledger: string,
): Promise<CompiledPolicy[]> {
  return await whileConnected(new pg.Client(inSchema(connection)), (client) => lastPolicies(client, ledger))
}

/** Every policy that was recorded, the newest first. */
async function recordedPolicies(client: Queryable, ledger: string): Promise<RecordedPolicy[]> {
  const found: RecordedPolicy[] = []
  const everything = batchesBackwards(client, ledger, Number.MAX_SAFE_INTEGER, ['kind=policy'])
  for await (const { entries } of everything) {
    for (const { record: text } of entries.toReversed()) {
      const record = parseRecord(text)
      if (record.kind !== 'policy') continue
      found.push({ policy: record.policy, at: record.at, record: { index: record.index } })
    }
  }
  return found
}
