import {
  approvalStatus,
  canonicalJson,
  commentLengthMax,
  Fault,
  indexOfId,
  jsonProblem,
  mayVote,
  valueAt,
  type Json,
  type Voter,
} from '@bailiwick/core'
import { noNeeds, type Fold } from '../log/fold.ts'
import type { Operation, Place } from '../log/operation.ts'
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

/** The roles whose holders may see any sensitive value, at any time. */
const revealingRoles = ['auditor', 'administrator']

/** Whether a person may see what is sensitive in any call, whether or not they are asked about it. */
export function mayRevealAny({ roles }: Pick<Voter, 'roles'>): boolean {
  return revealingRoles.some((role) => roles.includes(role))
}

/**
 * The operation that records that a person is shown one sensitive value, and answers with it. Nobody is shown what is not
 * recorded: the person's right to see it is judged in the transaction that records the reading. It is that of people who
 * could vote on the call while it waits, and of auditors and administrators.
 *
 * @throws Fault `not_found`, `not_permitted`, `erased` or `bad_input`
 */
export function revealOperation(request: RevealRequest, viewer: Voter): Operation<Revealed> {
  const { decision: id, path, reason } = request
  const index = indexOfId('dec', id)
  const wrong =
    reason.trim() === '' || reason.length > commentLengthMax || jsonProblem(reason, 'reason', 1) !== undefined
  if (wrong) {
    throw new Fault('bad_input', 'a sensitive value is shown for a reason only', {
      fix: `Give one of at most ${commentLengthMax} characters.`,
    })
  }
  return {
    needs: index === undefined ? noNeeds : { decisions: [index], approvals: [index] },
    apply: (fold, place) => {
      const known = index === undefined ? undefined : fold.decision(index)
      if (known === undefined || index === undefined) throw unknownDecision(id)
      refuseOthers(fold, index, viewer, place)
      const value = /^\/(params|context)(\/|$)/.test(path) ? payloadValue(known.payload, path, id) : undefined
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
}

function refuseOthers(fold: Fold, index: number, viewer: Voter, place: Place): void {
  if (mayRevealAny(viewer)) return
  const approval = fold.approval(index)
  const isAsked =
    approval !== undefined &&
    approvalStatus(approval, place.at) === 'pending' &&
    mayVote(approval.terms, viewer)
  if (isAsked) return
  throw new Fault('not_permitted', `\`${viewer.id}\` may not see what is sensitive in this call`, {
    fix: 'Only people whom its approval asks see it, while it waits, and auditors and administrators.',
  })
}

function payloadValue(payload: { readonly body: string } | null, path: string, id: string): Json | undefined {
  if (payload !== null) return valueAt(JSON.parse(payload.body) as Json, path)
  throw new Fault('erased', `what ${id} was decided on has been erased`, {
    fix: 'Nothing can be shown of it any more.',
  })
}
