import type { Voter } from '@bailiwick/core'
import type { Access, ApprovalAsker, Ledger } from '@bailiwick/store'

/** A person, with those who have delegated their votes to them, now. Few stand in for anybody: for the others, nobody else is looked up. */
export async function personAsking(voter: Voter, ledger: Ledger, access: Access): Promise<ApprovalAsker> {
  const delegators = await ledger.delegations.principalsOf(voter.id)
  if (delegators.length === 0) return { voter }
  const principals = (await access.people()).filter(({ id }) => delegators.includes(id))
  return { voter, principals }
}
