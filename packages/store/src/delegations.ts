import { delegationId, instantText, type Instant } from '@bailiwick/core'
import type pg from 'pg'
import type { Operation } from './log/operation.ts'
import { unlessEnded } from './ended.ts'
import { readDelegations } from './log/voting.ts'
import {
  delegateOperation,
  revokeDelegationOperation,
  type DelegationAnswer,
  type DelegationRequest,
  type DelegationRevocation,
} from './operations/delegate.ts'

/** That one person votes in another's stead, as people see it. */
export interface DelegationView {
  readonly id: string
  /** Whose votes they are. */
  readonly from: string
  /** Who casts them. */
  readonly to: string
  /** RFC 3339. */
  readonly starts: string
  readonly ends: string
}

/** What delegations take of a ledger. */
interface DelegationPorts {
  readonly pool: pg.Pool
  readonly ledger: string
  readonly now: () => Instant
  readonly submit: <Answer>(operation: Operation<Answer>) => Promise<Answer>
}

/** To a process whose clock is ahead by so much, what others go by may have ended. */
const clockDifferenceMsMax = 24 * 60 * 60 * 1000

/** How many a list names. */
const listMax = 500

/** A ledger's delegations: who votes in whose stead. */
export class Delegations {
  readonly #ports: DelegationPorts

  constructor(ports: DelegationPorts) {
    this.#ports = ports
  }

  /** Lets one person vote in another's stead for a time. @throws as `delegateOperation` does */
  async give(request: DelegationRequest): Promise<DelegationAnswer> {
    return await this.#ports.submit(delegateOperation(request))
  }

  /** Ends a delegation before its time. @throws as `revokeDelegationOperation` does */
  async revoke(id: string, request: DelegationRevocation): Promise<DelegationAnswer> {
    return await this.#ports.submit(revokeDelegationOperation(id, request))
  }

  /**
   * Ends every delegation of a person that has not ended.
   *
   * @param which `given`: those alone by which others vote in the person's stead
   */
  async revokeAllOf(person: string, reason: string, which: 'all' | 'given' = 'all'): Promise<void> {
    // What a list names is off the next one; who goes on giving meanwhile keeps nobody busy for ever.
    for (let length = listMax; length === listMax;) {
      const those = await this.#unended(person, which, (this.#ports.now() - clockDifferenceMsMax) as Instant)
      await Promise.all(those.map(({ id }) => unlessEnded(this.revoke(id, { by: 'operator', reason }))))
      length = those.length
    }
  }

  /** Who has delegated their votes to the person, now; each once. */
  async principalsOf(person: string): Promise<readonly string[]> {
    const now = this.#ports.now()
    const at = instantText(now)
    // However many there are: whoever gives a great many must not hide those of others.
    const given = (await this.#unended(person, 'all', now, null)).filter(
      ({ to, starts }) => to === person && starts <= at,
    )
    return [...new Set(given.map(({ from }) => from))]
  }

  /**
   * Those that are in force or to come, the newest first, 500 at the most.
   *
   * @param person of whom they are, or to whom
   */
  async list(person?: string): Promise<DelegationView[]> {
    return await this.#unended(person, 'all', this.#ports.now())
  }

  /** All that are in force now, however many. */
  async inForce(): Promise<DelegationView[]> {
    const now = this.#ports.now()
    const at = instantText(now)
    return (await this.#unended(undefined, 'all', now, null)).filter(({ starts }) => starts <= at)
  }

  /** Those by which others vote in these people's stead, now. */
  async givenBy(people: readonly string[]): Promise<DelegationView[]> {
    const now = this.#ports.now()
    const at = instantText(now)
    return (await this.#unended(people, 'given', now, null)).filter(({ starts }) => starts <= at)
  }

  async #unended(
    person: string | readonly string[] | undefined,
    which: 'all' | 'given',
    at: Instant,
    max: number | null = listMax,
  ): Promise<DelegationView[]> {
    const { pool, ledger } = this.#ports
    const found = await readDelegations(pool, ledger, {
      text: `select d.index, d.revoked_by from delegation d
        join person f on f.id = d.delegator and (f.since_ledger is distinct from $1 or d.index >= f.since)
        join person t on t.id = d.delegate and (t.since_ledger is distinct from $1 or d.index >= t.since)
        where d.ledger = $1 and d.ends_at > $2 and d.revoked_by is null
          and ($3::text[] is null or d.delegator = any($3) or ($4 and d.delegate = any($3)))
        order by d.index desc limit $5`,
      values: [ledger, instantText(at), person === undefined ? null : [person].flat(), which === 'all', max],
    })
    return found
      .sort((one, other) => other.index - one.index)
      .map(({ index, from, to, starts, ends }) => ({
        id: delegationId(index),
        from,
        to,
        starts: instantText(starts),
        ends: instantText(ends),
      }))
  }
}
