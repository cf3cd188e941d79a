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
} from '@bailiwick/core'
import type pg from 'pg'
import { Fold, type KnownDecision, type Needs } from './fold.ts'

/** Anything that runs a statement: a connection or a pool. */
export type Queryable = Pick<pg.Client, 'query'>

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
  text: `select a.consumed_by, a.status, e.record,
      coalesce((select json_agg(ve.record order by v.index)
        from vote v join log_entry ve on ve.ledger = v.ledger and ve.index = v.index and ve.kind = 'vote'
        where v.ledger = a.ledger and v.approval = a.decision), '[]') as votes
    from approval a join log_entry e on e.ledger = a.ledger and e.index = a.decision
    where a.ledger = $1 and a.decision = any($2::bigint[])`,
}

const decisions = {
  name: 'read_decisions',
  text: `select e.record, p.salt, p.body, o.status
    from log_entry e
    left join payload p on p.ledger = e.ledger and p.index = e.index
    left join outcome o on o.ledger = e.ledger and o.decision = e.index
    where e.ledger = $1 and e.index = any($2::bigint[]) and e.kind = 'decision'`,
}

/** Reads what a batch of operations needs; on the sequencer's connection, so after every batch before it. */
export async function readFold(client: Queryable, ledger: string, needs: readonly Needs[]): Promise<Fold> {
  const fold = new Fold()
  const wantedCalls = needs.flatMap((need) => need.calls ?? [])
  const wantedApprovals = needs.flatMap((need) => need.approvals ?? [])
  const [callRows, approvalRows] = await Promise.all([
    wantedCalls.length === 0 ? [] : readCalls(client, ledger, wantedCalls),
    wantedApprovals.length === 0 ? [] : readApprovals(client, ledger, wantedApprovals),
  ])
  const wantedDecisions = [
    ...needs.flatMap((need) => need.decisions ?? []),
    ...callRows.map(({ index }) => index),
    ...approvalRows.map(([index]) => index),
  ]
  const decisionRows =
    wantedDecisions.length === 0 ? [] : await readDecisions(client, ledger, wantedDecisions)
  fold.load({ calls: callRows, approvals: approvalRows, decisions: decisionRows })
  return fold
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
  consumed_by: string | null
  status: string
  record: string
  /** The texts of the vote records. */
  votes: readonly string[]
}

/** Approvals by the index of the decision that opened them, with their votes. */
export async function readApprovals(
  client: Queryable,
  ledger: string,
  indices: readonly number[],
): Promise<(readonly [number, Approval])[]> {
  const { rows } = await client.query<ApprovalRead>({ ...approvals, values: [ledger, indices] })
  return rows.flatMap((row) => {
    const opened = parseRecord(row.record)
    // A row whose record opened no approval grants nothing; verification names it.
    if (opened.kind !== 'decision' || opened.opens === null || opened.policy === null) return []
    return [[opened.index, approvalOf(row, opened, opened.opens, opened.policy)] as const]
  })
}

function approvalOf(
  row: ApprovalRead,
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
  const { rows } = await client.query<{
    record: string
    salt: Buffer | null
    body: string | null
    status: OutcomeStatus | null
  }>({ ...decisions, values: [ledger, indices] })
  return rows.map((row) => ({
    record: parseRecord(row.record) as DecisionRecord,
    payload: row.salt === null || row.body === null ? null : { salt: row.salt, body: row.body },
    outcome: row.status,
  }))
}
