import {
  approvalStatus,
  commentLengthMax,
  Fault,
  indexOfId,
  jsonProblem,
  canonicalJson,
  mayVote,
  type Approval,
  type ApprovalId,
  type ApprovalStatus,
  type VoteChoice,
  type Voter,
  type VoteRecord,
} from '@bailiwick/core'
import { noNeeds } from '../log/fold.ts'
import type { Operation } from '../log/operation.ts'

/** What a person answers. */
export interface VoteRequest {
  readonly vote: VoteChoice
  readonly comment?: string | undefined
}

/**
 * The operation that casts one person's vote. The state of the approval, the person's right to vote
 * and the deadline are judged in the transaction that records the vote.
 *
 * @throws Fault `not_found`, `not_permitted`, `already_voted`, `approval_closed`, `erased` or `bad_input`
 */
export function voteOperation(id: string, voter: Voter, request: VoteRequest): Operation<ApprovalStatus> {
  const index = indexOfId('apr', id)
  const comment = request.comment ?? ''
  if (request.vote !== 'approve' && request.vote !== 'reject') {
    throw new Fault('bad_input', '`vote` must be approve or reject', { fix: 'Correct the vote.' })
  }
  if (comment.length > commentLengthMax || jsonProblem(comment, 'comment', 1) !== undefined) {
    throw new Fault(
      'bad_input',
      `\`comment\` must be at most ${commentLengthMax} characters of Unicode text`,
      {
        fix: 'Shorten the comment.',
      },
    )
  }
  return {
    needs: index === undefined ? noNeeds : { approvals: [index] },
    apply: (fold, place) => {
      const approval = index === undefined ? undefined : fold.approval(index)
      if (approval === undefined || index === undefined) throw unknownApproval(id)
      // Nobody can see any more what the vote would be on.
      if (fold.decision(index)?.payload === null) throw erasedApproval(approval.id)
      refuse(approval, voter, approvalStatus(approval, place.at))
      const votes = [...approval.votes, { person: voter.id, vote: request.vote, at: place.at }]
      const next = { ...approval, votes }
      const status = approvalStatus(next, place.at)
      return {
        body: { kind: 'vote', approval: approval.id, person: voter.id, vote: request.vote, status },
        payload: canonicalJson({ comment }),
        answer: status,
        staged: (record) => {
          fold.setApproval(index, next)
          fold.addVote(index, record as VoteRecord)
        },
      }
    },
  }
}

/** The fault for an id that no approval has. */
export function unknownApproval(id: string): Fault {
  return new Fault('not_found', `no approval \`${id}\``, {
    fix: 'Check the id; approvals are listed at /v1/approvals.',
  })
}

function erasedApproval(id: ApprovalId): Fault {
  return new Fault('erased', `what ${id} asks about has been erased`, {
    fix: 'It takes no more votes and lets nothing through; the agent has to make a new call.',
  })
}

function refuse(approval: Approval, voter: Voter, status: ApprovalStatus): void {
  if (approval.votes.some(({ person }) => person === voter.id)) {
    throw new Fault('already_voted', `\`${voter.id}\` has already voted on ${approval.id}`, {
      fix: 'A vote cannot be changed; ask another person if more votes are needed.',
    })
  }
  if (status !== 'pending') throw closedApproval(approval.id, status)
  if (!mayVote(approval.terms, voter)) {
    throw new Fault('not_permitted', `\`${voter.id}\` may not vote on ${approval.id}`, {
      fix: `It asks ${approversText(approval)}.`,
    })
  }
}

function closedApproval(id: ApprovalId, status: ApprovalStatus): Fault {
  return new Fault('approval_closed', `${id} is ${status} and takes no more votes`, {
    fix: 'The agent has to make a new call.',
  })
}

function approversText(approval: Approval): string {
  const sets = approval.terms.approvers.map((approvers) => approvers.join(' or '))
  return sets.length === 0 ? 'anyone with the role approver' : sets.join(', and ')
}
