import { approvalId, type ApprovalId, type Instant } from '@bailiwick/core'
import type { Queryable } from '../log/batches.ts'

/** An approval that is open, and with its record keeps that and all later ones in the database. */
export interface HeldUp {
  readonly approval: ApprovalId
  readonly status: 'pending' | 'approved'
  readonly since: Instant
  readonly deadline: Instant
  /** How many more are open that were opened later, and before the same instant. */
  readonly others: number
}

const oldestOpen = {
  name: 'archive_held_up',
  text: `select a.decision, a.status, a.opened_at, a.expires_at, count(*) over () as open
    from approval a where a.ledger = $1 and a.status in ('pending', 'approved') and a.opened_at < $2::timestamptz
      and a.decision >= coalesce((select max(s.stop) from archive_segment s where s.ledger = $1), 0)
    order by a.decision limit 1`,
}

interface OpenRow {
  readonly decision: string
  readonly status: 'pending' | 'approved'
  readonly opened_at: Date
  readonly expires_at: Date
  readonly open: string
}

/** What keeps records from before an instant out of the archive: the oldest approval that is open; undefined where none is. */
export async function archiveHeldUp(
  client: Queryable,
  ledger: string,
  before: Instant,
): Promise<HeldUp | undefined> {
  const values = [ledger, new Date(before).toISOString()]
  const { rows } = await client.query<OpenRow>({ ...oldestOpen, values })
  return rows[0] === undefined ? undefined : heldUpBy(rows[0])
}

function heldUpBy(row: OpenRow): HeldUp {
  return {
    approval: approvalId(Number(row.decision)),
    status: row.status,
    since: row.opened_at.getTime() as Instant,
    deadline: row.expires_at.getTime() as Instant,
    others: Number(row.open) - 1,
  }
}
