import { Fault, instantText, type PersonId } from '@bailiwick/core'
import type { Ledger } from '../ledger.ts'
import type { Changed, ChangedBy } from '../operations/access.ts'
import type { SecondFactor } from './sign-ins.ts'
import { sha256 } from './secrets.ts'

/** What a person can prove to be himself with, without any of its secrets. */
export interface OwnCredentials {
  /** When the password was set; null where there is none. */
  readonly passwordSetAt: string | null
  /** When the authenticator app was confirmed; null where there is none in use. */
  readonly totpSince: string | null
  /** How many recovery codes are left. */
  readonly recoveryCodesLeft: number
}

/** Who changes a credential. */
export interface CredentialChangedBy extends ChangedBy {
  /** The epoch of the session in which the person does: where that has ended meanwhile, nothing is changed. */
  readonly epoch?: number | undefined
}

/**
 * Passwords, authenticator apps and recovery codes of local accounts. Only hashes and sealed secrets come here; making
 * and checking them is for whoever calls. Each change is recorded in the transaction that makes it, and ends every
 * session of the person, so that who got in by what was changed is out.
 */
export class Credentials {
  readonly #ledger: Ledger

  constructor(ledger: Ledger) {
    this.#ledger = ledger
  }

  /** The hash of a person's password, or undefined where there is no such person or password. */
  async passwordHashOf(person: string): Promise<string | undefined> {
    const { rows } = await this.#ledger.pool.query<{ value: string }>({
      name: 'password_of_person',
      text: `select c.value from credential c join person p on p.id = c.person
        where c.person = $1 and c.kind = 'password'`,
      values: [person],
    })
    return rows[0]?.value
  }

  /** @throws Fault `not_found` where the person is not known, `not_authenticated` as `ChangedBy` says */
  async setPassword(
    person: PersonId,
    hash: string,
    { by, epoch, session }: CredentialChangedBy = {},
  ): Promise<Changed> {
    return await this.#ledger.changeAccess(
      { kind: 'access', event: 'password_set', subject: person, grants: [], by },
      {
        credentialsSet: [{ person, kind: 'password', id: '', value: hash, is_usable: true }],
        signedOut: [{ id: person, links: true }],
      },
      { person, epoch },
      session,
    )
  }

  /** Puts a better hash of the same password in the place of one. Nothing that lets anybody in changes. */
  async rehashPassword(person: string, before: string, hash: string): Promise<void> {
    await this.#ledger.pool.query(
      `update credential set value = $3 where person = $1 and kind = 'password' and value = $2`,
      [person, before, hash],
    )
  }

  /** Removes the password, the authenticator app and the recovery codes: all of a local account but the person. */
  async reset(person: PersonId, { by }: CredentialChangedBy = {}): Promise<void> {
    const { passwordSetAt, totpSince, recoveryCodesLeft } = await this.of(person)
    const removed = (kind: 'password' | 'totp' | 'recovery') => ({ credentialsRemoved: [{ person, kind }] })
    const out = { signedOut: [{ id: person, links: true }] }
    if (passwordSetAt !== null) {
      await this.#ledger.changeAccess(
        { kind: 'access', event: 'password_removed', subject: person, grants: [], by },
        { ...removed('password'), ...out },
      )
    }
    if (totpSince !== null || recoveryCodesLeft > 0) await this.removeTotp(person, { by })
  }

  /**
   * Keeps the sealed secret of an authenticator app that a first code has still to confirm.
   *
   * @throws Fault `conflict` where one is in use
   */
  async offerTotp(person: PersonId, sealed: string): Promise<void> {
    const { rowCount } = await this.#ledger.pool.query(
      `insert into credential (person, kind, id, value, set_at, is_usable)
      select id, 'totp', '', $2, $3, false from person where id = $1
      on conflict (person, kind, id) do update set value = excluded.value, set_at = excluded.set_at
        where not credential.is_usable`,
      [person, sealed, instantText(this.#ledger.now())],
    )
    if (rowCount === 1) return
    throw new Fault('conflict', 'an authenticator app is in use already', {
      fix: 'Remove it first, then set up the other one.',
    })
  }

  /** The sealed secret of the authenticator app that was set up last, whosever it is. */
  async someTotp(): Promise<{ readonly person: string; readonly sealed: string } | undefined> {
    const { rows } = await this.#ledger.pool.query<{ person: string; sealed: string }>(
      `select person, value as sealed from credential where kind = 'totp' order by set_at desc limit 1`,
    )
    return rows[0]
  }

  /** The sealed secret of a person's authenticator app. */
  async totpOf(person: string): Promise<{ readonly sealed: string; readonly isUsable: boolean } | undefined> {
    const { rows } = await this.#ledger.pool.query<{ value: string; is_usable: boolean }>(
      `select value, is_usable from credential where person = $1 and kind = 'totp'`,
      [person],
    )
    const [row] = rows
    return row && { sealed: row.value, isUsable: row.is_usable }
  }

  /**
   * Uses up the code of a time step. Whatever process asks, a step counts once, and none before it any more.
   *
   * @returns whether it was still to be had
   */
  async useTotpStep(person: string, sealed: string, step: number): Promise<boolean> {
    const { rowCount } = await this.#ledger.pool.query(
      `update credential set last_step = $3
      where person = $1 and kind = 'totp' and value = $2 and (last_step is null or last_step < $3)`,
      [person, sealed, step],
    )
    return rowCount === 1
  }

  /** From here on the app is asked for, and these codes stand in where it is lost. */
  async confirmTotp(
    person: PersonId,
    sealed: string,
    recoveryHashes: readonly string[],
    { epoch, session }: CredentialChangedBy = {},
  ): Promise<Changed> {
    return await this.#ledger.changeAccess(
      { kind: 'access', event: 'totp_added', subject: person, grants: [] },
      {
        credentialsRemoved: [{ person, kind: 'recovery' }],
        credentialsSet: [
          { person, kind: 'totp', id: '', value: sealed, is_usable: true },
          ...recoveryRows(person, recoveryHashes),
        ],
        signedOut: [{ id: person, links: true }],
      },
      { person, epoch },
      session,
    )
  }

  /** Removes the authenticator app with its recovery codes. */
  async removeTotp(person: PersonId, { by, epoch, session }: CredentialChangedBy = {}): Promise<Changed> {
    return await this.#ledger.changeAccess(
      { kind: 'access', event: 'totp_removed', subject: person, grants: [], by },
      {
        credentialsRemoved: [
          { person, kind: 'totp' },
          { person, kind: 'recovery' },
        ],
        signedOut: [{ id: person, links: true }],
      },
      { person, epoch },
      session,
    )
  }

  /** Puts new recovery codes in the place of all that there are. */
  async setRecoveryCodes(
    person: PersonId,
    recoveryHashes: readonly string[],
    { epoch, session }: CredentialChangedBy = {},
  ): Promise<void> {
    await this.#ledger.changeAccess(
      { kind: 'access', event: 'recovery_codes_made', subject: person, grants: [] },
      {
        credentialsRemoved: [{ person, kind: 'recovery' }],
        credentialsSet: recoveryRows(person, recoveryHashes),
      },
      { person, epoch },
      session,
    )
  }

  /** Uses up a recovery code, once. @returns whether it was one that could be used */
  async useRecoveryCode(person: string, code: string): Promise<boolean> {
    const { rowCount } = await this.#ledger.pool.query(
      `update credential set is_usable = false
      where person = $1 and kind = 'recovery' and id = $2 and is_usable`,
      [person, recoveryHash(code)],
    )
    return rowCount === 1
  }

  /** What a person has set up. */
  async of(person: string): Promise<OwnCredentials> {
    const { rows } = await this.#ledger.pool.query<{ kind: string; set_at: Date; count: string }>(
      `select kind, max(set_at) as set_at, count(*) as count from credential
      where person = $1 and is_usable group by kind`,
      [person],
    )
    const find = (kind: string) => rows.find((row) => row.kind === kind)
    return {
      passwordSetAt: find('password')?.set_at.toISOString() ?? null,
      totpSince: find('totp')?.set_at.toISOString() ?? null,
      recoveryCodesLeft: Number(find('recovery')?.count ?? 0),
    }
  }

  /** The second factors that are kept here. A recovery code stands in for the app, so it is asked for with it only. */
  factors(): readonly SecondFactor[] {
    const isSetUp = async (person: string): Promise<boolean> => (await this.of(person)).totpSince !== null
    return [
      { name: 'totp', isSetUp },
      {
        name: 'recovery',
        isSetUp: async (person) => {
          const { totpSince, recoveryCodesLeft } = await this.of(person)
          return totpSince !== null && recoveryCodesLeft > 0
        },
      },
    ]
  }
}

/** What is kept of a recovery code: it is random, so no slow hash is needed. */
export function recoveryHash(code: string): string {
  return sha256(code).toString('hex')
}

function recoveryRows(person: PersonId, hashes: readonly string[]) {
  return hashes.map((id) => ({ person, kind: 'recovery' as const, id, value: '', is_usable: true }))
}
