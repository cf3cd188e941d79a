import {
  approvalId,
  decisionId,
  instantText,
  parseRecord,
  type ApprovalId,
  type ApprovalStatus,
  type DecisionId,
  type DecisionRecord,
  type Effect,
} from '@bailiwick/core'
import type { Ledger } from './ledger.ts'
import { batchesBackwards, type Queryable } from './log/batches.ts'

/** Whose decisions to look at, and how many. */
export interface ActivityQuery {
  readonly agent: string
  readonly action?: string | undefined
  /** Only decisions before this index. */
  readonly before?: number | undefined
  /** How many decisions to look at, the newest first. */
  readonly limit: number
}

/** A decision on one line. */
export interface PastDecision {
  readonly id: DecisionId
  readonly action: string
  readonly at: string
  readonly effect: Effect
  /** What became of the approval that it opened; null where it opened none. */
  readonly approval: { readonly id: ApprovalId; readonly status: ApprovalStatus } | null
}

/** What an agent did lately. No params: nothing of it is sensitive. */
export interface Activity {
  /** How many decisions were looked at. */
  readonly of: number
  readonly counts: Readonly<Record<Effect, number>>
  /** What became of the approvals among them. */
  readonly approvals: Readonly<Partial<Record<ApprovalStatus, number>>>
  /** The newest of them, the newest first. */
  readonly recent: readonly PastDecision[]
  /** The newest that was allowed, or else the newest. */
  readonly similar: DecisionId | null
}

/** How many decisions are told one by one. */
const recentMax = 8

/** What an agent did lately, of one action or of all. */
export async function agentActivity(
  { pool: client, name: ledger, now }: Pick<Ledger, 'pool' | 'name' | 'now'>,
  query: ActivityQuery,
): Promise<Activity> {
  const records = await newestDecisions(client, ledger, query)
  const statuses = await approvalStatuses(
    client,
    ledger,
    records.flatMap(({ opens, index }) => (opens === null ? [] : [index])),
    instantText(now()),
  )
  const counts = { allow: 0, deny: 0, escalate: 0 }
  const approvals: Partial<Record<ApprovalStatus, number>> = {}
  for (const { effect } of records) counts[effect] += 1
  for (const status of statuses.values()) approvals[status] = (approvals[status] ?? 0) + 1
  const similar = records.find(({ effect }) => effect === 'allow') ?? records[0]
  return {
    of: records.length,
    counts,
    approvals,
    recent: records.slice(0, recentMax).map((record): PastDecision => {
      const { id, action, at, effect, index } = record
      const status = statuses.get(index)
      return {
        id,
        action,
        at,
        effect,
        approval: status === undefined ? null : { id: approvalId(index), status },
      }
    }),
    similar: similar === undefined ? null : decisionId(similar.index),
  }
}

async function newestDecisions(
  client: Queryable,
  ledger: string,
  { agent, action, before = Number.MAX_SAFE_INTEGER, limit }: ActivityQuery,
): Promise<DecisionRecord[]> {
  const found: DecisionRecord[] = []
  const terms = [`agent=${agent}`, ...(action === undefined ? [] : [`action=${action}`])]
  for await (const { entries } of batchesBackwards(client, ledger, before, terms)) {
    for (const { index, record: text } of entries.toReversed()) {
      if (index >= before) continue
      const record = parseRecord(text)
      if (record.kind !== 'decision' || record.agent !== agent) continue
      if (action === undefined || record.action === action) found.push(record)
      if (found.length === limit) return found
    }
  }
  return found
}

async function approvalStatuses(
  client: Queryable,
  ledger: string,
  indices: readonly number[],
  now: string,
): Promise<ReadonlyMap<number, ApprovalStatus>> {
  if (indices.length === 0) return new Map()
  const { rows } = await client.query<{ decision: string; status: ApprovalStatus }>(
    `select decision,
      case when status in ('pending', 'approved') and expires_at <= $3 then 'expired' else status end as status
    from approval where ledger = $1 and decision = any($2::bigint[])`,
    [ledger, indices, now],
  )
  return new Map(rows.map(({ decision, status }) => [Number(decision), status]))
}
