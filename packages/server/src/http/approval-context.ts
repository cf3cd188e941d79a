import {
  indexOfId,
  isExcluded,
  isSomebody,
  mayVote,
  principalsIn,
  ruleText,
  type ApprovalView,
  type DecisionView,
  type Voter,
} from '@bailiwick/core'
import { agentActivity, mayRevealAny, ownersOf, type Access, type Ledger } from '@bailiwick/store'
import type { Asker } from './asker.ts'
import type { Masking, Presented } from './masking.ts'

/** How many earlier calls say what this agent usually does. */
const historyLimit = 50

interface ContextParts {
  readonly ledger: Ledger
  readonly access: Access
  readonly masking: Masking
}

/**
 * What helps a person to answer one approval: the rules as they are written, who may vote, what this agent did of this
 * action before, and its last similar call, masked as everything that people see.
 *
 * @returns the answer, and which other call's params are in it
 */
export async function approvalContext(
  { ledger, access, masking }: ContextParts,
  approval: ApprovalView,
  asker: Asker,
  voter: Voter,
) {
  const opened = indexOfId('apr', approval.id) ?? 0
  const [people, owners, policy, { similar, ...history }] = await Promise.all([
    access.people(),
    ownersOf(ledger),
    approval.policy === null ? undefined : masking.policyOf(approval.policy),
    agentActivity(ledger, {
      agent: approval.agent,
      action: approval.action,
      before: opened,
      limit: historyLimit,
    }),
  ])
  const barred = behind(approval, owners)
  const previous = similar === null ? undefined : await masking.shown(await ledger.decision(similar), asker)
  const rules = approval.rules.flatMap((rule) => {
    const text = policy && ruleText(policy, { line: rule.line, file: rule.file })
    return text === undefined ? [] : [{ id: rule.id, text }]
  })
  const body = {
    approval: approval.id,
    rules,
    voters: await votersOf(approval, people, barred, ledger),
    mayReveal: mayRevealAny(voter) || approval.mayVote,
    history,
    similar: previous === undefined ? null : similarCall(previous),
  }
  return { body, similar: previous === undefined ? null : { index: previous.record.index } }
}

/** Who stands behind the call, as far as the view says: nobody agrees to their own. */
function behind({ agent, context }: ApprovalView, owners: Awaited<ReturnType<typeof ownersOf>>) {
  const owning = owners.filter((owner) => owner.agent === agent).map(({ person }) => person)
  return new Set([...owning, ...principalsIn(JSON.stringify({ context }))])
}

async function votersOf(
  { status, terms, votes }: ApprovalView,
  people: readonly Voter[],
  barred: ReadonlySet<string>,
  { delegations }: Ledger,
) {
  // Who has voted through somebody else has voted.
  const voted = new Set<string>(votes.flatMap(({ person, for: principal = person }) => [person, principal]))
  const asked = people
    .filter(
      (person) =>
        isSomebody(person) && mayVote(terms, person) && !barred.has(person.id) && !voted.has(person.id),
    )
    .map(({ id }) => id)
  const mayStandIn = new Set<string>(
    people
      .filter((person) => !isExcluded(terms, person) && !barred.has(person.id) && !voted.has(person.id))
      .map(({ id }) => id),
  )
  const given = status !== 'pending' || asked.length === 0 ? [] : await delegations.givenBy(asked)
  const deputiesOf = (person: string) =>
    [...new Set(given.filter(({ from }) => from === person).map(({ to }) => to))]
      .filter((deputy) => deputy !== person && mayStandIn.has(deputy))
      .sort()
  return [...voted, ...asked]
    .sort()
    .map((person) => ({ person, voted: voted.has(person), deputies: deputiesOf(person) }))
}

function similarCall({ id, at, effect, params, context, masked }: DecisionView & Presented) {
  return { id, at, effect, params, context, ...(masked === undefined ? {} : { masked }) }
}
