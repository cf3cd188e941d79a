import { Fault, nameLengthMax, personIdOf } from '@bailiwick/core'
import { personId } from './identity/secrets.ts'
import type { Ledger } from './ledger.ts'

/**
 * Makes a person stand behind an agent, or no longer: whoever does may not vote on what the agent asks for, from the next
 * vote on, whichever key the agent used. The person need not be known. Recorded with the change, both or neither.
 *
 * @throws Fault `bad_input` for what is no agent or no person
 */
export async function changeOwner(
  ledger: Ledger,
  event: 'owner_added' | 'owner_removed',
  owner: { readonly agent: string; readonly person: string },
): Promise<void> {
  const { agent } = owner
  // Who was named otherwise by a version before this one can still be taken away.
  const person = event === 'owner_added' ? personId(owner.person) : nameIn(owner.person)
  if (!/^[^\s\p{C}]+$/u.test(agent) || agent.length > nameLengthMax) {
    throw new Fault('bad_input', `\`${agent}\` is no agent id`, {
      fix: `Use 1 to ${nameLengthMax} characters without white space, as in the policy's agent_id.`,
    })
  }
  const rows = [{ agent, person }]
  await ledger.changeAccess(
    { kind: 'access', event, subject: agent, grants: [person] },
    event === 'owner_added' ? { ownersAdded: rows } : { ownersRemoved: rows },
  )
}

function nameIn(text: string): string {
  return personIdOf(text) ?? text.trim().toLowerCase()
}

/** Who stands behind agents, by agent and person. */
export async function ownersOf(
  ledger: Ledger,
): Promise<readonly { readonly agent: string; readonly person: string }[]> {
  const { rows } = await ledger.pool.query<{ agent: string; person: string }>(
    'select agent, person from agent_owner order by agent, person',
  )
  return rows
}
