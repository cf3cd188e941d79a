import {
  approvalId,
  decisionId,
  Fault,
  indexOfId,
  type ApprovalView,
  type CallView,
  type Instant,
  type Voter,
} from '@bailiwick/core'
import type { ColdLog } from './archive/cold-log.ts'
import type { Queryable } from './log/batches.ts'
import type { PayloadReader } from './sealing/payload-reader.ts'
import { unknownApproval } from './operations/vote.ts'
import { findApprovals, findDecisions } from './queries.ts'
import { approvalView, decisionView, type ApprovalAsker, type ViewSettings } from './views.ts'

/** Where an approval stood when it was looked at, by the table alone. For waiting; nothing is decided by it. */
export interface StandingApproval {
  readonly agent: string
  readonly status: string
  readonly expiresAt: number
}

/** What the reads are built on. */
export interface ApprovalReadsParts {
  readonly client: Queryable
  readonly ledger: string
  readonly payloads: PayloadReader
  readonly now: () => Instant
  readonly settings: ViewSettings
  readonly cold: ColdLog
}

const standing = {
  name: 'approvals_standing',
  text: `select decision, agent, status, (extract(epoch from expires_at) * 1000)::bigint as expires_at
    from approval where ledger = $1 and decision = any($2::bigint[])`,
}

const opened = {
  name: 'approvals_opened',
  text: `select decision from approval where ledger = $1 and decision >= $2 and decision < $3 and status = 'pending'
    order by decision limit 100`,
}

const archived = {
  name: 'approvals_archived',
  text: `select decision, agent from approval where ledger = $1 and decision = any($2::bigint[])
    and decision < (select max(stop) from archive_segment where ledger = $1)`,
}

const callIndex = {
  name: 'call_index',
  text: 'select index from call where ledger = $1 and agent = $2 and call_id = $3',
}

/** Approvals as those who wait for them, or are told of them, read them: many with few statements. */
export class ApprovalReads {
  readonly #parts: ApprovalReadsParts

  constructor(parts: ApprovalReadsParts) {
    this.#parts = parts
  }

  /** Several approvals, each as its asker sees it, or the Fault `not_found`. */
  async approvalsOf(
    wanted: readonly { readonly id: string; readonly asker: ApprovalAsker }[],
  ): Promise<(ApprovalView | Fault)[]> {
    const { client, payloads, now, settings } = this.#parts
    const indices = wanted.map(({ id }) => indexOfId('apr', id))
    const known = [...new Set(indices.flatMap((index) => index ?? []))]
    const found = await findApprovals(client, payloads, known)
    const gone = await this.#archived(known.filter((index) => !found.has(index)))
    return wanted.map(({ id, asker }, at) => {
      const index = indices[at] ?? -1
      const row = found.get(index)
      const agent = row?.approval.agent ?? gone.get(index)
      if (agent === undefined || (asker.agent !== undefined && agent !== asker.agent)) {
        return unknownApproval(id)
      }
      return row === undefined ? archivedApproval(id, index) : approvalView(row, now(), asker, settings)
    })
  }

  /** Whose approvals there were at these indices whose records have left the database. */
  async #archived(indices: readonly number[]): Promise<ReadonlyMap<number, string>> {
    if (indices.length === 0) return new Map()
    const { client, ledger } = this.#parts
    const values = [ledger, indices]
    const { rows } = await client.query<{ decision: string; agent: string }>({ ...archived, values })
    return new Map(rows.map(({ decision, agent }) => [Number(decision), agent]))
  }

  /** Where approvals stand, in the order of the indices of the decisions that opened them; undefined where there is none. */
  async standing(indices: readonly number[]): Promise<(StandingApproval | undefined)[]> {
    const { client, ledger } = this.#parts
    const { rows } = await client.query<{
      decision: string
      agent: string
      status: string
      expires_at: string
    }>({ ...standing, values: [ledger, indices] })
    const found = new Map(
      rows.map(({ decision, agent, status, expires_at: expiresAt }) => [
        Number(decision),
        { agent, status, expiresAt: Number(expiresAt) },
      ]),
    )
    return indices.map((index) => found.get(index))
  }

  /** Approvals that were opened by the records from one index up to, not including, another, and are pending; at most 100. */
  async opened(from: number, until: number, voter: Voter): Promise<ApprovalView[]> {
    const { client, ledger } = this.#parts
    const values = [ledger, from, until]
    const { rows } = await client.query<{ decision: string }>({ ...opened, values })
    const wanted = rows.map(({ decision }) => ({ id: approvalId(Number(decision)), asker: { voter } }))
    const views = await this.approvalsOf(wanted)
    return views.flatMap((view) => (view instanceof Fault || view.status !== 'pending' ? [] : [view]))
  }

  /**
   * What stands for a call id of an agent: the decision, and the approval where it waits for one.
   *
   * @throws Fault `not_found` where nothing was decided under it
   */
  async call(agent: string, callId: string): Promise<CallView> {
    const { client, ledger, payloads, now, settings, cold } = this.#parts
    const values = [ledger, agent, callId]
    const { rows } = await client.query<{ index: string }>({ ...callIndex, values })
    const indices = rows.map(({ index }) => Number(index))
    const [row] = indices.length === 0 ? [] : await findDecisions(client, payloads, indices, cold)
    if (row === undefined) throw unknownCall(callId)
    const { opens } = row.record
    const [found] = await this.approvalsOf(opens === null ? [] : [{ id: opens.id, asker: { agent } }])
    const approval = found === undefined || found instanceof Fault ? null : found
    const decision = decisionView(row, settings, approval?.status === 'pending' ? now() : undefined)
    return { callId, decision, approval }
  }

  /** Where the agent wanted to be told of an approval; undefined where nowhere, or it was erased. */
  async callback(approval: string): Promise<string | undefined> {
    const { client, payloads } = this.#parts
    const index = indexOfId('apr', approval)
    const [row] = index === undefined ? [] : await findDecisions(client, payloads, [index])
    const payload = (JSON.parse(row?.body ?? 'null') ?? {}) as { readonly callback?: unknown }
    return typeof payload.callback === 'string' ? payload.callback : undefined
  }
}

/** @throws Fault `bad_input` for a callback that leads to where no agent may have itself told */
export function refuseCallback(
  callback: string | undefined,
  allows: ((url: string) => boolean) | undefined,
): void {
  if (callback === undefined || allows?.(callback) === true) return
  throw new Fault('bad_input', 'the callback leads to a host that is not allowed', {
    fix: 'Ask the operator to add its host to BAILIWICK_CALLBACK_HOSTS, or leave `callback` out.',
  })
}

function archivedApproval(id: string, index: number): Fault {
  return new Fault('not_found', `the approval \`${id}\` is over, and its records are archived`, {
    fix: `Read the decision that opened it, ${decisionId(index)}; \`bailiwick log search\` finds its votes.`,
  })
}

function unknownCall(callId: string): Fault {
  return new Fault('not_found', `nothing was decided under the call id \`${callId}\``, {
    fix: 'Make the call, under the same id: whatever got lost on the way was not recorded.',
  })
}
