import {
  allowsDeed,
  canonicalJson,
  commentLengthMax,
  Fault,
  grantId,
  indexOfId,
  jsonProblem,
  mayVote,
  standingOf,
  termsAt,
  type Approval,
  type Instant,
  type Voter,
} from '@bailiwick/core'
import type { Fold } from '../log/fold.ts'
import type { Operation } from '../log/operation.ts'
import { fromSession, type Asking } from './from-session.ts'

/** Who ends a standing grant, and why. */
export interface RevokeGrantRequest {
  /** With no more roles than signing in gave; `operator` for whoever runs commands beside the service. */
  readonly by: Asking | 'operator'
  readonly reason: string
}

/** What became of it. */
export interface RevokeGrantAnswer {
  readonly id: string
  readonly index: number
}

/**
 * The operation that ends a standing grant before its time: from here on it lets nothing through. By who could answer its
 * approval, whoever has voted for it, an operator or an administrator, by the roles that they have then.
 *
 * @throws Fault `not_found`, `not_permitted`, `bad_input`, `conflict` where it has ended, or `not_authenticated` for a session
 *   that has
 */
export function revokeGrantOperation(
  id: string,
  { by, reason }: RevokeGrantRequest,
): Operation<RevokeGrantAnswer> {
  const index = indexOfId('grt', id)
  if (index === undefined) throw unknownGrant(id)
  if (reason === '' || reason.length > commentLengthMax || jsonProblem(reason, 'reason', 1) !== undefined) {
    throw new Fault('bad_input', '`reason` must say why', {
      fix: `Send 1 to ${commentLengthMax} characters of Unicode text.`,
    })
  }
  const needs = { approvals: [index], grants: true } as const
  const operation: Operation<RevokeGrantAnswer> = {
    needs: by === 'operator' ? needs : { ...needs, voting: { person: by.id } },
    apply: (fold, place) => {
      const approval = fold.approval(index)
      if (approval === undefined || standingOf({ ...approval, cancelled: undefined }) === undefined)
        throw unknownGrant(id)
      if (by !== 'operator') refuseOthers(approval, by, fold, place.at)
      const grant = fold.grants.get(index)
      const isOver =
        grant === undefined || grant.made.until <= fold.byDatabase(place.at) || grant.used >= grant.made.uses
      if (isOver) throw new Fault('conflict', `${id} has ended already`, { fix: 'Nothing is left to do.' })
      const opened = fold.decision(index)?.payload
      // What it is about cannot be read here, so nothing can be sealed as that is: it ends all the same, without its reason.
      const isShut = fold.grants.isShut(index)
      return {
        body: {
          kind: 'revocation',
          grant: grantId(index),
          agent: approval.agent,
          action: approval.action,
          by: by === 'operator' ? by : by.id,
        },
        payload: isShut ? undefined : canonicalJson({ reason }),
        seal: opened && !isShut ? { like: opened.stored } : undefined,
        answer: { id, index: place.index },
        staged: () => fold.grants.revoke(index, place.index),
      }
    },
  }
  return fromSession(operation, by === 'operator' ? undefined : by.session)
}

function refuseOthers(approval: Approval, by: Voter, fold: Fold, at: Instant): void {
  const known = fold.person(by.id)
  const roles = by.roles.filter((role) => known?.roles.includes(role) === true)
  if (known !== undefined && mayRevoke(approval, { id: by.id, roles }, at)) return
  throw new Fault(
    'not_permitted',
    `\`${by.id}\` may not revoke ${grantId(indexOfId('apr', approval.id) ?? 0)}`,
    {
      fix: 'Ask somebody who could answer its approval, an operator or an administrator.',
    },
  )
}

/** Whether a person may end the standing grant that came of an approval. */
export function mayRevoke(approval: Approval, person: Voter, at: Instant): boolean {
  if (allowsDeed(person, 'revocation')) return true
  const voted = approval.votes.flatMap((vote) => [vote.person, vote.for ?? vote.person])
  return voted.includes(person.id) || mayVote(termsAt(approval, at), person)
}

function unknownGrant(id: string): Fault {
  return new Fault('not_found', `no standing grant \`${id}\``, {
    fix: 'Check the id; the console, `bailiwick grants list` and `GET /v1/grants` list live ones.',
  })
}
