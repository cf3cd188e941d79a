import {
  decisionId,
  parseRecord,
  type ActionName,
  type AgentId,
  type Approval,
  type DecisionRecord,
  type Instant,
  type OutcomeStatus,
  type PolicyRef,
  windowStart,
} from '@bailiwick/core'
import { holdsNow } from '../archive/holds.ts'
import { archivedEnd } from '../archive/segments.ts'
import { readEntries, type Queryable } from './batches.ts'
import { decimalFrom } from './decimal.ts'
import { readPayloadStates } from './payload-states.ts'
import { Fold, type KnownDecision, type Memory, type Needs, type Use } from './fold.ts'

const calls = {
  name: 'read_calls',
  text: `select agent, call_id, index from call
    join unnest($2::text[], $3::text[]) as wanted (agent, call_id) using (agent, call_id)
    where ledger = $1`,
}

// Terms, deadline and votes are read from the records, which are hashed, and not from the columns that
// repeat them: who changes those grants nothing.
const approvals = {
  name: 'read_approvals',
  text: `select a.decision, a.consumed_by, a.status, array(
      select v.index from vote v where v.ledger = a.ledger and v.approval = a.decision order by v.index) as votes
    from approval a where a.ledger = $1 and a.decision = any($2::bigint[])`,
}

const outcomes = {
  name: 'read_outcomes',
  text: 'select decision, status from outcome where ledger = $1 and decision = any($2::bigint[])',
}

const releasable = {
  name: 'read_releasable',
  text: `select decision, encode(key, 'hex') as key, counter, (extract(epoch from at) * 1000)::bigint as at, amount, window_ms
    from counter_entry where ledger = $1 and decision = any($2::bigint[]) and releasable`,
}

/**
 * Reads what a batch of operations needs and `memory` does not have yet; on the sequencer's connection, so after every
 * batch before it.
 *
 * @param at the instant of the batch
 */
export async function readFold(
  client: Queryable,
  ledger: string,
  needs: readonly Needs[],
  memory: Memory,
  at: Instant,
): Promise<Fold> {
  const fold = new Fold(memory)
  const wantedCalls = needs.flatMap((need) => need.calls ?? [])
  const wantedApprovals = needs.flatMap((need) => need.approvals ?? [])
  const wantedUses = needs.flatMap((need) => need.uses ?? [])
  const counters = needs.flatMap((need) => need.counters ?? [])
  const sessions = needs.flatMap((need) => need.session ?? [])
  const wantedPayloads = needs.flatMap((need) => need.payloads ?? [])
  // All of them are sent at once, and answered one after the other.
  const [callRows, approvalRows, uses, payloads] = await Promise.all([
    wantedCalls.length === 0 ? [] : readCalls(client, ledger, wantedCalls),
    wantedApprovals.length === 0 ? [] : readApprovals(client, ledger, wantedApprovals),
    wantedUses.length === 0 ? [] : readUses(client, ledger, wantedUses),
    wantedPayloads.length === 0 ? [] : readPayloadStates(client, ledger, wantedPayloads),
    counters.length === 0
      ? undefined
      : memory.counters.load(
          client,
          ledger,
          counters.map(({ key, window }) => ({ key, since: windowStart(window, at) })),
        ),
    sessions.length === 0 ? undefined : memory.sessions.load(client, ledger, sessions),
  ])
  const wantedDecisions = [
    ...needs.flatMap((need) => need.decisions ?? []),
    ...callRows.map(({ index }) => index),
    ...approvalRows.map(([index]) => index),
  ]
  const decisionRows =
    wantedDecisions.length === 0 ? [] : await readDecisions(client, ledger, wantedDecisions)
  const retention = needs.some((need) => need.retention === true || need.payloads !== undefined)
    ? { archivedEnd: await archivedEnd(client, ledger), holds: await holdsNow(client, ledger) }
    : undefined
  fold.load({ calls: callRows, approvals: approvalRows, decisions: decisionRows, uses, payloads, retention })
  return fold
}

async function readUses(client: Queryable, ledger: string, decisions: readonly number[]): Promise<Use[]> {
  const { rows } = await client.query<{
    decision: string
    key: string
    counter: string
    at: string
    amount: string
    window_ms: string
  }>({ ...releasable, values: [ledger, decisions] })
  return rows.flatMap(({ decision, key, counter, at, amount: text, window_ms: windowMs }) => {
    const amount = decimalFrom(text)
    if (amount === undefined) return []
    return [
      {
        decision: Number(decision),
        key,
        counter,
        at: Number(at),
        amount,
        windowMs: Number(windowMs),
        releasable: true,
      },
    ]
  })
}

async function readCalls(
  client: Queryable,
  ledger: string,
  wanted: readonly { readonly agent: string; readonly callId: string }[],
): Promise<{ agent: string; call_id: string; index: number }[]> {
  const agents = wanted.map(({ agent }) => agent)
  const callIds = wanted.map(({ callId }) => callId)
  const { rows } = await client.query<{ agent: string; call_id: string; index: string }>({
    ...calls,
    values: [ledger, agents, callIds],
  })
  return rows.map((row) => ({ ...row, index: Number(row.index) }))
}

interface ApprovalRead {
  decision: string
  consumed_by: string | null
  status: string
  /** The indices of the vote records. */
  votes: readonly string[]
}

/** Approvals by the index of the decision that opened them, with their votes. */
export async function readApprovals(
  client: Queryable,
  ledger: string,
  indices: readonly number[],
): Promise<(readonly [number, Approval])[]> {
  const { rows } = await client.query<ApprovalRead>({ ...approvals, values: [ledger, indices] })
  const wanted = rows.flatMap((row) => [row.decision, ...row.votes].map(Number))
  const entries = await readEntries(client, ledger, wanted)
  return rows.flatMap((row) => {
    const text = entries.get(Number(row.decision))?.record
    if (text === undefined) return []
    const opened = parseRecord(text)
    // A row whose record opened no approval grants nothing; verification names it.
    if (opened.kind !== 'decision' || opened.opens === null || opened.policy === null) return []
    const votes = row.votes.flatMap((index) => entries.get(Number(index))?.record ?? [])
    return [[opened.index, approvalOf({ ...row, votes }, opened, opened.opens, opened.policy)] as const]
  })
}

function approvalOf(
  row: Pick<ApprovalRead, 'consumed_by' | 'status' | 'votes'>,
  opened: DecisionRecord,
  opens: NonNullable<DecisionRecord['opens']>,
  policy: PolicyRef,
): Approval {
  return {
    id: opens.id,
    agent: opened.agent as AgentId,
    action: opened.action as ActionName,
    policy,
    terms: opens.terms,
    openedAt: Date.parse(opened.at) as Instant,
    expiresAt: Date.parse(opens.deadline) as Instant,
    votes: row.votes.flatMap((text) => {
      const record = parseRecord(text)
      if (record.kind !== 'vote' || record.approval !== opens.id) return []
      return [{ person: record.person, vote: record.vote, at: Date.parse(record.at) as Instant }]
    }),
    consumedBy: row.consumed_by === null ? undefined : decisionId(Number(row.consumed_by)),
    expiryRecorded: row.status === 'expired',
  }
}

/** Decisions by index, with payload and outcome; indices that hold no decision are left out. */
async function readDecisions(
  client: Queryable,
  ledger: string,
  indices: readonly number[],
): Promise<KnownDecision[]> {
  const [entries, settled] = await Promise.all([
    readEntries(client, ledger, indices),
    client.query<{ decision: string; status: OutcomeStatus }>({ ...outcomes, values: [ledger, indices] }),
  ])
  const statuses = new Map(settled.rows.map(({ decision, status }) => [Number(decision), status]))
  return [...entries.values()].flatMap(({ index, record: text, payload }) => {
    const record = parseRecord(text)
    if (record.kind !== 'decision') return []
    const kept = typeof payload === 'string' ? null : { salt: Buffer.from(payload.salt), body: payload.body }
    return [{ record, payload: kept, outcome: statuses.get(index) ?? null }]
  })
}
