import { parseRecord, type DecisionRecord, type OutcomeStatus, type StoredEntry } from '@bailiwick/core'
import { readApprovals, type Queryable } from './log/read.ts'
import type { ApprovalRowView, DecisionRow } from './views.ts'

/** Which decisions to list, newest first. */
export interface DecisionFilter {
  readonly limit: number
  /** Only records before this index. */
  readonly before?: number | undefined
  readonly agent?: string | undefined
  readonly action?: string | undefined
  readonly effect?: string | undefined
}

/** Which approvals to list, newest first. */
export interface ApprovalFilter {
  readonly limit: number
  readonly before?: number | undefined
  readonly agent?: string | undefined
  readonly status?: string | undefined
}

const decisionColumns = `e.record, p.body, o.status as outcome_status, oe.at as outcome_at, op.body as outcome_body
  from log_entry e
  left join payload p on p.ledger = e.ledger and p.index = e.index
  left join outcome o on o.ledger = e.ledger and o.decision = e.index
  left join log_entry oe on oe.ledger = e.ledger and oe.index = o.index
  left join payload op on op.ledger = e.ledger and op.index = o.index`

interface DecisionRead {
  record: string
  body: string | null
  outcome_status: OutcomeStatus | null
  outcome_at: Date | null
  outcome_body: string | null
}

/** Decisions that match, newest first. */
export async function listDecisions(
  client: Queryable,
  ledger: string,
  filter: DecisionFilter,
): Promise<DecisionRow[]> {
  const { rows } = await client.query<DecisionRead>(
    `select ${decisionColumns}
    where e.ledger = $1 and e.kind = 'decision' and e.index < $2
      and ($3::text is null or (hashtext(e.agent) = hashtext($3) and e.agent = $3)) and ($4::text is null or e.action = $4)
      and ($5::text is null or e.effect = $5)
    order by e.index desc limit $6`,
    [
      ledger,
      filter.before ?? Number.MAX_SAFE_INTEGER,
      filter.agent ?? null,
      filter.action ?? null,
      filter.effect ?? null,
      filter.limit,
    ],
  )
  return rows.map(decisionRow)
}

/** The decisions at these indices. */
export async function findDecisions(
  client: Queryable,
  ledger: string,
  indices: readonly number[],
): Promise<DecisionRow[]> {
  const { rows } = await client.query<DecisionRead>(
    `select ${decisionColumns} where e.ledger = $1 and e.kind = 'decision' and e.index = any($2::bigint[])`,
    [ledger, indices],
  )
  return rows.map(decisionRow)
}

function decisionRow(row: DecisionRead): DecisionRow {
  return {
    record: parseRecord(row.record) as DecisionRecord,
    body: row.body,
    outcome:
      row.outcome_status === null
        ? null
        : {
            status: row.outcome_status,
            at: (row.outcome_at ?? new Date(0)).toISOString(),
            body: row.outcome_body,
          },
  }
}

/**
 * Approvals that match, newest first. A deadline that has passed by `now` counts as expired here even
 * before the log says so.
 */
export async function listApprovals(
  client: Queryable,
  ledger: string,
  filter: ApprovalFilter,
  now: string,
): Promise<ApprovalRowView[]> {
  const { rows } = await client.query<{ decision: string }>(
    `select decision from approval
    where ledger = $1 and decision < $2 and ($3::text is null or agent = $3)
      and ($4::text is null or $4 =
        case when status in ('pending', 'approved') and expires_at <= $5 then 'expired' else status end)
    order by decision desc limit $6`,
    [
      ledger,
      filter.before ?? Number.MAX_SAFE_INTEGER,
      filter.agent ?? null,
      filter.status ?? null,
      now,
      filter.limit,
    ],
  )
  const indices = rows.map(({ decision }) => Number(decision))
  const found = await findApprovals(client, ledger, indices)
  return indices.flatMap((index) => found.get(index) ?? [])
}

/** The approvals that these decisions opened. */
export async function findApprovals(
  client: Queryable,
  ledger: string,
  indices: readonly number[],
): Promise<ReadonlyMap<number, ApprovalRowView>> {
  if (indices.length === 0) return new Map()
  const [approvals, decisions, comments] = await Promise.all([
    readApprovals(client, ledger, indices),
    findDecisions(client, ledger, indices),
    client.query<{ approval: string; person: string; body: string | null }>(
      `select v.approval, v.person, p.body from vote v
      left join payload p on p.ledger = v.ledger and p.index = v.index
      where v.ledger = $1 and v.approval = any($2::bigint[])`,
      [ledger, indices],
    ),
  ])
  const opened = new Map(decisions.map((row) => [row.record.index, row]))
  return new Map(
    approvals.flatMap(([index, approval]) => {
      const decision = opened.get(index)
      if (!decision) return []
      const ours = comments.rows.filter((row) => Number(row.approval) === index)
      return [
        [
          index,
          {
            approval,
            opened: decision,
            comments: new Map(ours.map((row) => [row.person, commentOf(row.body)])),
          },
        ],
      ]
    }),
  )
}

function commentOf(body: string | null): string | null {
  const comment = body === null ? null : (JSON.parse(body) as { comment?: unknown }).comment
  return typeof comment === 'string' && comment !== '' ? comment : null
}

/** Approvals whose deadline has passed and of which the log does not say so yet, oldest first. */
export async function overdueApprovals(
  client: Queryable,
  ledger: string,
  now: string,
  limit: number,
): Promise<number[]> {
  const { rows } = await client.query<{ decision: string }>(
    `select decision from approval
    where ledger = $1 and status in ('pending', 'approved') and expires_at <= $2
    order by expires_at limit $3`,
    [ledger, now, limit],
  )
  return rows.map(({ decision }) => Number(decision))
}

const entriesPerRead = 2_000

/** Every stored entry from `from` on, in the order of the index, in bounded memory. No record has a negative index, but a row may. */
export async function* storedEntries(
  client: Queryable,
  ledger: string,
  from = 0,
): AsyncGenerator<StoredEntry> {
  let next = from
  for (;;) {
    const { rows } = await client.query<{
      index: string
      leaf_hash: Buffer
      record: string
      kind: string
      at: Date | number | null
      finer: boolean
      agent: string | null
      action: string | null
      effect: string | null
      salt: Buffer | null
      body: string | null
      erased: boolean
    }>(
      `select e.index, e.leaf_hash, e.record, e.kind, e.at, e.agent, e.action, e.effect, p.salt, p.body,
        e.at <> date_trunc('milliseconds', e.at) as finer, p.erased_at is not null as erased
      from log_entry e left join payload p on p.ledger = e.ledger and p.index = e.index
      where e.ledger = $1 and e.index >= $2 order by e.index limit ${entriesPerRead}`,
      [ledger, next],
    )
    for (const row of rows) {
      next = Number(row.index) + 1
      yield {
        index: Number(row.index),
        leafHash: row.leaf_hash,
        record: row.record,
        payload: payloadOf(row),
        columns: {
          kind: row.kind,
          at: timeText(row.at, row.finer),
          agent: row.agent,
          action: row.action,
          effect: row.effect,
        },
      }
    }
    if (rows.length < entriesPerRead) return
  }
}

// `infinity` arrives as a number; no record says it, so verification finds it. A Date drops what is finer than
// milliseconds, which no record says either.
function timeText(at: Date | number | null, finer: boolean): string {
  if (!(at instanceof Date) || Number.isNaN(at.getTime())) return String(at)
  return finer ? `later than ${at.toISOString()}` : at.toISOString()
}

function payloadOf(row: {
  erased: boolean
  salt: Buffer | null
  body: string | null
}): StoredEntry['payload'] {
  if (row.salt !== null && row.body !== null) return { salt: row.salt, body: row.body }
  return row.erased ? 'erased' : 'none'
}
