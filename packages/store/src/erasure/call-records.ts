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
    for (const record of await decisionsAt(client, ledger, next.splice(0, decisionsPerRead))) {
      found.set(record.index, record)
      next.push(...(await neighbours(client, ledger, record)).filter((index) => !asked.has(index)))
      for (const index of next) asked.add(index)
    }
    // Once nothing else leads anywhere.
    if (next.length > 0) continue
    next = (await firstDecisions(client, ledger, [...found.values()])).filter((index) => !asked.has(index))
    for (const index of next) asked.add(index)
  }
  return found
}

async function decisionsAt(
  client: Queryable,
  ledger: string,
  indices: readonly number[],
): Promise<DecisionRecord[]> {
  const entries = await readEntries(client, ledger, indices)
  return [...entries.values()].flatMap(decisionOf)
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
  const { agent } = record
  const { rows } = await client.query<{ index: string }>(
    'select index from call where ledger = $1 and agent = $2 and call_id = $3',
    [ledger, agent, callId],
  )
  const standing = await decisionsAt(
    client,
    ledger,
    rows.map(({ index }) => Number(index)),
  )
  return [...standing, ...(await claimants(client, ledger, callTerm(agent, callId)))]
}

/**
 * The first decisions under the call ids of these, where they are not among them. The first one mostly claims nothing, so
 * no term leads to it. Mostly it stands for the call id, or opened the approval that another one claims; otherwise it was
 * denied, or escalated in vain, and the log is searched for it, once for all call ids of an agent's action.
 */
async function firstDecisions(
  client: Queryable,
  ledger: string,
  found: readonly DecisionRecord[],
): Promise<number[]> {
  const known = new Set(found.filter(({ claims }) => claims === null).map(callOf))
  const sought = new Map<string, DecisionRecord[]>()
  for (const record of found) {
    if (record.callId === null || known.has(callOf(record))) continue
    const place = `agent=${record.agent} action=${record.action}`
    sought.set(place, [...(sought.get(place) ?? []), record])
  }
  const firsts: number[] = []
  for (const [place, records] of sought) {
    const calls = new Set(records.map(callOf))
    const before = Math.max(...records.map(({ index }) => index))
    for (const effect of ['effect=escalate', 'effect=deny']) {
      const terms = [effect, ...place.split(' ')]
      for await (const { entries } of batchesBackwards(client, ledger, before, terms)) {
        for (const record of entries.flatMap(decisionOf)) {
          if (record.claims === null && calls.delete(callOf(record))) firsts.push(record.index)
        }
        if (calls.size === 0) break
      }
    }
  }
  return firsts
}

/** A call, by agent, call id and action. None of them holds white space. */
function callOf({ agent, callId, action }: DecisionRecord): string {
  return `${agent} ${callId ?? ''} ${action}`
}

function decisionOf({ record }: { readonly record: string }): DecisionRecord[] {
  const parsed = parseRecord(record)
  return parsed.kind === 'decision' ? [parsed] : []
}

async function claimants(client: Queryable, ledger: string, term: string): Promise<DecisionRecord[]> {
  const found: DecisionRecord[] = []
  for await (const { entries } of batchesBackwards(client, ledger, Number.MAX_SAFE_INTEGER, [term])) {
    found.push(...entries.flatMap(decisionOf).filter((record) => isClaimant(record, term)))
  }
  return found
}

function isClaimant({ agent, callId, claims }: DecisionRecord, term: string): boolean {
  if (claims === null) return false
  return term === `claims=${claims.id}` || (callId !== null && term === callTerm(agent, callId))
}
