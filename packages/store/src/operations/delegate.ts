import {
  allowsDeed,
  canonicalJson,
  commentLengthMax,
  delegationId,
  delegationMsMax,
  Fault,
  indexOfId,
  instantText,
  jsonProblem,
  parseInstant,
  type Instant,
} from '@bailiwick/core'
import { personId } from '../identity/secrets.ts'
import type { Fold } from '../log/fold.ts'
import type { Operation } from '../log/operation.ts'
import { fromSession } from './from-session.ts'
import { delegationOf, type Delegation } from '../log/voting.ts'

/** That somebody shall vote in another person's stead for a time. */
export interface DelegationRequest {
  /** Whose votes they are. */
  readonly from: string
  /** Who casts them. */
  readonly to: string
  /** RFC 3339. Absent: from now on. */
  readonly starts?: string | undefined
  /** RFC 3339. */
  readonly ends: string
  readonly reason: string
  /** Who asks for it: the person whose votes they are, an administrator, or `operator`. */
  readonly by: string
  /** The id of the session that it is asked from, where there is one. */
  readonly session?: string | undefined
}

/** Who ends a delegation, why, and from which session. */
export type DelegationRevocation = Pick<DelegationRequest, 'by' | 'reason' | 'session'>

/** What became of a request about a delegation. */
export interface DelegationAnswer {
  readonly id: string
  readonly index: number
}

/**
 * The operation that lets one person vote in another's stead for a time. Both have to be known when it is recorded; whoever
 * asks for it on somebody else's behalf has to be an administrator then.
 *
 * @throws Fault `bad_input`, `not_found`, `not_permitted`, or `not_authenticated` for a session that has ended
 */
export function delegateOperation(request: DelegationRequest): Operation<DelegationAnswer> {
  const [from, to] = [personId(request.from), personId(request.to)]
  const { by, reason, session } = request
  if (from === to) throw badInput('nobody votes in their own stead', 'Name another person.')
  refuseReason(reason)
  const [starts, ends] = [instantIn('starts', request.starts), instantIn('ends', request.ends)]
  const operation: Operation<DelegationAnswer> = {
    needs: { voting: { person: from, principal: to, by } },
    apply: (fold, place) => {
      for (const id of [from, to]) if (fold.person(id) === undefined) throw unknownPerson(id)
      refuseOthers(by, from, fold)
      const begins = starts ?? place.at
      if (ends === undefined || ends <= begins || ends <= place.at) {
        throw badInput('`ends` must lie after `starts`, and not in the past', 'Send a later time.')
      }
      if (ends - begins > delegationMsMax) {
        throw badInput(
          'a delegation lasts at most 366 days',
          'Send an earlier `ends`; it can be given again.',
        )
      }
      const delegation = delegationId(place.index)
      return {
        body: {
          kind: 'delegation',
          event: 'granted',
          delegation,
          from,
          to,
          starts: instantText(begins),
          ends: instantText(ends),
          by,
        },
        payload: canonicalJson({ reason }),
        answer: { id: delegation, index: place.index },
        staged: (record) => {
          if (record.kind === 'delegation') fold.setDelegation(delegationOf(record))
        },
      }
    },
  }
  return fromSession(operation, session)
}

/**
 * The operation that ends a delegation before its time. By either of the two, an administrator or `operator`.
 *
 * @throws Fault `bad_input`, `not_found`, `not_permitted`, `not_authenticated` for a session that has ended, or `conflict`
 *   where the delegation has been revoked
 */
export function revokeDelegationOperation(
  id: string,
  { by, reason, session }: DelegationRevocation,
): Operation<DelegationAnswer> {
  const index = indexOfId('dlg', id)
  refuseReason(reason)
  if (index === undefined) throw unknownDelegation(id)
  const operation: Operation<DelegationAnswer> = {
    needs: { delegations: [index], voting: { person: by } },
    apply: (fold, place) => {
      const delegation = fold.delegation(index)
      if (delegation === undefined) throw unknownDelegation(id)
      if (by !== delegation.to) refuseOthers(by, delegation.from, fold)
      if (delegation.revokedBy !== undefined) {
        throw new Fault('conflict', `${id} has been revoked`, { fix: 'Nothing is left to do.' })
      }
      return {
        body: { kind: 'delegation', event: 'revoked', ...said(delegation), by },
        payload: canonicalJson({ reason }),
        answer: { id, index: place.index },
        staged: () => fold.setDelegation({ ...delegation, revokedBy: place.index }),
      }
    },
  }
  return fromSession(operation, session)
}

function said({ index, from, to, starts, ends }: Delegation) {
  return { delegation: delegationId(index), from, to, starts: instantText(starts), ends: instantText(ends) }
}

function instantIn(name: string, text: string | undefined): Instant | undefined {
  if (text === undefined) return undefined
  const at = parseInstant(text)
  if (at === undefined) throw badInput(`\`${name}\` is no time`, 'Write it as 2026-11-27T09:00:00Z.')
  return at
}

function refuseReason(reason: string): void {
  if (reason !== '' && reason.length <= commentLengthMax && jsonProblem(reason, 'reason', 1) === undefined)
    return
  throw badInput('`reason` must say why', `Send 1 to ${commentLengthMax} characters of Unicode text.`)
}

function refuseOthers(by: string, from: string, fold: Fold): void {
  if (by === from || by === 'operator') return
  const known = fold.person(by)
  if (known !== undefined && allowsDeed(known, 'delegation')) return
  throw new Fault('not_permitted', 'the votes of somebody else are not yours to give or take', {
    fix: 'Ask the person whose votes they are, or an administrator.',
  })
}

function unknownPerson(id: string): Fault {
  return new Fault('not_found', `no person \`${id}\``, { fix: 'Add the person with `bailiwick people add`.' })
}

function unknownDelegation(id: string): Fault {
  return new Fault('not_found', `no delegation \`${id}\``, {
    fix: 'Check the id; the console and `GET /v1/delegations` list delegations.',
  })
}

function badInput(message: string, fix: string): Fault {
  return new Fault('bad_input', message, { fix })
}
