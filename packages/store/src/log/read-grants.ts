import {
  instantText,
  parseRecord,
  standingGrantsMax,
  type Approval,
  type DecisionRecord,
  type Instant,
} from '@bailiwick/core'
import type { PayloadReader } from '../sealing/payload-reader.ts'
import { readEntries, type Queryable } from './batches.ts'
import { readApprovals } from './read-approvals.ts'
import { heldGrant, liveGrant, type HeldGrant, type LiveGrant } from './standing-grants.ts'

// What a row says of uses and of its end only leads to the grant: both are taken from the records of the votes.
const unended = {
  name: 'read_live_grants',
  text: `select approval, used from (
      select g.approval, g.uses, coalesce((select max(u.use) from standing_use u
        where u.ledger = g.ledger and u.approval = g.approval), 0) as used
      from standing_grant g
      where g.ledger = $1 and g.revoked_by is null and g.until_at > coalesce($2::timestamptz, clock_timestamp())
    ) as live where used < uses order by approval limit $3`,
}

/** A live grant with what it came of. */
export interface ReadGrant {
  readonly grant: LiveGrant
  readonly approval: Approval
  readonly opened: DecisionRecord
  /** The payload of the decision that opened the approval. */
  readonly body: string
}

/** The live standing grants, and those of them whose calls cannot be read here. */
export interface ReadGrants {
  readonly live: readonly ReadGrant[]
  /** They cover nothing here. */
  readonly shut: readonly HeldGrant[]
}

/**
 * The standing grants that have uses left and have not ended, the oldest first.
 *
 * @param at as of when; undefined: now, by the database's clock
 */
export async function readLiveGrants(
  client: Queryable,
  payloads: PayloadReader,
  at: Instant | undefined,
): Promise<ReadGrants> {
  const { ledger } = payloads
  const values = [ledger, at === undefined ? null : instantText(at), standingGrantsMax]
  const { rows } = await client.query<{ approval: string; used: number }>({ ...unended, values })
  if (rows.length === 0) return { live: [], shut: [] }
  const indices = rows.map(({ approval }) => Number(approval))
  const [approvals, entries] = await Promise.all([
    readApprovals(client, ledger, indices),
    readEntries(client, ledger, indices),
  ])
  const found = new Map(approvals)
  const read = await payloads.read(client, [...entries.values()])
  const [live, shut]: [ReadGrant[], HeldGrant[]] = [[], []]
  for (const { approval: index, used } of rows) {
    const approval = found.get(Number(index))
    const entry = entries.get(Number(index))
    if (approval === undefined || entry === undefined || typeof entry.payload === 'string') continue
    const opened = parseRecord(entry.record)
    if (opened.kind !== 'decision') continue
    const held = heldGrant(approval, opened.index, used)
    if (held === undefined || held.made.uses <= used) continue
    const { body } = read(entry.index)
    if (body === null) {
      shut.push(held)
      continue
    }
    const payload = { salt: Buffer.from(entry.payload.salt), stored: entry.payload.body, body }
    const grant = liveGrant(approval, { record: opened, payload }, used)
    if (grant !== undefined) live.push({ grant, approval, opened, body })
  }
  return { live, shut }
}
