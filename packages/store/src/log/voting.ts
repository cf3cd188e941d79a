import { parseRecord, type DelegationRecord, type Instant, type PersonId, type Voter } from '@bailiwick/core'
import { readEntries, type Queryable } from './batches.ts'

/** Who wants to vote, and in whose stead. */
export interface VotingNeed {
  readonly person: string
  readonly principal?: string | undefined
  /** Who else has to be known. */
  readonly by?: string | undefined
  /** Issuer and subject at the identity provider: whoever signed in with them before has to be known, too. */
  readonly providerSubject?: string | undefined
}

/** That somebody may vote in another person's stead. */
export interface Delegation {
  /** The index of the record that granted it. */
  readonly index: number
  readonly from: PersonId
  readonly to: PersonId
  readonly starts: Instant
  readonly ends: Instant
  /** The index of the record that revoked it. */
  readonly revokedBy?: number | undefined
}

/** A person as the ledger knows them. */
export interface KnownPerson extends Voter {
  /** Who says which roles the person has. */
  readonly rolesFrom: 'local' | 'provider'
  /** Issuer and subject at the identity provider that first vouched for the address. */
  readonly providerSubject: string | null
  /** The index of the record of this ledger that last made the person one; 0 where that was in another. */
  readonly since: number
}

/** That all sessions of a person were ended. */
export interface SignedOut {
  readonly person: string
  /** How often. */
  readonly epoch: number
  /** When last, in milliseconds, by the database's clock. */
  readonly endedAt: number
}

/** What is known of the people of a batch's votes. */
export interface VotingRead {
  readonly people: readonly KnownPerson[]
  /** Whose sessions have all been ended at some time; also people who are not there any more. */
  readonly ended: readonly SignedOut[]
  readonly delegations: readonly Delegation[]
  readonly owners: readonly AgentOwner[]
}

/** A person who stands behind an agent. */
export interface AgentOwner {
  readonly agent: string
  readonly person: string
}

interface PersonRow {
  readonly id: PersonId
  readonly roles: string[]
  readonly roles_from: KnownPerson['rolesFrom']
  readonly provider_subject: string | null
  readonly since: string
}

const columns = `id, roles, roles_from, provider_subject,
  case when since_ledger = $2 then since else 0 end as since`

const people = {
  name: 'read_people',
  // Also those who have voted before: what a grant rests on are the votes of people who are still there.
  text: `select ${columns} from person where id = any($1) or id in (
    select unnest(array[person, principal]) from vote where ledger = $2 and approval = any($3::bigint[]))`,
}

const peopleOfProvider = {
  name: 'read_people_of_provider',
  text: `select ${columns} from person where provider_subject = any($1)`,
}

const ended = {
  name: 'read_sign_outs',
  text: 'select person, epoch, (extract(epoch from ended_at) * 1000)::float8 as ended_at from sign_out where person = any($1)',
}

const delegations = {
  name: 'read_delegations',
  text: `select d.index, d.revoked_by from delegation d
    join unnest($2::text[], $3::text[]) as wanted (delegator, delegate) using (delegator, delegate)
    where d.ledger = $1 order by d.index`,
}

const owners = {
  name: 'read_owners',
  text: `select agent, person from agent_owner where agent in (
    select agent from approval where ledger = $1 and decision = any($2::bigint[]))`,
}

/**
 * Reads who the people are that vote, as of now: their roles, what others have delegated to them, and who stands behind
 * the agents whose approvals they vote on.
 */
export async function readVoting(
  client: Queryable,
  ledger: string,
  needs: readonly VotingNeed[],
  approvals: readonly number[],
): Promise<VotingRead> {
  const named = needs.flatMap(({ person, principal, by }) => [person, principal ?? person, by ?? person])
  const pairs = needs.flatMap(({ person, principal }) =>
    principal === undefined ? [] : [{ person, principal }],
  )
  const subjects = needs.flatMap(({ providerSubject }) => providerSubject ?? [])
  const [found, vouched, over, given, behind] = await Promise.all([
    client.query<PersonRow>({ ...people, values: [named, ledger, approvals] }),
    subjects.length === 0
      ? undefined
      : client.query<PersonRow>({ ...peopleOfProvider, values: [subjects, ledger] }),
    client.query<{ person: string; epoch: string; ended_at: number }>({ ...ended, values: [named] }),
    pairs.length === 0
      ? []
      : readDelegations(client, ledger, {
          ...delegations,
          values: [ledger, pairs.map(({ principal }) => principal), pairs.map(({ person }) => person)],
        }),
    client.query<AgentOwner>({ ...owners, values: [ledger, approvals] }),
  ])
  return {
    people: [...found.rows, ...(vouched?.rows ?? [])].map(
      ({ id, roles, roles_from: rolesFrom, provider_subject: providerSubject, since }) => ({
        id,
        roles,
        rolesFrom,
        providerSubject,
        since: Number(since),
      }),
    ),
    ended: over.rows.map(({ person, epoch, ended_at: endedAt }) => ({
      person,
      epoch: Number(epoch),
      endedAt,
    })),
    delegations: given,
    owners: behind.rows,
  }
}

/** Delegations by a query for `index` and `revoked_by`; what they say is read from their records. */
export async function readDelegations(
  client: Queryable,
  ledger: string,
  query: { readonly text: string; readonly values: unknown[] },
): Promise<Delegation[]> {
  const { rows } = await client.query<{ index: string; revoked_by: string | null }>(query)
  const entries = await readEntries(
    client,
    ledger,
    rows.map(({ index }) => Number(index)),
  )
  return rows.flatMap(({ index, revoked_by: revokedBy }) => {
    const text = entries.get(Number(index))?.record
    const record = text === undefined ? undefined : parseRecord(text)
    // A row without its record entitles nobody; verification names it.
    if (record?.kind !== 'delegation' || record.event !== 'granted') return []
    return [{ ...delegationOf(record), revokedBy: revokedBy === null ? undefined : Number(revokedBy) }]
  })
}

/** What a record that grants a delegation says. */
export function delegationOf({ index, from, to, starts, ends }: DelegationRecord): Delegation {
  return { index, from, to, starts: Date.parse(starts) as Instant, ends: Date.parse(ends) as Instant }
}
