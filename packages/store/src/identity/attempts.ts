import { instantText, type Instant } from '@bailiwick/core'
import type { Ledger } from '../ledger.ts'
import { sha256 } from './secrets.ts'

/** Whose tries are counted together, and how patiently. */
export interface Tried {
  /** Such as `account pat@example.com`; only its hash is kept. */
  readonly subject: string
  /** So many fail before anybody has to wait. */
  readonly free: number
}

const firstWaitMs = 30 * 1000
const waitMaxMs = 15 * 60 * 1000
/** After so long without a try, counting begins anew. */
const forgottenMs = 24 * 60 * 60 * 1000

/**
 * Counts tries that fail, in the database, so that all processes count together. After the free ones each try has to
 * wait twice as long as the one before, from 30 seconds to 15 minutes.
 */
export class Attempts {
  readonly #ledger: Ledger

  constructor(ledger: Ledger) {
    this.#ledger = ledger
  }

  /**
   * Counts a try before it is made, so that many at once gain nothing.
   *
   * @returns how many milliseconds to wait instead, where it is not to be made; 0 where it may
   */
  async admit({ subject, free }: Tried): Promise<number> {
    const now = this.#ledger.now()
    const key = sha256(subject)
    const at = instantText(now)
    const { rows } = await this.#ledger.pool.query<{ failures: number }>(
      `insert into sign_in_attempt as a (subject, failures, blocked_until, last_at)
      values ($1, 1, to_timestamp(0), $2)
      on conflict (subject) do update set
        failures = case when a.last_at < $3 then 1 else a.failures + 1 end,
        blocked_until = case when a.last_at < $3 or a.failures + 1 < $4::integer then to_timestamp(0)
          else $2::timestamptz + least($6::bigint, $5::bigint * power(2, least(a.failures + 1 - $4::integer, 30))) * interval '1 millisecond' end,
        last_at = $2
      where a.blocked_until <= $2
      returning a.failures`,
      [key, at, instantText((now - forgottenMs) as Instant), free, firstWaitMs, waitMaxMs],
    )
    const [row] = rows
    if (row?.failures === 1) await this.#forget(now)
    if (row !== undefined) return 0
    const blocked = await this.#ledger.pool.query<{ blocked_until: Date }>(
      'select blocked_until from sign_in_attempt where subject = $1',
      [key],
    )
    return Math.max(1, (blocked.rows[0]?.blocked_until.getTime() ?? now) - now)
  }

  /** The try succeeded: all that failed before it is forgiven. */
  async forgive({ subject }: Tried): Promise<void> {
    await this.#ledger.pool.query('delete from sign_in_attempt where subject = $1', [sha256(subject)])
  }

  /** The try succeeded, but says nothing of those before it: it does not count itself. */
  async uncount({ subject }: Tried): Promise<void> {
    await this.#ledger.pool.query(
      'update sign_in_attempt set failures = greatest(failures - 1, 0), blocked_until = least(blocked_until, $2) where subject = $1',
      [sha256(subject), instantText(this.#ledger.now())],
    )
  }

  async #forget(now: Instant): Promise<void> {
    await this.#ledger.pool.query('delete from sign_in_attempt where last_at < $1', [
      instantText((now - forgottenMs) as Instant),
    ])
  }
}
