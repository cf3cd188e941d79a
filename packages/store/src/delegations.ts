import { delegationId, instantText, type Instant } from '@bailiwick/core'
import type pg from 'pg'
import type { Operation } from './log/operation.ts'
import { readDelegations } from './log/voting.ts'
import {
  delegateOperation,
  revokeDelegationOperation,
  type DelegationAnswer,
  type DelegationRequest,
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
  async revoke(id: string, request: Pick<DelegationRequest, 'by' | 'reason'>): Promise<DelegationAnswer> {
    return await this.#ports.submit(revokeDelegationOperation(id, request))
  }

  /** Who has delegated their votes to the person, now; each once. */
  async principalsOf(person: string): Promise<readonly string[]> {
    const at = instantText(this.#ports.now())
    const given = (await this.list(person)).filter(({ to, starts }) => to === person && starts <= at)
    return [...new Set(given.map(({ from }) => from))]
  }

  /** Those that are in force or to come, the newest first. @param person of whom they are, or to whom */
  async list(person?: string): Promise<DelegationView[]> {
    const { pool, ledger, now } = this.#ports
    const found = await readDelegations(pool, ledger, {
      text: `select index, revoked_by from delegation
        where ledger = $1 and ends_at > $2 and revoked_by is null
          and ($3::text is null or delegator = $3 or delegate = $3)
        order by index desc limit 500`,
      values: [ledger, instantText(now()), person ?? null],
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
