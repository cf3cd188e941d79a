import { parseRecord, type OutcomeStatus, type PolicyRef, type StoredEntry } from '@bailiwick/core'
import type { ColdLog } from './archive/cold-log.ts'
import { batchesBackwards, readEntries, type Queryable } from './log/batches.ts'
import { readApprovals } from './log/read-approvals.ts'
import type { PayloadReader } from './sealing/payload-reader.ts'
import type { AgentOwner } from './log/voting.ts'
import type { ApprovalRowView, DecisionRow } from './views.ts'

/** Which approvals to list, newest first. */
export interface ApprovalFilter {
  readonly limit: number
  readonly before?: number | undefined
  readonly agent?: string | undefined
  readonly status?: string | undefined
}

/** The decisions at these indices; with `cold`, also those that are archived. */
export async function findDecisions(
  client: Queryable,
  payloads: PayloadReader,
  indices: readonly number[],
  cold?: ColdLog,
): Promise<DecisionRow[]> {
  const entries = await readAnywhere(client, payloads.ledger, indices, cold)
  return await decisionRows(client, payloads, [...entries.values()], cold)
}

/** The entries at these indices, out of the database and then, with `cold`, out of cold storage. */
export async function readAnywhere(
  client: Queryable,
  ledger: string,
  indices: readonly number[],
  cold: ColdLog | undefined,
): Promise<ReadonlyMap<number, StoredEntry>> {
  const hot = await readEntries(client, ledger, indices)
  const missing = indices.filter((index) => !hot.has(index))
  return cold === undefined || missing.length === 0
    ? hot
    : new Map([...(await cold.entries(missing)), ...hot])
}

/** Entries that are decisions, with their outcomes, in the order given. */
export async function decisionRows(
  client: Queryable,
  payloads: PayloadReader,
  entries: readonly StoredEntry[],
  cold?: ColdLog,
): Promise<DecisionRow[]> {
  const { ledger } = payloads
  const { rows } = await client.query<{ decision: string; index: string; status: OutcomeStatus }>(
    'select decision, index, status from outcome where ledger = $1 and decision = any($2::bigint[])',
    [ledger, entries.map(({ index }) => index)],
  )
  const reports = await readAnywhere(
    client,
    ledger,
    rows.map(({ index }) => Number(index)),
    cold,
  )
  const read = await payloads.read(client, [...entries, ...reports.values()])
  const outcomes = new Map(
    rows.map(({ decision, index, status }) => {
      const report = reports.get(Number(index))
      const at = report === undefined ? new Date(0).toISOString() : parseRecord(report.record).at
      return [Number(decision), { status, at, body: read(report?.index).body }] as const
    }),
  )
  return entries.flatMap((entry) => {
    const record = parseRecord(entry.record)
    if (record.kind !== 'decision') return []
    return [{ record, ...read(entry.index), outcome: outcomes.get(entry.index) ?? null }]
  })
}

/**
 * Approvals that match, newest first. A deadline that has passed by `now` counts as expired here even
 * before the log says so.
 */
export async function listApprovals(
  client: Queryable,
  payloads: PayloadReader,
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
      payloads.ledger,
      filter.before ?? Number.MAX_SAFE_INTEGER,
      filter.agent ?? null,
      filter.status ?? null,
      now,
      filter.limit,
    ],
  )
  const indices = rows.map(({ decision }) => Number(decision))
  const found = await findApprovals(client, payloads, indices)
  return indices.flatMap((index) => found.get(index) ?? [])
}

/** The approvals that these decisions opened. */
export async function findApprovals(
  client: Queryable,
  payloads: PayloadReader,
  indices: readonly number[],
): Promise<ReadonlyMap<number, ApprovalRowView>> {
  if (indices.length === 0) return new Map()
  const { ledger } = payloads
  const [approvals, decisions, owners, comments] = await Promise.all([
    readApprovals(client, ledger, indices),
    findDecisions(client, payloads, indices),
    client.query<AgentOwner>(
      `select agent, person from agent_owner where agent in (
        select agent from approval where ledger = $1 and decision = any($2::bigint[]))`,
      [ledger, indices],
    ),
    client.query<{ approval: string; person: string; index: string }>(
      'select approval, person, index from vote where ledger = $1 and approval = any($2::bigint[])',
      [ledger, indices],
    ),
  ])
  const cancelled = approvals.flatMap(([, approval]) => approval.cancelled?.index ?? [])
  const voted = await readEntries(client, ledger, [
    ...comments.rows.map((row) => Number(row.index)),
    ...cancelled,
  ])
  const read = await payloads.read(client, [...voted.values()])
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
            owners: owners.rows.filter(({ agent }) => agent === approval.agent).map(({ person }) => person),
            cancelReason: textIn(read(approval.cancelled?.index).body, 'reason'),
            comments: new Map(
              ours.map((row) => [row.person, textIn(read(Number(row.index)).body, 'comment')]),
            ),
          },
        ],
      ]
    }),
  )
}

function textIn(body: string | null, name: 'comment' | 'reason'): string | null {
  const text = body === null ? null : (JSON.parse(body) as { comment?: unknown; reason?: unknown })[name]
  return typeof text === 'string' && text !== '' ? text : null
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

/** Approvals that wait, of which people are to be told again by `now`, oldest first. */
export async function duePrompts(
  client: Queryable,
  ledger: string,
  now: string,
  limit: number,
): Promise<number[]> {
  const { rows } = await client.query<{ decision: string }>(
    `select decision from approval
    where ledger = $1 and status = 'pending' and next_prompt_at <= $2 and expires_at > $2
    order by next_prompt_at limit $3`,
    [ledger, now, limit],
  )
  return rows.map(({ decision }) => Number(decision))
}

/** The policy that was recorded last under an id, with the index of its record; undefined where none is in the database. */
export async function lastPolicy(
  client: Queryable,
  ledger: string,
  id: string,
): Promise<(PolicyRef & { readonly index: number }) | undefined> {
  for await (const { entries } of batchesBackwards(client, ledger, Number.MAX_SAFE_INTEGER, [
    'kind=policy',
  ])) {
    for (const entry of entries.toReversed()) {
      const record = parseRecord(entry.record)
      if (record.kind === 'policy' && record.policy.id === id)
        return { ...record.policy, index: record.index }
    }
  }
  return undefined
}
