import { hash, randomBytes } from 'node:crypto'
import { instantText, type Instant } from '@bailiwick/core'
import type { Ledger } from './ledger.ts'

/** How long an authenticator may take to answer. */
const challengeMs = 3 * 60 * 1000
const expiredPerChallenge = 100

/** What a challenge is for. */
export interface ChallengePurpose {
  readonly purpose: 'register' | 'sign_in' | 'second_factor'
  /** Who registers, or has proven a first factor; undefined where nobody knows yet who signs in. */
  readonly person?: string | undefined
  readonly userHandle?: Buffer | undefined
}

/** A challenge as it is handed out. */
export interface GivenChallenge {
  /** For the browser alone: whoever answers has to bring it back. */
  readonly token: string
  /** What the authenticator signs, base64url. */
  readonly challenge: string
}

/** Challenges of one ledger, in its database: every process can take the answer, and only one of them does, once. */
export class PasskeyChallenges {
  readonly #ledger: Ledger

  constructor(ledger: Ledger) {
    this.#ledger = ledger
  }

  async give({ purpose, person, userHandle }: ChallengePurpose): Promise<GivenChallenge> {
    const { pool, name } = this.#ledger
    const token = randomBytes(32).toString('base64url')
    const challenge = randomBytes(32).toString('base64url')
    // Anyone may ask for one. Each that is given out clears away more than itself, so the table does not grow.
    await pool.query(
      `delete from passkey_challenge where token_sha256 in (
        select token_sha256 from passkey_challenge where expires_at <= $1 order by expires_at limit $2
        for update skip locked)`,
      [this.#at(0), expiredPerChallenge],
    )
    await pool.query(
      `insert into passkey_challenge (token_sha256, ledger, purpose, challenge, person, user_handle, expires_at)
      values ($1, $2, $3, $4, $5, $6, $7)`,
      [digest(token), name, purpose, challenge, person ?? null, userHandle ?? null, this.#at(challengeMs)],
    )
    return { token, challenge }
  }

  /** Uses a challenge up, whatever the answer to it is worth; undefined where there is none that still counts. */
  async take(
    token: string,
    { purpose, person }: ChallengePurpose,
  ): Promise<{ readonly challenge: string; readonly userHandle: Buffer | null } | undefined> {
    const { rows } = await this.#ledger.pool.query<{
      challenge: string
      user_handle: Buffer | null
      counts: boolean
    }>(
      `delete from passkey_challenge
      where token_sha256 = $1 and ledger = $2 and purpose = $3 and person is not distinct from $4
      returning challenge, user_handle, expires_at > $5 as counts`,
      [digest(token), this.#ledger.name, purpose, person ?? null, this.#at(0)],
    )
    const row = rows[0]
    return row?.counts === true ? { challenge: row.challenge, userHandle: row.user_handle } : undefined
  }

  #at(inMs: number): string {
    return instantText((this.#ledger.now() + inMs) as Instant)
  }
}

function digest(token: string): Buffer {
  return hash('sha256', token, 'buffer')
}
