import { instantText, type Instant } from '@bailiwick/core'
import type { Queryable } from './log/batches.ts'

/** How many uses of counters a sweep looks at in one step, and how many steps it takes while there is much to delete. */
const usesPerStep = 1000
const stepsPerSweep = 10

/** Clocks of services on one database may differ by so much, and none of them misses what it still counts. */
const clockDifferenceMsMax = 60 * 60 * 1000

const deleteCountedUses = `
  with looked_at as (
    select decision, key, at, window_ms from counter_entry where ledger = $1 and decision > $2
    order by decision limit $4
  ), deleted as (
    delete from counter_entry where (ledger, decision, key) in (
      select $1, decision, key from looked_at where at + window_ms * interval '1 millisecond' <= $3::timestamptz)
    returning 1
  )
  select (select count(*) from deleted)::int as deleted, count(*)::int as "lookedAt", max(decision) as last,
    coalesce(max(at) > $3::timestamptz, true) as recent
  from looked_at`

/** How far a sweep over the uses of counters has come. */
interface Sweep {
  readonly deleted: number
  /** The decision after which the next one goes on; -1: from the oldest on. */
  readonly after: number
}

/**
 * Deletes what no counter counts any more out of the next `limit` uses, in the order of the log: no index by time has to
 * be kept up for this. Verification does not miss them.
 *
 * @param after the decision after which to begin
 */
async function deleteCounted(
  client: Queryable,
  ledger: string,
  now: Instant,
  after: number,
  limit: number,
): Promise<Sweep> {
  const before = instantText((now - clockDifferenceMsMax) as Instant)
  const { rows } = await client.query<{
    deleted: number
    lookedAt: number
    last: string | null
    recent: boolean
  }>(deleteCountedUses, [ledger, after, before, limit])
  const [row] = rows
  if (row === undefined) return { deleted: 0, after: -1 }
  // What follows on recent uses is recent, too.
  const goesOn = row.lookedAt === limit && !row.recent && row.last !== null
  return { deleted: row.deleted, after: goesOn ? Number(row.last) : -1 }
}

/** Forgets uses of counters that nothing counts any more: a bounded number at a time, from where it was the last time. */
export class CounterSweep {
  readonly #client: Queryable
  readonly #ledger: string
  readonly #now: () => Instant
  /** The decision up to which uses have been looked at, whether they count still. */
  #to = -1

  constructor(client: Queryable, ledger: string, now: () => Instant) {
    this.#client = client
    this.#ledger = ledger
    this.#now = now
  }

  /** Safe to run anywhere, any number of times. */
  async sweep(): Promise<void> {
    for (let step = 0; step < stepsPerSweep; step++) {
      const { deleted, after } = await deleteCounted(
        this.#client,
        this.#ledger,
        this.#now(),
        this.#to,
        usesPerStep,
      )
      this.#to = after
      if (deleted < usesPerStep) return
    }
  }
}
