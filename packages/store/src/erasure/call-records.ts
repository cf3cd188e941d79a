import {
  callTerm,
  indexOfId,
  parseRecord,
  recordTerms,
  type DecisionRecord,
  type StoredEntry,
} from '@bailiwick/core'
import type { ColdLog } from '../archive/cold-log.ts'
import { archivedEnd } from '../archive/segments.ts'
import { batchesBackwards, type Queryable } from '../log/batches.ts'
import { readAnywhere } from '../queries.ts'

/** Where records are looked for: in the database, and in cold storage where anything is archived. */
export interface WholeLog {
  readonly client: Queryable
  readonly ledger: string
  readonly cold: ColdLog
}

/** Batches are read whole, so decisions are read a few at a time. */
const decisionsPerRead = 16

/**
 * The indices of all records whose payloads tell of the same calls as these decisions: the decisions, those that decided
 * the same call again under its call id or its approval, the outcomes of all of them, and the votes on their approvals and what withdrew or revoked what came of them.
 * Ascending. Indices that are no decisions are left out.
 *
 * @throws Fault `store_unavailable` where archived records have to be read and their store is not open
 */
export async function recordsOfCalls(log: WholeLog, decisions: readonly number[]): Promise<number[]> {
  const { client, ledger } = log
  const found = await sameCalls(log, decisions)
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
  const cancellations = await client.query<{ index: string }>(
    'select cancelled_by as index from approval where ledger = $1 and decision = any($2::bigint[]) and cancelled_by is not null',
    values,
  )
  const revocations = await client.query<{ index: string }>(
    'select revoked_by as index from standing_grant where ledger = $1 and approval = any($2::bigint[]) and revoked_by is not null',
    values,
  )
  const reported = outcomes.rows.flatMap(({ index, earlier }) =>
    earlier === null ? [index] : [index, earlier],
  )
  const beside = [
    ...reported,
    ...[...votes.rows, ...cancellations.rows, ...revocations.rows].map(({ index }) => index),
  ].map(Number)
  return [...new Set([...indices, ...beside])].sort((a, b) => a - b)
}

// In rounds, each of which follows what the one before has found: the archive is read once for a round, not for a call.
async function sameCalls(
  log: WholeLog,
  decisions: readonly number[],
): Promise<ReadonlyMap<number, DecisionRecord>> {
  const found = new Map<number, DecisionRecord>()
  const asked = new Set<number>()
  let next = decisions
  while (next.length > 0) {
    for (const index of next) asked.add(index)
    const records = await decisionsAt(log, next)
    for (const record of records) found.set(record.index, record)
    const neighbours = await neighboursOf(log, records)
    // Once nothing else leads anywhere.
    const more = neighbours.some((index) => !asked.has(index))
      ? neighbours
      : await firstDecisions(log, [...found.values()])
    next = [...new Set(more)].filter((index) => !asked.has(index))
  }
  return found
}

async function decisionsAt(
  { client, ledger, cold }: WholeLog,
  indices: readonly number[],
): Promise<DecisionRecord[]> {
  const found: DecisionRecord[] = []
  for (let at = 0; at < indices.length; at += decisionsPerRead) {
    const entries = await readAnywhere(client, ledger, indices.slice(at, at + decisionsPerRead), cold)
    found.push(...[...entries.values()].flatMap(decisionOf))
  }
  return found
}

/** The decisions on the same calls that these lead to. */
async function neighboursOf(log: WholeLog, records: readonly DecisionRecord[]): Promise<number[]> {
  const claimed = records.flatMap(({ claims }) => indexOfId('apr', claims?.id ?? '') ?? [])
  const found = [
    ...(await decisionsAt(log, [...new Set([...claimed, ...(await standing(log, records))])])),
    ...(await claimants(log, records)),
  ]
  const links = new Set(records.flatMap(linksFrom))
  return found.filter((record) => linksTo(record).some((to) => links.has(to))).map(({ index }) => index)
}

// An id that a caller made up may be of another agent's call, so a link holds within an agent's action alone.
function linksFrom(record: DecisionRecord): string[] {
  return [
    ...callLink(record),
    ...link('claimed by', record, record.opens?.id),
    ...link('opened by', record, record.claims?.id),
  ]
}

function linksTo(record: DecisionRecord): string[] {
  return [
    ...callLink(record),
    ...link('claimed by', record, record.claims?.id),
    ...link('opened by', record, record.opens?.id),
  ]
}

function callLink(record: DecisionRecord): string[] {
  return link('call', record, record.callId ?? undefined)
}

function link(how: string, { agent, action }: DecisionRecord, id: string | undefined): string[] {
  return id === undefined ? [] : [`${how} ${agent} ${action} ${id}`]
}

/** The decisions that stand for the call ids of these. */
async function standing({ client, ledger }: WholeLog, records: readonly DecisionRecord[]): Promise<number[]> {
  const named = records.filter(({ callId }) => callId !== null)
  const { rows } = await client.query<{ index: string }>(
    `select index from call join unnest($2::text[], $3::text[]) as wanted (agent, id)
    on call.agent = wanted.agent and call.call_id = wanted.id where ledger = $1`,
    [ledger, named.map(({ agent }) => agent), named.map(({ callId }) => callId)],
  )
  return rows.map(({ index }) => Number(index))
}

/** The decisions that claimed the approvals of these, or claimed any under their call ids. */
async function claimants(log: WholeLog, records: readonly DecisionRecord[]): Promise<DecisionRecord[]> {
  const terms = new Set(
    records.flatMap(({ opens, agent, callId }) => [
      ...(opens === null ? [] : [`claims=${opens.id}`]),
      ...(callId === null ? [] : [callTerm(agent, callId)]),
    ]),
  )
  const found: DecisionRecord[] = []
  for await (const entry of entriesWith(
    log,
    Number.MAX_SAFE_INTEGER,
    [...terms].map((term) => [term]),
  )) {
    const claiming = decisionOf(entry).filter(({ claims }) => claims !== null)
    found.push(...claiming.filter((record) => recordTerms(record).some((term) => terms.has(term))))
  }
  return found
}

/**
 * The first decisions under the call ids of these, where they are not among them. The first one mostly claims nothing, so
 * no term leads to it. Mostly it stands for the call id, or opened the approval that another one claims; otherwise it was
 * denied, or escalated in vain, and the log is searched for it, once for all call ids of an agent's action.
 */
async function firstDecisions(log: WholeLog, found: readonly DecisionRecord[]): Promise<number[]> {
  const known = new Set(found.filter(({ claims }) => claims === null).map(callOf))
  const sought = found.filter((record) => record.callId !== null && !known.has(callOf(record)))
  if (sought.length === 0) return []
  const calls = new Set(sought.map(callOf))
  const places = [...new Set(sought.map(({ agent, action }) => `agent=${agent} action=${action}`))]
  const searches = places.flatMap((place) =>
    ['effect=escalate', 'effect=deny'].map((effect) => [effect, ...place.split(' ')]),
  )
  const before = Math.max(...sought.map(({ index }) => index))
  const firsts: number[] = []
  for await (const entry of entriesWith(log, before, searches)) {
    for (const record of decisionOf(entry)) {
      if (record.claims === null && calls.delete(callOf(record))) firsts.push(record.index)
    }
    if (calls.size === 0) break
  }
  return firsts
}

/**
 * Entries among which are all those before an index that have every term of any one of these searches: first what the
 * database has, one search after the other, then what is archived, read once for all of them.
 */
async function* entriesWith(
  { client, ledger, cold }: WholeLog,
  before: number,
  searches: readonly (readonly string[])[],
): AsyncGenerator<StoredEntry> {
  if (searches.length === 0) return
  for (const terms of searches) {
    for await (const { entries } of batchesBackwards(client, ledger, before, terms)) yield* entries
  }
  const end = Math.min(before, await archivedEnd(client, ledger))
  if (end === 0) return
  for await (const { entry } of cold.backwards({ before: end, searches })) yield entry
}

/** A call, by agent, call id and action. None of them holds white space. */
function callOf({ agent, callId, action }: DecisionRecord): string {
  return `${agent} ${callId ?? ''} ${action}`
}

function decisionOf({ record }: Pick<StoredEntry, 'record'>): DecisionRecord[] {
  const parsed = parseRecord(record)
  return parsed.kind === 'decision' ? [parsed] : []
}
