import {
  allowsDeed,
  approvalStatus,
  canonicalJson,
  commentLengthMax,
  Fault,
  indexOfId,
  isReason,
  termsAt,
  valueAt,
  type DecisionRecord,
  type Json,
  type Voter,
} from '@bailiwick/core'
import type { Fold } from '../log/fold.ts'
import { noNeeds } from '../log/needs.ts'
import type { Operation, Place } from '../log/operation.ts'
import { fromSession, type Asking } from './from-session.ts'
import { entitledVoter } from './entitlement.ts'
import { unknownDecision } from './outcome.ts'

/** A value that a person asks to see, although the policy calls it sensitive. */
export interface RevealRequest {
  /** The id of the decision whose call holds it. */
  readonly decision: string
  /** A JSON Pointer below `/params` or `/context`. */
  readonly path: string
  /** Why the person has to see it. */
  readonly reason: string
}

/** The value, and the record that says who was shown it. */
export interface Revealed {
  readonly value: Json
  readonly index: number
}

/** Whether a person may see what is sensitive in any call, whether or not they are asked about it. */
export function mayRevealAny(person: Pick<Voter, 'roles'>): boolean {
  return allowsDeed(person, 'reveal')
}

/**
 * The operation that records that a person is shown one sensitive value, and answers with it. Nobody is shown what is not
 * recorded: the person's right to see it is judged in the transaction that records the reading. It is that of people who
 * could vote on the call while it waits, and of auditors and administrators.
 *
 * @throws Fault `not_found`, `not_permitted`, `erased`, `bad_input`, or `not_authenticated` for a session that has ended
 */
export function revealOperation(request: RevealRequest, viewer: Asking): Operation<Revealed> {
  const { decision: id, path, reason } = request
  const index = indexOfId('dec', id)
  if (!isReason(reason)) {
    throw new Fault('bad_input', 'a sensitive value is shown for a reason only', {
      fix: `Give one in words, of at most ${commentLengthMax} characters.`,
    })
  }
  const operation: Operation<Revealed> = {
    needs:
      index === undefined
        ? noNeeds
        : { decisions: [index], approvals: [index], voting: { person: viewer.id, principal: undefined } },
    apply: (fold, place) => {
      const known = index === undefined ? undefined : fold.decision(index)
      if (known === undefined || index === undefined) throw unknownDecision(id)
      // That it was erased is told to anyone who may see the decision.
      if (known.payload === null) throw erasedCall(id)
      refuseOthers(fold, { record: known.record, body: known.payload.body }, viewer, place)
      const held = JSON.parse(known.payload.body) as Json
      const value = /^\/(params|context)(\/|$)/.test(path) ? valueAt(held, path) : undefined
      if (value === undefined) {
        throw new Fault('not_found', 'the call holds nothing at this path', {
          fix: 'Name one of the paths that the decision lists as `masked`.',
        })
      }
      return {
        body: { kind: 'read', person: viewer.id, what: 'reveal', records: [index] },
        payload: canonicalJson({ filter: { path }, reason: reason.trim() }),
        answer: { value, index: place.index },
      }
    },
  }
  return fromSession(operation, viewer.session)
}

function refuseOthers(
  fold: Fold,
  { record, body }: { readonly record: DecisionRecord; readonly body: string },
  viewer: Voter,
  place: Place,
): void {
  // The roles that the ledger knows in this transaction: one that was taken away shows nothing any more.
  const known = fold.person(viewer.id)
  const roles = viewer.roles.filter((role) => known?.roles.includes(role) === true)
  if (mayRevealAny({ roles })) return
  const approval = fold.approval(record.index)
  const waits = approval !== undefined && approvalStatus(approval, fold.latest(place.at)) === 'pending'
  if (!waits) throw notShown(viewer.id)
  const terms = termsAt(approval, fold.earliest(place.at))
  entitledVoter({ approval, terms, voter: viewer, principal: undefined, body, at: place.at }, fold)
}

function notShown(person: string): Fault {
  return new Fault('not_permitted', `\`${person}\` may not see what is sensitive in this call`, {
    fix: 'Only people whom its approval asks see it, while it waits, and auditors and administrators.',
  })
}

function erasedCall(id: string): Fault {
  return new Fault('erased', `what ${id} was decided on has been erased`, {
    fix: 'Nothing can be shown of it any more.',
  })
}
