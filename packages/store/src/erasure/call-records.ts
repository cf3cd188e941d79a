import { callTerm, indexOfId, parseRecord, type DecisionRecord } from '@bailiwick/core'
import { batchesBackwards, readEntries, type Queryable } from '../log/batches.ts'

/** Batches are read whole, so decisions are read a few at a time. */
const decisionsPerRead = 16

/**
 * The indices of all records whose payloads tell of the same calls as these decisions: the decisions, those that decided
 * the same call again under its call id or its approval, the outcomes of all of them, and the votes on their approvals.
 * Ascending. Indices that are no decisions are left out.
 */
export async function recordsOfCalls(
  client: Queryable,
  ledger: string,
  decisions: readonly number[],
): Promise<number[]> {
  const found = await sameCalls(client, ledger, decisions)
  const indices = [...found.keys()]
  const values = [ledger, indices]
  const outcomes = await client.query<{ index: string; earlier: string | null }>(
    'select index, earlier from outcome where ledger = $1 and decision = any($2::bigint[])',
    values,
  )
  const votes = await client.query<{ index: string }>(
    'select index from vote where ledger = $1 and approval = any($2::bigint[])',
    values,
  )
  const reported = outcomes.rows.flatMap(({ index, earlier }) =>
    earlier === null ? [index] : [index, earlier],
  )
  const beside = [...reported, ...votes.rows.map(({ index }) => index)].map(Number)
  return [...new Set([...indices, ...beside])].sort((a, b) => a - b)
}

async function sameCalls(
  client: Queryable,
  ledger: string,
  decisions: readonly number[],
): Promise<ReadonlyMap<number, DecisionRecord>> {
  const found = new Map<number, DecisionRecord>()
  const asked = new Set(decisions)
  let next = [...asked]
  while (next.length > 0) {
    const few = next.splice(0, decisionsPerRead)
    for (const record of await decisionsAt(client, ledger, few)) {
      found.set(record.index, record)
      for (const index of await neighbours(client, ledger, record)) {
        if (asked.has(index)) continue
        asked.add(index)
        next.push(index)
      }
    }
    next = next.filter((index) => !found.has(index))
  }
  return found
}

async function decisionsAt(
  client: Queryable,
  ledger: string,
  indices: readonly number[],
): Promise<DecisionRecord[]> {
  const entries = await readEntries(client, ledger, indices)
  return [...entries.values()].flatMap(({ record }) => {
    const parsed = parseRecord(record)
    return parsed.kind === 'decision' ? [parsed] : []
  })
}

/** Decisions on the same call that this one leads to. */
async function neighbours(client: Queryable, ledger: string, record: DecisionRecord): Promise<number[]> {
  const { agent, callId, claims, opens } = record
  const isSame = (other: DecisionRecord) => other.agent === agent && other.action === record.action
  const found: DecisionRecord[] = []
  const claimed = claims === null ? undefined : indexOfId('apr', claims.id)
  // An id that the caller made up may be of another agent's call.
  if (claimed !== undefined) found.push(...(await decisionsAt(client, ledger, [claimed])))
  if (opens !== null) found.push(...(await claimants(client, ledger, `claims=${opens.id}`)))
  if (callId !== null) found.push(...(await underCallId(client, ledger, record, callId)))
  return found.filter(isSame).map(({ index }) => index)
}

async function underCallId(
  client: Queryable,
  ledger: string,
  record: DecisionRecord,
  callId: string,
): Promise<DecisionRecord[]> {
  const { agent, action } = record
  const isOf = (other: DecisionRecord) => other.agent === agent && other.callId === callId
  const { rows } = await client.query<{ index: string }>(
    'select index from call where ledger = $1 and agent = $2 and call_id = $3',
    [ledger, agent, callId],
  )
  const standing = await decisionsAt(
    client,
    ledger,
    rows.map(({ index }) => Number(index)),
  )
  const others = await claimants(client, ledger, callTerm(agent, callId))
  const known = [record, ...standing, ...others.filter(isOf)]
  // The first decision under the id mostly claims nothing, and then no term leads to it; mostly it is known anyway.
  if (known.some(({ claims }) => claims === null)) return known
  const before = Math.min(...known.map(({ index }) => index))
  const first = await newest(client, ledger, [`agent=${agent}`, `action=${action}`], before, isOf)
  return first === undefined ? known : [...known, first]
}

async function claimants(client: Queryable, ledger: string, term: string): Promise<DecisionRecord[]> {
  const found: DecisionRecord[] = []
  for await (const { entries } of batchesBackwards(client, ledger, Number.MAX_SAFE_INTEGER, [term])) {
    for (const { record } of entries) {
      const parsed = parseRecord(record)
      if (parsed.kind === 'decision' && parsed.claims !== null && isClaimant(parsed, term)) found.push(parsed)
    }
  }
  return found
}

function isClaimant({ agent, callId, claims }: DecisionRecord, term: string): boolean {
  return term === `claims=${claims?.id ?? ''}` || (callId !== null && term === callTerm(agent, callId))
}

async function newest(
  client: Queryable,
  ledger: string,
  terms: readonly string[],
  before: number,
  is: (record: DecisionRecord) => boolean,
): Promise<DecisionRecord | undefined> {
  for await (const { entries } of batchesBackwards(client, ledger, before, terms)) {
    for (const { record } of entries.toReversed()) {
      const parsed = parseRecord(record)
      if (parsed.kind === 'decision' && parsed.index < before && is(parsed)) return parsed
    }
  }
  return undefined
}
