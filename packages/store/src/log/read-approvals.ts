import {
  decisionId,
  openedApproval,
  parseRecord,
  type Approval,
  type Cancelled,
  type Instant,
  type RecordedStanding,
  type Standing,
} from '@bailiwick/core'
import { readEntries, type Queryable } from './batches.ts'

// Terms, deadline and votes are read from the records, which are hashed, and not from the columns that
// repeat them: who changes those grants nothing.
const approvals = {
  name: 'read_approvals',
  text: `select a.decision, a.consumed_by, a.cancelled_by, a.next_prompt_at, a.status, array(
      select v.index from vote v where v.ledger = a.ledger and v.approval = a.decision order by v.index) as votes
    from approval a where a.ledger = $1 and a.decision = any($2::bigint[])`,
}

const restingOn = {
  name: 'read_approvals_resting_on',
  text: `select distinct a.decision from approval a join vote v on v.ledger = a.ledger and v.approval = a.decision
    where a.ledger = $1 and a.status in ('pending', 'approved') and (v.person = any($2) or v.principal = any($2))
    order by a.decision`,
}

/**
 * The indices of the decisions that opened the approvals that nobody has ended or used, and on which one of these people has
 * voted, or somebody in their stead. Also of those whose deadlines have passed and have not been recorded.
 */
export async function readRestingOn(
  client: Queryable,
  ledger: string,
  people: readonly string[],
): Promise<number[]> {
  const { rows } = await client.query<{ decision: string }>({ ...restingOn, values: [ledger, people] })
  return rows.map(({ decision }) => Number(decision))
}

interface ApprovalRead {
  decision: string
  consumed_by: string | null
  cancelled_by: string | null
  next_prompt_at: Date | null
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
  const wanted = rows.flatMap((row) =>
    [row.decision, ...(row.cancelled_by === null ? [] : [row.cancelled_by]), ...row.votes].map(Number),
  )
  const entries = await readEntries(client, ledger, wanted)
  return rows.flatMap((row) => {
    const text = entries.get(Number(row.decision))?.record
    if (text === undefined) return []
    const record = parseRecord(text)
    const opened = record.kind === 'decision' ? openedApproval(record) : undefined
    // A row whose record opened no approval grants nothing; verification names it.
    if (opened === undefined) return []
    const votes = row.votes.flatMap((index) => entries.get(Number(index))?.record ?? [])
    const ended = row.cancelled_by === null ? undefined : entries.get(Number(row.cancelled_by))?.record
    return [[record.index, approvalNow(opened, row, votes, ended)] as const]
  })
}

function approvalNow(
  opened: Approval,
  row: ApprovalRead,
  votes: readonly string[],
  ended: string | undefined,
): Approval {
  return {
    ...opened,
    votes: votes.flatMap((text) => {
      const record = parseRecord(text)
      if (record.kind !== 'vote' || record.approval !== opened.id) return []
      const { person, vote, at, index, for: principal, counts, breakGlass, channel, standing } = record
      const said = { person, vote, index, for: principal, counts, breakGlass, channel }
      return [{ ...said, at: Date.parse(at) as Instant, standing: standing && standingFrom(standing) }]
    }),
    consumedBy: row.consumed_by === null ? undefined : decisionId(Number(row.consumed_by)),
    expiryRecorded: row.status === 'expired',
    cancelled: cancelledBy(row, ended),
    nextPromptAt: row.next_prompt_at === null ? undefined : (row.next_prompt_at.getTime() as Instant),
  }
}

// A row without its record withdraws it all the same: verification names it, and until then it lets nothing through.
function cancelledBy(
  { cancelled_by: index, status }: ApprovalRead,
  text: string | undefined,
): Cancelled | undefined {
  if (index === null && status !== 'cancelled') return undefined
  const record = text === undefined ? undefined : parseRecord(text)
  if (record?.kind !== 'cancellation') return { index: Number(index), by: 'unknown', at: 0 as Instant }
  return { index: record.index, by: record.by, at: Date.parse(record.at) as Instant }
}

/** What a record says that a vote grants. */
function standingFrom({ uses, until }: RecordedStanding): Standing {
  return { uses, until: Date.parse(until) as Instant }
}
