import {
  choiceFor,
  Fault,
  type Approval,
  type ApprovalId,
  type ApprovalStatus,
  type ApprovalTerms,
  type VoteChannel,
  type VoteChoice,
} from '@bailiwick/core'

/** The fault for an id that no approval has. */
export function unknownApproval(id: string): Fault {
  return new Fault('not_found', `no approval \`${id}\``, {
    fix: 'Check the id; the console and `GET /v1/approvals` list approvals.',
  })
}

/** The fault for who has seen something else than what would be approved, or another approval. */
export function otherDigest(id: ApprovalId): Fault {
  return new Fault('conflict', `the digest of the vote is not that of ${id}`, {
    fix: 'Look at the approval again, and send the `digest` that it shows.',
  })
}

/** The fault for a vote on what nobody can see any more. */
export function erasedApproval(id: ApprovalId): Fault {
  return new Fault('erased', `what ${id} asks about has been erased`, {
    fix: 'It takes no more votes and lets nothing through; the agent has to make a new call.',
  })
}

/**
 * One person counts once: for themself, for somebody else, or through somebody else.
 *
 * @throws Fault `already_voted`
 */
export function refuseSecondVote(approval: Approval, person: string, principal: string | undefined): void {
  const usedUp = new Set<string>(approval.votes.flatMap((vote) => [vote.person, vote.for ?? vote.person]))
  const again = [person, principal ?? person].find((each) => usedUp.has(each))
  if (again === undefined) return
  const message = approval.votes.some((vote) => vote.person === again)
    ? `\`${again}\` has already voted on ${approval.id}`
    : `somebody has already voted on ${approval.id} in the stead of \`${again}\``
  throw new Fault('already_voted', message, {
    fix: 'A vote cannot be changed; ask another person if more votes are needed.',
  })
}

/** @throws Fault `approval_closed` where it does not wait any more */
export function refuseClosed({ id }: Approval, status: ApprovalStatus): void {
  if (status === 'pending') return
  throw new Fault('approval_closed', `${id} is ${status} and takes no more votes`, {
    fix: 'The agent has to make a new call.',
  })
}

/** @throws Fault `conflict` for consent where a look is asked for, and the reverse */
export function refuseOtherChoice({ id, terms }: Approval, vote: VoteChoice): void {
  const wanted = choiceFor(terms)
  if (vote === 'reject' || vote === wanted) return
  throw new Fault('conflict', `${id} asks for ${terms.asks}, which \`${vote}\` does not give`, {
    fix: `Send \`${wanted}\` or \`reject\`.`,
  })
}

const channelWords: Readonly<Record<VoteChannel, string>> = {
  console: 'in the console',
  slack: 'in Slack',
  email: 'by e-mail',
  api: 'from programs',
}

/** @throws Fault `not_permitted` where the policy takes no votes over this channel */
export function refuseOtherChannel({ id, terms: { channels } }: Approval, channel: VoteChannel): void {
  if (channels === undefined || channels.includes(channel)) return
  const taken = channels.map((each) => channelWords[each])
  throw new Fault('not_permitted', `the policy takes no answer to ${id} ${channelWords[channel]}`, {
    fix: taken.length === 0 ? 'It takes none at all.' : `Answer ${taken.join(' or ')}.`,
  })
}

/** The terms by which the glass is broken. @throws Fault `not_permitted` where nobody may */
export function brokenGlass({ id, terms }: Approval): ApprovalTerms {
  const { breakGlass } = terms
  if (breakGlass !== undefined) return { ...terms, approvers: breakGlass.approvers }
  throw new Fault('not_permitted', `the policy lets nobody break the glass for ${id}`, {
    fix: 'Ask those whom it asks.',
  })
}

/** The fault for who is not asked. */
export function notEntitled(person: string, id: ApprovalId, terms: ApprovalTerms): Fault {
  return new Fault('not_permitted', `\`${person}\` may not vote on ${id}`, {
    fix: `It asks ${approversText(terms)}.`,
  })
}

function approversText({ approvers, exclude = [] }: ApprovalTerms): string {
  const sets = approvers.map((entries) => entries.join(' or '))
  const asked = sets.length === 0 ? 'anyone with the role approver' : sets.join(', and ')
  return exclude.length === 0 ? asked : `${asked}, but not ${exclude.join(' or ')}`
}
