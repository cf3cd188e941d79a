import { Fault, type Instant, instantText } from '@bailiwick/core'
import type pg from 'pg'

/** Where a message to the outside stands. `dead`: given up after every attempt failed, and kept for people. */
export type DeliveryState = 'waiting' | 'delivered' | 'dead'

/** A message to the outside as people see it: whom it is for and how it went, not what it says. */
export interface Delivery {
  /** Receivers see the same id. */
  readonly id: string
  readonly target: string
  /** Null where the target is one place. */
  readonly recipient: string | null
  readonly kind: string
  readonly record: { readonly index: number }
  readonly state: DeliveryState
  readonly attempts: number
  readonly enqueuedAt: string
  /** When it is due; null where it is not sent any more, or due at once. */
  readonly nextAttemptAt: string | null
  readonly deliveredAt: string | null
  readonly deadAt: string | null
  readonly lastError: string | null
}

/** Which messages to list, those of the newest records first. */
export interface DeliveryFilter {
  readonly state?: DeliveryState | undefined
  readonly limit: number
}

interface Row {
  readonly id: string
  readonly target: string
  readonly recipient: string
  readonly kind: string
  readonly record_index: string
  readonly attempts: number
  readonly enqueued_at: Date
  readonly next_attempt_at: Date | number
  readonly delivered_at: Date | null
  readonly dead_at: Date | null
  readonly last_error: string | null
}

const list = {
  name: 'delivery_list',
  text: `select id, target, recipient, kind, record_index, attempts, enqueued_at, next_attempt_at, delivered_at, dead_at,
      last_error
    from outbox
    where ledger = $1 and ($2::text is null or $2 = case
      when dead_at is not null then 'dead' when delivered_at is not null then 'delivered' else 'waiting' end)
    order by record_index desc, id limit $3`,
}

// Attempts begin anew, so that it is tried as often as a new message.
const revive = {
  name: 'delivery_retry',
  text: `update outbox set dead_at = null, attempts = 0, leased_until = null, next_attempt_at = $3
    where ledger = $1 and dead_at is not null and ($2::text is null or id = $2)`,
}

const find = {
  name: 'delivery_find',
  text: 'select 1 from outbox where ledger = $1 and id = $2',
}

/** The messages of a ledger's outbox. */
export async function listDeliveries(
  client: Pick<pg.Pool, 'query'>,
  ledger: string,
  filter: DeliveryFilter,
): Promise<Delivery[]> {
  const values = [ledger, filter.state ?? null, filter.limit]
  const { rows } = await client.query<Row>({ ...list, values })
  return rows.map(deliveryOf)
}

/**
 * Has dead letters sent again under their old ids, from `now` on: one, or all of them.
 *
 * @returns how many
 * @throws Fault `not_found` for an id that no message has, `conflict` for one that is not dead
 */
export async function retryDeliveries(
  client: Pick<pg.Pool, 'query'>,
  ledger: string,
  id: string | undefined,
  now: Instant,
): Promise<number> {
  const { rowCount } = await client.query({ ...revive, values: [ledger, id ?? null, instantText(now)] })
  if (rowCount !== null && rowCount > 0) return rowCount
  if (id === undefined) return 0
  const { rowCount: found } = await client.query({ ...find, values: [ledger, id] })
  if (found === 0) {
    throw new Fault('not_found', `no message \`${id}\``, { fix: 'See `bailiwick deliveries list`.' })
  }
  throw new Fault('conflict', `the message \`${id}\` has not been given up`, {
    fix: 'It was delivered, or is still being tried; there is nothing to do.',
  })
}

function deliveryOf(row: Row): Delivery {
  const state = row.dead_at !== null ? 'dead' : row.delivered_at !== null ? 'delivered' : 'waiting'
  const { next_attempt_at: next } = row
  return {
    id: row.id,
    target: row.target,
    recipient: row.recipient === '' ? null : row.recipient,
    kind: row.kind,
    record: { index: Number(row.record_index) },
    state,
    attempts: row.attempts,
    enqueuedAt: row.enqueued_at.toISOString(),
    // The driver gives the beginning of time as minus infinity.
    nextAttemptAt: state === 'waiting' && next instanceof Date ? next.toISOString() : null,
    deliveredAt: row.delivered_at?.toISOString() ?? null,
    deadAt: row.dead_at?.toISOString() ?? null,
    lastError: row.last_error,
  }
}
