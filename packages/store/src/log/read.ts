import {
  decisionId,
  approvalId,
  parseRecord,
  type ActionName,
  type AgentId,
  type Approval,
  type ApprovalTerms,
  type DecisionRecord,
  type Instant,
  type OutcomeStatus,
  type PersonId,
  type PolicyRef,
  type VoteChoice,
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

const approvals = {
  name: 'read_approvals',
  text: `select a.decision, a.agent, a.action, a.terms, a.opened_at, a.expires_at, a.consumed_by, a.status, e.record,
      coalesce((select json_agg(json_build_object('person', v.person, 'vote', v.vote, 'at', v.at, 'index', v.index) order by v.index)
        from vote v where v.ledger = a.ledger and v.approval = a.decision), '[]') as votes
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
  decision: string
  agent: string
  action: string
  terms: string
  opened_at: Date
  expires_at: Date
  consumed_by: string | null
  status: string
  record: string
  votes: readonly { person: string; vote: VoteChoice; at: string; index: number }[]
}

/** Approvals by the index of the decision that opened them, with their votes. */
export async function readApprovals(
  client: Queryable,
  ledger: string,
  indices: readonly number[],
): Promise<(readonly [number, Approval])[]> {
  const { rows } = await client.query<ApprovalRead>({ ...approvals, values: [ledger, indices] })
  return rows.map((row) => [Number(row.decision), approvalOf(row)] as const)
}

function approvalOf(row: ApprovalRead): Approval {
  const index = Number(row.decision)
  const opened = parseRecord(row.record) as DecisionRecord
  return {
    id: approvalId(index),
    agent: row.agent as AgentId,
    action: row.action as ActionName,
    policy: opened.policy as PolicyRef,
    terms: JSON.parse(row.terms) as ApprovalTerms,
    openedAt: row.opened_at.getTime() as Instant,
    expiresAt: row.expires_at.getTime() as Instant,
    votes: row.votes.map((vote) => ({
      person: vote.person as PersonId,
      vote: vote.vote,
      at: Date.parse(vote.at) as Instant,
    })),
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
