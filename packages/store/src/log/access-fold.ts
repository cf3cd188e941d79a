import type { Instant, PersonId } from '@bailiwick/core'
import { laterAccess, noAccessChange, ownersWithout } from './access-changes.ts'
import type { PersonSession } from './person-sessions.ts'
import type { AccessChange } from './rows.ts'
import type { AgentOwner, KnownPerson, SignedOut, VotingRead } from './voting.ts'

/** Who may use the service, as far as one batch touches it: people, who stands behind agents, and whose sessions have ended. */
export class AccessFold {
  readonly #people = new Map<string, KnownPerson>()
  readonly #ended = new Map<string, SignedOut>()
  readonly #sessions = new Map<string, PersonSession>()
  #owners: readonly AgentOwner[] = []
  #change: Required<AccessChange> = noAccessChange

  /** Takes in rows as they were read. */
  load({ people, ended, owners }: Pick<VotingRead, 'people' | 'ended' | 'owners'>): void {
    for (const person of people) this.#people.set(person.id, person)
    for (const each of ended) this.#ended.set(each.person, each)
    this.#owners = owners
  }

  /** Takes in sessions that something is asked from. */
  loadSessions(sessions: readonly PersonSession[]): void {
    for (const session of sessions) this.#sessions.set(session.id, session)
  }

  /**
   * Until when a session lasts; undefined where it has been ended, in this batch too. Known to operations that need
   * `signedIn`.
   */
  sessionUntil(id: string): Instant | undefined {
    const session = this.#sessions.get(id)
    if (session === undefined) return undefined
    const { sessionsEnded, signedOut, peopleRemoved } = this.#change
    const isOver =
      sessionsEnded.some((each) => each.id === id) ||
      [...signedOut, ...peopleRemoved].some((each) => each.id === session.person)
    return isOver ? undefined : session.expiresAt
  }

  /** A person with the roles as they are now. */
  person(id: string): KnownPerson | undefined {
    return this.#people.get(id)
  }

  /** Who else than `person` signed in with this account of the identity provider; known to operations that need it. */
  otherOfProvider(subject: string, person: string): KnownPerson | undefined {
    return [...this.#people.values()].find(
      ({ id, providerSubject }) => providerSubject === subject && id !== person,
    )
  }

  /** Whether a person is removed in this batch; nobody of the same address can be added in the same statement. */
  isRemovedNow(id: string): boolean {
    return this.#change.peopleRemoved.some((each) => each.id === id)
  }

  /** Who stands behind an agent. */
  ownersOf(agent: string): readonly string[] {
    return this.#owners.filter((owner) => owner.agent === agent).map(({ person }) => person)
  }

  /** How often all sessions of a person have been ended, in this batch too. */
  epochOf(person: string): number {
    const inBatch = this.#change.signedOut.filter(({ id }) => id === person).length
    return (this.#ended.get(person)?.epoch ?? 0) + inBatch
  }

  /** When they were last, by the database's clock; those of this batch end later than anything else has begun. */
  endedAt(person: string): number {
    if (this.#change.signedOut.some(({ id }) => id === person)) return Infinity
    return this.#ended.get(person)?.endedAt ?? -Infinity
  }

  /** Adds to what the batch changes. Whoever comes later in the batch finds it changed. */
  change(change: AccessChange): void {
    this.#change = laterAccess(this.#change, change)
    for (const row of change.peopleSet ?? []) {
      const { id, roles, roles_from: rolesFrom } = row
      const known = this.#people.get(id)
      const providerSubject = row.provider_subject ?? known?.providerSubject ?? null
      const since = Math.max(row.since, known?.since ?? 0)
      this.#people.set(id, { id: id as PersonId, roles, rolesFrom, providerSubject, since })
    }
    for (const { id } of change.peopleRemoved ?? []) this.#people.delete(id)
    this.#owners = [...ownersWithout(this.#owners, change.ownersRemoved), ...(change.ownersAdded ?? [])]
  }

  /** What the batch has to write. */
  rows(): Required<AccessChange> {
    return this.#change
  }
}
