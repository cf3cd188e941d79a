import type { PersonId } from '../model/ids.ts'
import type { AccessRecord, DelegationRecord } from '../model/record.ts'
import type { Voter } from './voter.ts'

/** What records say of people, as of the last one that was taken: their roles, whom they stand in for, and behind which agents. */
export class RecordedPeople {
  readonly #roles = new Map<string, readonly string[] | undefined>()
  readonly #owners = new Map<string, Set<string>>()
  readonly #delegations = new Map<string, DelegationRecord>()

  access({ event, subject, grants }: AccessRecord): void {
    switch (event) {
      case 'person_created':
      case 'roles_changed':
        this.#roles.set(subject, grants)
        return
      case 'person_removed':
        this.#roles.set(subject, undefined)
        this.#forget(subject)
        return
      case 'owner_added':
        for (const person of grants) this.#behind(subject).add(person)
        return
      case 'owner_removed':
        for (const person of grants) this.#behind(subject).delete(person)
        return
      default:
        // All else changes nobody's right to vote.
        return
    }
  }

  delegation(record: DelegationRecord): void {
    if (record.event === 'granted') this.#delegations.set(record.delegation, record)
    else this.#delegations.delete(record.delegation)
  }

  /** The person as known then; `removed`, or undefined where no record has spoken of the person. */
  person(id: PersonId): Voter | 'removed' | undefined {
    if (!this.#roles.has(id)) return undefined
    const roles = this.#roles.get(id)
    return roles === undefined ? 'removed' : { id, roles }
  }

  standsBehind(person: string, agent: string): boolean {
    return this.#owners.get(agent)?.has(person) === true
  }

  /** @param at RFC 3339 */
  mayStandIn(to: string, from: string, at: string): boolean {
    return [...this.#delegations.values()].some(
      (each) => each.to === to && each.from === from && each.starts <= at && at < each.ends,
    )
  }

  // Somebody else may come under the name: nothing that was delegated before counts.
  #forget(person: string): void {
    for (const [id, { from, to }] of this.#delegations)
      if (from === person || to === person) this.#delegations.delete(id)
  }

  #behind(agent: string): Set<string> {
    const known = this.#owners.get(agent) ?? new Set<string>()
    this.#owners.set(agent, known)
    return known
  }
}
