import {
  Fault,
  isExcluded,
  isSomebody,
  mayVote,
  principalsIn,
  type Approval,
  type ApprovalTerms,
  type Instant,
  type PersonId,
  type Voter,
} from '@bailiwick/core'
import type { Fold } from '../log/fold.ts'
import { notEntitled } from './vote-refusals.ts'

/** Somebody who wants to vote on something. */
interface Voting {
  readonly approval: Approval
  /** As they are now. */
  readonly terms: ApprovalTerms
  readonly voter: Voter
  /** In whose stead. */
  readonly principal: string | undefined
  /** The payload of the decision that opened the approval. */
  readonly body: string
  readonly at: Instant
}

/**
 * Whose right to vote it is: the voter's own, or that of the person in whose stead the voter votes. By the roles that the
 * ledger knows in this transaction, which those that the voter signed in with only narrow.
 *
 * @throws Fault `not_permitted`
 */
export function entitledVoter({ approval, terms, voter, principal, body, at }: Voting, fold: Fold): Voter {
  const known = fold.person(voter.id)
  if (known === undefined || !isSomebody(known)) throw notEntitled(voter.id, approval.id, terms)
  // Who signed in with fewer roles is excluded all the same.
  if (isExcluded(terms, known)) throw notEntitled(voter.id, approval.id, terms)
  const self = { ...voter, roles: voter.roles.filter((role) => known.roles.includes(role)) }
  refuseBehindAgent(approval, voter.id, body, fold)
  if (principal === undefined) {
    if (!mayVote(terms, self)) throw notEntitled(voter.id, approval.id, terms)
    return self
  }
  const other = fold.person(principal)
  const until = fold.standsInUntil(voter.id, principal, at)
  if (other === undefined || until === undefined) {
    throw new Fault('not_permitted', `\`${voter.id}\` may not vote in the stead of \`${principal}\``, {
      fix: 'That person, or an administrator, can delegate it: POST /v1/delegations.',
    })
  }
  refuseBehindAgent(approval, principal as PersonId, body, fold)
  if (!isSomebody(other) || !mayVote(terms, other)) throw notEntitled(principal, approval.id, terms)
  // Judged again by the database's clock in the statement that writes it.
  fold.restOn(until)
  return other
}

// Nobody agrees to what is done for them: not who stands behind the agent, and not whom the host names.
function refuseBehindAgent({ id, agent }: Approval, person: PersonId, body: string, fold: Fold): void {
  if (!fold.ownersOf(agent).includes(person) && !principalsIn(body).includes(person)) return
  throw new Fault('not_permitted', `\`${person}\` stands behind the call that ${id} is about`, {
    fix: 'Somebody else has to answer it.',
  })
}
