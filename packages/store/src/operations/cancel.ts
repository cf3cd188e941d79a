import {
  approvalStatus,
  canonicalJson,
  commentLengthMax,
  Fault,
  indexOfId,
  jsonProblem,
  type ApprovalStatus,
} from '@bailiwick/core'
import { noNeeds } from '../log/needs.ts'
import type { Operation } from '../log/operation.ts'
import { needsOf, refuseUnlessMay } from './deed.ts'
import { fromSession } from './from-session.ts'
import { unknownApproval } from './vote.ts'

/** Who withdraws an approval, and why. */
export interface CancelRequest {
  /** A person's id, or `operator`. Absent: the agent that asked. */
  readonly by?: string | undefined
  /** The agent that asks for it: it finds its own approvals only. */
  readonly agent?: string | undefined
  readonly reason: string
  /** The id of the session that it is asked from, where there is one. */
  readonly session?: string | undefined
  /**
   * Also where it is over by the clock of this process and not by the database's: a process that is ahead must not leave to
   * others what it is to end.
   */
  readonly whileUsable?: true | undefined
}

/**
 * The operation that withdraws an approval that nobody has used: from here on it lets nothing through. A person
 * does that by the roles that the ledger knows then; an agent may withdraw its own.
 *
 * @throws Fault `not_found`, `not_permitted`, `approval_closed`, `bad_input`, or `not_authenticated` for a session that has ended
 */
export function cancelOperation(id: string, request: CancelRequest): Operation<ApprovalStatus> {
  const { by, agent, reason, session } = request
  const index = indexOfId('apr', id)
  if (reason === '' || reason.length > commentLengthMax || jsonProblem(reason, 'reason', 1) !== undefined) {
    throw new Fault('bad_input', '`reason` must say why', {
      fix: `Send 1 to ${commentLengthMax} characters of Unicode text.`,
    })
  }
  const operation: Operation<ApprovalStatus> = {
    needs: index === undefined ? noNeeds : { approvals: [index], grants: true, ...needsOf(by) },
    apply: (fold, place) => {
      const approval = index === undefined ? undefined : fold.approval(index)
      if (approval === undefined || index === undefined) throw unknownApproval(id)
      if (agent !== undefined && approval.agent !== agent) throw unknownApproval(id)
      refuseUnlessMay('cancellation', by, fold)
      const at = request.whileUsable === true ? fold.byDatabase(place.at) : fold.latest(place.at)
      const status = approvalStatus(approval, at)
      if (status !== 'pending' && status !== 'approved') {
        throw new Fault('approval_closed', `${approval.id} is ${status} and cannot be cancelled any more`, {
          fix: 'Nothing is left to do.',
        })
      }
      // What it asks about may have been erased; so is what is said of it then.
      const opened = fold.decision(index)?.payload
      // Where it cannot be read here, nothing can be sealed as it is: it is withdrawn all the same, without the reason.
      const hasReason = opened !== null && (opened === undefined || !fold.seals.isShut(opened.stored))
      const cancelled = { index: place.index, by: by ?? 'agent', at: place.at }
      return {
        body: {
          kind: 'cancellation',
          approval: approval.id,
          agent: approval.agent,
          action: approval.action,
          by: cancelled.by,
        },
        payload: hasReason ? canonicalJson({ reason }) : undefined,
        seal: opened && hasReason ? { like: opened.stored } : undefined,
        answer: 'cancelled',
        staged: () => {
          fold.setApproval(index, { ...approval, cancelled })
          fold.grants.end(index)
        },
      }
    },
  }
  return fromSession(operation, session)
}
