import { approval as approvalShape, approvalStatus, held, mayDiffer, policyRef } from './answers.ts'
import type { Approval, ApprovalStatus, Standing, VoteChoice } from './answers.ts'
import type { Signed } from './passkeys/credentials.ts'
import { problemFrom } from './problem.ts'
import type { Problem } from './problem.ts'
import { anyObject, flag, listOf, number, object, orNull, text } from './shape.ts'
import type { Shaped } from './shape.ts'

const delegation = object({ id: text, from: text, to: text, starts: text, ends: text })
const delegationList = object({ delegations: listOf(delegation) })
const castList = object({ votes: listOf(anyObject) })
const recorded = object({ status: approvalStatus })
const whetherRecorded = object({ recorded: orNull(text) })

const grant = object({
  id: text,
  approval: text,
  agent: text,
  action: text,
  ...held,
  policy: policyRef,
  mayDiffer,
  uses: number,
  used: number,
  until: text,
  madeAt: text,
  by: listOf(object({ person: text, for: orNull(text) })),
  mayRevoke: flag,
})
const grantList = object({ grants: listOf(grant) })

/** That so many more calls like an approved one are let through, until then. */
export type Grant = Shaped<typeof grant>
/** That somebody votes in another person's stead for a time. */
export type Delegation = Shaped<typeof delegation>

/** What a person answers. */
export interface Ballot {
  readonly choice: VoteChoice
  readonly comment: string
  /** In whose stead; null: the person's own vote. */
  readonly inSteadOf: string | null
  /** Cast in an emergency; the comment says why. */
  readonly breakGlass: boolean
  /** What it grants beside the one call; null: nothing. */
  readonly standing: Standing | null
}

/** What became of one of several votes. */
export type Cast =
  | { readonly kind: 'recorded'; readonly status: ApprovalStatus }
  | { readonly kind: 'refused'; readonly problem: Problem }
  /** The service failed where it may have recorded it already. */
  | { readonly kind: 'unknown' }

/** Requests of people who vote. Each throws as those of `Api` do. */
export interface VotingApi {
  /** @param signature where the approval takes signed votes */
  vote(approval: Approval, ballot: Ballot, signature?: Signed): Promise<Approval>
  /** The same answer to several approvals, each on its own digest: what became of each, in their order. */
  voteTogether(
    approvals: readonly Approval[],
    ballot: Pick<Ballot, 'choice' | 'comment'>,
  ): Promise<readonly Cast[]>
  /** From then on it lets nothing through. */
  withdraw(id: string, reason: string): Promise<Approval>
  /** Those that are in force or to come: one's own, for administrators and auditors all. */
  delegations(signal?: AbortSignal): Promise<readonly Delegation[]>
  delegate(request: NewDelegation): Promise<void>
  revokeDelegation(id: string, reason: string): Promise<void>
  /** Those that are live, the newest first. */
  grants(signal?: AbortSignal): Promise<readonly Grant[]>
  revokeGrant(id: string, reason: string): Promise<void>
}

/** What a delegation is made of; times are RFC 3339. */
export interface NewDelegation {
  readonly to: string
  /** Null: one's own votes. */
  readonly from: string | null
  /** Null: from now on. */
  readonly starts: string | null
  readonly ends: string
  readonly reason: string
}

/** Sends one request and returns the answer's body. */
type Send = (method: string, path: string, body?: unknown, signal?: AbortSignal) => Promise<unknown>

/** The requests, over `send`. */
export function createVotingApi(send: Send): VotingApi {
  const named = encodeURIComponent
  return {
    vote: async ({ id, digest }, ballot, signature) => {
      const { inSteadOf, breakGlass, standing } = ballot
      const body = {
        ...votePart(digest, ballot),
        ...(inSteadOf === null ? {} : { for: inSteadOf }),
        ...(breakGlass ? { breakGlass } : {}),
        ...(standing === null ? {} : { standing }),
        ...(signature === undefined ? {} : { signature }),
      }
      return approvalShape(await send('POST', `/v1/approvals/${named(id)}/votes`, body), '')
    },
    voteTogether: async (approvals, ballot) => {
      const votes = approvals.map(({ id, digest }) => ({ approval: id, ...votePart(digest, ballot) }))
      return castList(await send('POST', '/v1/votes', { votes }), '').votes.map(castOf)
    },
    withdraw: async (id, reason) =>
      approvalShape(await send('POST', `/v1/approvals/${named(id)}/cancellation`, { reason }), ''),
    delegations: async (signal) =>
      delegationList(await send('GET', '/v1/delegations', undefined, signal), '').delegations,
    delegate: async ({ to, from, starts, ends, reason }) => {
      const optional = { ...(from === null ? {} : { from }), ...(starts === null ? {} : { starts }) }
      await send('POST', '/v1/delegations', { to, ends, reason, ...optional })
    },
    revokeDelegation: async (id, reason) => {
      await send('POST', `/v1/delegations/${named(id)}/revocation`, { reason })
    },
    grants: async (signal) => grantList(await send('GET', '/v1/grants', undefined, signal), '').grants,
    revokeGrant: async (id, reason) => {
      await send('POST', `/v1/grants/${named(id)}/revoke`, { reason })
    },
  }
}

function votePart(digest: string | null, { choice, comment }: Pick<Ballot, 'choice' | 'comment'>) {
  return {
    vote: choice,
    ...(digest === null ? {} : { digest }),
    ...(comment.trim() === '' ? {} : { comment: comment.trim() }),
  }
}

// What has a type is a problem, as of a request of its own.
function castOf(answer: Readonly<Record<string, unknown>>): Cast {
  if (typeof answer['type'] !== 'string') return { kind: 'recorded', status: recorded(answer, '').status }
  if (whetherRecorded(answer, '').recorded === 'unknown') return { kind: 'unknown' }
  const status = typeof answer['status'] === 'number' ? answer['status'] : 500
  return { kind: 'refused', problem: problemFrom(status, answer) }
}
