import {
  approvalId,
  grantId,
  instantText,
  type GrantView,
  type Instant,
  type JsonObject,
  type Voter,
} from '@bailiwick/core'
import type pg from 'pg'
import { unlessEnded } from './ended.ts'
import type { Operation } from './log/operation.ts'
import type { PayloadReader } from './sealing/payload-reader.ts'
import { readLiveGrants, type ReadGrant } from './log/read-grants.ts'
import {
  mayRevoke,
  revokeGrantOperation,
  type RevokeGrantAnswer,
  type RevokeGrantRequest,
} from './operations/revoke-grant.ts'

/** What standing grants take of a ledger. */
interface GrantPorts {
  readonly pool: pg.Pool
  readonly payloads: PayloadReader
  readonly now: () => Instant
  /** Whether ends are held against the database's clock. */
  readonly databaseClock: boolean
  readonly submit: <Answer>(operation: Operation<Answer>) => Promise<Answer>
}

/** A ledger's standing grants: which calls are let through without asking people again. */
export class Grants {
  readonly #ports: GrantPorts

  constructor(ports: GrantPorts) {
    this.#ports = ports
  }

  /**
   * Those that have not ended and have uses left, the newest first, with parameters as they are: whoever shows them masks
   * them.
   *
   * @param voter who asks; nobody in particular may revoke them, unless given
   */
  async list(voter?: Voter): Promise<GrantView[]> {
    const { pool, payloads, now } = this.#ports
    const at = now()
    const { live } = await readLiveGrants(pool, payloads, at)
    return live.toReversed().flatMap((read) => viewOf(read, voter, at))
  }

  /** Ends all that rest on a vote of a person, or on one in the person's stead; also those whose calls cannot be read here. */
  async revokeAllOf(person: string, reason: string): Promise<void> {
    const { pool, payloads, now, databaseClock } = this.#ports
    // What has ended by the clock of a process that is ahead may still cover calls elsewhere.
    const { live, shut } = await readLiveGrants(pool, payloads, databaseClock ? undefined : now())
    const all = [...live.map(({ grant }) => grant), ...shut]
    for (const { index } of all.filter(({ people }) => people.includes(person))) {
      await unlessEnded(this.revoke(grantId(index), { by: 'operator', reason }))
    }
  }

  /** Ends a standing grant before its time. @throws as `revokeGrantOperation` does */
  async revoke(id: string, request: RevokeGrantRequest): Promise<RevokeGrantAnswer> {
    return await this.#ports.submit(revokeGrantOperation(id, request))
  }
}

function viewOf(
  { grant, approval, opened, body }: ReadGrant,
  voter: Voter | undefined,
  at: Instant,
): GrantView[] {
  const { index, made, scope, used } = grant
  const last = approval.votes.at(-1)
  const { context } = JSON.parse(body) as { context: JsonObject }
  if (opened.policy === null || last === undefined) return []
  return [
    {
      id: grantId(index),
      approval: approvalId(index),
      agent: approval.agent,
      action: approval.action,
      params: scope.params,
      context,
      policy: opened.policy,
      routes: approval.terms.routes,
      mayDiffer: scope.mayDiffer,
      uses: made.uses,
      used,
      until: instantText(made.until),
      madeAt: instantText(last.at),
      by: approval.votes
        .filter(({ person }) => made.by.includes(person))
        .map(({ person, for: principal }) => ({
          person,
          ...(principal === undefined ? {} : { for: principal }),
        })),
      mayRevoke: voter !== undefined && mayRevoke(approval, voter, at),
    },
  ]
}
